"""The long history behind ``stress``: kept, and made anew when a close has come."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from analysis import depth_plain
from analysis.closes import Alignment
from analysis.depth import History
from bot.reports.shapes import Derived, Read
from bot.reports.stress_read import closes_of, daily, dated
from storage import bars, kept
from storage.kept import Kept
from storage.store import Db

NAME: Final = "stress"
KEY: Final = Alignment.DAILY.value
"""Only daily closes reach back far enough."""


async def read(db: Db) -> Kept | None:
    """What is kept, of whatever closes; null while nothing is."""
    return await kept.read(db, NAME, KEY)


async def stamp(db: Db) -> str | None:
    """Tells what is kept apart from anything else."""
    return (await kept.stamps(db, NAME)).get(KEY)


def history_of(found: Kept | None) -> History | None:
    """Some milliseconds of arithmetic; null also for what another method made."""
    return None if found is None else depth_plain.from_plain(found.payload)


async def _stamps(db: Db, at: datetime) -> Mapping[str, str]:
    series = await daily(db, at)
    if not series:
        return {}
    of_each = [f"{code}={await bars.stamp(db, one, at=at)}" for code, one in series.items()]
    return {KEY: " ".join((f"method={depth_plain.METHOD}", *of_each))}


async def _read(db: Db, key: str, at: datetime) -> Read | None:  # noqa: ARG001 -- there is one key
    made = await closes_of(db, await daily(db, at), Alignment.DAILY, at)
    closes = {code: await asyncio.to_thread(dated, one, Alignment.DAILY) for code, one in made.items()}
    newest = max((one[-1].closed_at for one in closes.values() if one), default=None)
    return None if newest is None else Read(given=(closes, at), through=newest)


DERIVED: Final = Derived(name=NAME, stamps=_stamps, read=_read, derive=depth_plain.made)
