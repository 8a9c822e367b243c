"""The first message of the preview's page: what it is, and what there is to type."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bot.reports import REPORTS

_LIVE: Final = "This is Leadline on your own store, with the real clock. {commands}"
_SAMPLE: Final = (
    "This is Leadline on its sample, which ends on 6 February 2026. The clock of this page started at {start} "
    "and goes {times} times as fast as yours: `/replay` pauses it, changes its speed or jumps. {commands} "
    "Set here for the demonstration: a digest every day at 18:00 in Taipei, and two alerts, "
    "for closes through 77,000 and through 73,600.\n"
    "這是以樣本資料執行的 Leadline，資料止於 2026 年 2 月 6 日；本頁時鐘自 {start} 起走，速度為實際時間的 {times} 倍，"
    "`/replay` 可暫停、調整速度或跳至其他時點。請輸入 {reports}；另有 {others}。"
    "為了示範，這裡已設定每日台北時間 18:00 的定時快報，以及收盤穿越 77,000 與 73,600 的兩則提醒。"
)
_OTHERS: Final = tuple(
    f"`/{name}`" for name in ("digest", "alerts", "level-book", "data", "settings", "privacy", "help")
)


def live() -> str:
    return _LIVE.format(**_commands())


def on_sample(start: datetime, speed: float) -> str:
    """Its first line is English, its second Chinese."""
    return _SAMPLE.format(start=start.strftime("%Y-%m-%d %H:%M UTC"), times=f"{speed:g}", **_commands())


def _commands() -> dict[str, str]:
    reports = [f"`/{name}`" for name in REPORTS]
    english = (
        f"Type {', '.join(reports[:-1])} or {reports[-1]}. "
        f"There are also {', '.join(_OTHERS[:-1])} and {_OTHERS[-1]}."
    )
    return {"commands": english, "reports": "、".join(reports), "others": "、".join(_OTHERS)}
