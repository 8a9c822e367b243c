"""``leadline`` against the Discord of ``loopback.py``: nothing but the addresses differs.

Arguments: the REST address, the gateway address, then ``leadline``'s own. With
DRAWING_GATE set, drawing processes wait until that file exists before they draw; with
SOURCES_PORT, every source that is fetched from is at that port of this computer.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    import discord.gateway
    import discord.http
    import yarl

    from bot import cli

    discord.http.Route.BASE = sys.argv[1]
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(sys.argv[2])
    sys.argv[1:] = sys.argv[3:]
    if port := os.environ.get("SOURCES_PORT"):
        divert_sources(int(port))
    cli.main()


def divert_sources(port: int) -> None:
    from providers import client
    from tests.providers.loopback import Diverted

    client.over_the_internet = lambda: Diverted(lambda: port)


def hold_drawing(gate: Path) -> None:
    from analysis.charts import levels

    draw = levels.draw

    def held(*args: Any, **kwargs: Any) -> Any:
        while not gate.exists():
            time.sleep(0.01)
        return draw(*args, **kwargs)

    levels.draw = held


if __name__ == "__main__":
    main()
elif "DRAWING_GATE" in os.environ:  # a drawing process: those import the program again, under another name
    hold_drawing(Path(os.environ["DRAWING_GATE"]))
