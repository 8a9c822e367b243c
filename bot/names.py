"""Names of commands, subcommands and options in Chinese, for servers that want them.

One table for all commands, because a name is no sentence: ``show`` is a subcommand
here and might be a word of any other kind in the catalogue. Discord takes letters,
digits, ``-`` and ``_``, at most 32, in lower case; ``tests/cogs/test_tree.py`` holds
every command to it.
"""

from __future__ import annotations

from typing import Final

COMMANDS: Final = {
    "alerts": "提醒",
    "data": "資料",
    "digest": "定時快報",
    "flows": "資金流",
    "help": "說明",
    "ladder": "強平試算",
    "level-book": "價位表",
    "levels": "關鍵價位",
    "lights": "四燈",
    "macro": "總經",
    "privacy": "隱私",
    "replay": "重播",
    "settings": "設定",
    "silver-margin": "白銀保證金",
    "stress": "市場壓力",
    # Subcommands.
    "add": "新增",
    "delete": "刪除",
    "edit": "修改",
    "export": "匯出",
    "list": "清單",
    "pause": "暫停",
    "now": "立即發布",
    "remove": "移除",
    "resume": "恢復",
    "show": "檢視",
    "status": "狀態",
}

OPTIONS: Final = {
    "add": "一併計算",
    "asset": "資產",
    "auto": "自動價位",
    "bars": "根數",
    "channel": "頻道",
    "channels": "公開頻道",
    "compare": "比較",
    "contracts": "口數",
    "date": "日期",
    "days": "星期",
    "equity": "權益數",
    "fee": "手續費",
    "gauge": "風險指標",
    "hold": "撐到",
    "hrp": "高風險帳戶",
    "instrument": "標的",
    "interval": "週期",
    "kind": "種類",
    "label": "名稱",
    "language": "語言",
    "level": "價位",
    "margin": "保證金模式",
    "new_rate": "新費率",
    "next_rule": "下次調整",
    "palette": "配色",
    "positions": "部位檔案",
    "price": "價格",
    "private": "僅自己可見",
    "product": "商品",
    "rate": "維持保證金率",
    "report": "報表",
    "role": "管理身分組",
    "shock": "價格變動",
    "side": "方向",
    "since": "起日",
    "source": "來源",
    "theme": "主題",
    "tiers": "級距",
    "time": "時間",
    "venue": "交易所",
    "zone": "時區",
}
