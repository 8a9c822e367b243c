"""``leadline`` against the Discord of ``loopback.py``: nothing but the addresses differs.

Arguments: the REST address, the gateway address, then ``leadline``'s own. With
DRAWING_GATE set, drawing processes wait until that file exists before they draw; with
SOURCES_PORT, every source that is fetched from is at that port of this computer. Limits of
``tests/patient_program.py`` are long but for those that REAL_LIMITS names.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any, Final

PATIENT: Final = {"run", "preview", "doctor"}
"""Commands whose limits are those of this computer, too."""


def main() -> None:
    import discord.gateway
    import discord.http
    import yarl

    from bot import cli, drawing
    from tests.patient_program import lend

    discord.http.Route.BASE = sys.argv[1]
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(sys.argv[2])
    sys.argv[1:] = sys.argv[3:]
    if port := os.environ.get("SOURCES_PORT"):
        divert_sources(int(port))
    if sys.argv[1] in PATIENT and "--health" not in sys.argv:
        # As the command does: what draws is loaded while we load ours.
        drawing.load_ahead(drawing.Room())
        lend(but=os.environ.get("REAL_LIMITS", "").split())
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
