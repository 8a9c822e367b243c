"""What must hold before the bot connects: a whole store, a calm pace of starts, sessions left for today."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from bot.errors import OperatorMustAct, StartLater, UserError
from storage import backup, kept_backups, marks, sqlite
from storage.state import State, state_of

if TYPE_CHECKING:
    from bot.client import Leadline
    from storage.store import Store

log = structlog.get_logger(__name__)

FEWEST_SESSIONS: Final = 50
"""Discord allows 1,000 sessions in 24 hours and takes the token away from a bot that goes beyond."""
FAST_STARTS: Final = 3
FAST: Final = timedelta(minutes=10)
PAUSE: Final = timedelta(seconds=120)
"""After three starts within ten minutes that did not end in order, the next comes no sooner after the last."""

_MARK: Final = "starts"


async def refuse_damaged(url: str, *, thorough: bool) -> None:
    """Raises OperatorMustAct rather than let a damaged or lost store be migrated or made anew.

    Lost: the file is gone or empty although it has backups. ``thorough`` reads the whole file.
    """
    file = sqlite.file_of(url)
    if file is not None:
        await asyncio.to_thread(_refuse_damaged, file, thorough=thorough)


def _refuse_damaged(file: Path, *, thorough: bool) -> None:
    state = state_of(file, recover=True)
    lost = state in {State.MISSING, State.EMPTY}
    damaged = state in {State.FOREIGN, State.UNREADABLE}
    if state in {State.CURRENT, State.OLDER} and thorough:
        damaged = not backup.is_whole(file)
    if not (lost or damaged):
        return
    good = kept_backups.newest_good(file)
    if lost and good is not None:
        raise OperatorMustAct(
            "The store at {path} is gone, but there are backups of it. leadline db restore {backup} puts "
            "the newest back; to begin anew, move the folder of the backups away.",
            path=str(file),
            backup=str(good),
        )
    if damaged and good is not None:
        raise OperatorMustAct(
            "The store at {path} is damaged or no store. It was left as it is; "
            "leadline db restore {backup} puts the newest whole backup in its place.",
            path=str(file),
            backup=str(good),
        )
    if damaged and state in {State.CURRENT, State.OLDER}:
        raise OperatorMustAct(
            "The store at {path} is damaged, and no whole backup lies in {folder}. It was left as it is.",
            path=str(file),
            folder=str(kept_backups.folder_of(file)),
        )
    # What is left has a plain sentence of its own where the store is opened.


class Starts:
    """The starts of this bot that have not ended in order, kept in its store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def pause(self, now: datetime) -> timedelta:
        """How long to wait before connecting, so that a crash loop stays far below Discord's limit."""
        times = await self._read()
        if sum(now - FAST < time <= now for time in times) < FAST_STARTS:
            return timedelta(0)
        return max(max(time for time in times if time <= now) + PAUSE - now, timedelta(0))

    async def begin(self, now: datetime) -> None:
        """Note a start, before Discord is asked for a session; old ones are forgotten."""
        times = [time for time in await self._read() if now - FAST < time <= now]
        await self._write([*times, now])

    async def end_in_order(self) -> None:
        """What ended because somebody asked for it, and those before it, were no crash loop."""
        await self._write([])

    async def _read(self) -> list[datetime]:
        async with self._store.read() as db:
            text = await marks.read(db, _MARK)
        return [datetime.fromisoformat(time) for time in (text or "").split()]

    async def _write(self, times: list[datetime]) -> None:
        async with self._store.write() as db:
            await marks.write(db, _MARK, " ".join(time.isoformat() for time in times))


async def calm(starts: Starts, now: datetime, stop: asyncio.Event) -> None:
    """Waits as long as ``Starts.pause`` says, or until stopped."""
    wait = await starts.pause(now)
    if not wait:
        return
    log.warning("waiting after starts that ended badly", seconds=round(wait.total_seconds()))
    try:
        async with asyncio.timeout(wait.total_seconds()):
            await stop.wait()
    except TimeoutError:
        return


async def refuse_without_sessions(bot: Leadline) -> None:
    """Raises StartLater when Discord has few sessions left for this bot today. To be called once logged in."""
    from discord import GatewayNotFound

    try:
        _, _, limit = await bot.http.get_bot_gateway()
    except GatewayNotFound:
        raise UserError("Discord cannot be reached. Try again in a minute; the log says why.") from None
    log.info("sessions left today", remaining=limit["remaining"], total=limit["total"])
    if limit["remaining"] < FEWEST_SESSIONS:
        hours = -(-limit["reset_after"] // 3_600_000)
        raise StartLater(
            "Discord lets this bot begin only {remaining} more sessions; it was not started, so that the token "
            "is not taken away. Find out why it started so often, and start it again in {hours} h.",
            remaining=limit["remaining"],
            hours=hours,
        )
