"""``make bench``: everything measured beside what it is held to, in one run.

    python -m benchmarks [pictures] [store] [wire] [growth]

Without a name all is measured and RESULTS.md and results.json beside this file are written; with some,
only their table is printed.
"""

from __future__ import annotations

import asyncio
import os
import platform
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks import growth, kept, made, pictures, wire
from benchmarks.figures import Figure, table, write_json

HERE: Final = Path(__file__).parent


async def _pictures(_folder: Path) -> AsyncIterator[Figure]:
    for figure in await asyncio.to_thread(list, pictures.figures(await made.results())):
        yield figure


PARTS: Final = {"pictures": _pictures, "store": kept.figures, "wire": wire.figures, "growth": growth.figures}


async def measure(names: list[str]) -> list[Figure]:
    figures = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            print(f"measuring: {name}", file=sys.stderr)
            async for figure in PARTS[name](Path(folder)):
                figures.append(figure)
                print(f"  {figure.name}: {figure.product:g}", file=sys.stderr)
    return figures


def main() -> None:
    names = sys.argv[1:]
    if unknown := set(names) - set(PARTS):
        raise SystemExit(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    begun = time.monotonic()
    figures = asyncio.run(measure(names or list(PARTS)))
    print(table(figures))
    if names:
        return
    minutes = (time.monotonic() - begun) / 60
    load = os.getloadavg()[1]
    write_json(figures, HERE / "results.json")
    (HERE / "RESULTS.md").write_text(
        f"""# Measured

By `make bench` on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC in {minutes:.0f} minutes: {os.cpu_count()} cores,
{platform.system()} {platform.machine()}, CPython {platform.python_version()}, load {load:.1f} (the benchmark's own
included). Product and anchor took turns in one run, so ratios hold where absolute times swing.

{table(figures)}

What the anchors are stands at the head of each file in this folder.
""",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
