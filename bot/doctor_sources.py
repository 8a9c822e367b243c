"""What ``leadline doctor`` says of the sources: can each be reached, how are its series, and what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from bot.doctor import Finding, Verdict
from storage import clocks, feeds, sqlite
from storage.feeds import FeedState, FeedStatus
from storage.state import State, state_of
from storage.store import Store

if TYPE_CHECKING:
    from bot.doctor import Home

PROBE_SECONDS: Final = 6.0
OVERDUE: Final = timedelta(hours=1)
"""How long after its next try a feed has been forgotten rather than put off."""

Probe = Callable[[str], Awaitable[bool]]


async def reachable(host: str, port: int = 443) -> bool:
    """Whether the host takes a connection from here; nothing is asked of it."""
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def sources(home: Home, probe: Probe = reachable) -> list[Finding]:
    """A finding for every host that is fetched from."""
    from bot.every_feed import every_feed
    from bot.ingest import by_host

    if not home.settings.fetch:
        return [Finding(name="sources", verdict=Verdict.OK, says="FETCH is off: nothing is fetched")]
    statuses, ahead_s = await _known(home)
    known = {one.name: one for one in statuses}
    settings = home.settings
    every = every_feed(fred_key=settings.fred_api_key, sosovalue_key=settings.sosovalue_api_key)
    hosts = by_host(every)
    reached = dict(zip(hosts, await asyncio.gather(*(probe(host) for host in hosts)), strict=True))
    return [
        finding(
            host,
            [known[feed.name] for feed in ours if feed.name in known],
            home.now,
            reached[host],
            ahead_s=ahead_s.get(host, 0),
        )
        for host, ours in hosts.items()
    ]


async def _known(home: Home) -> tuple[list[FeedStatus], dict[str, int]]:
    """What the store says of every feed and of clocks that differ; nothing where there is no whole store to read."""
    file = sqlite.file_of(home.settings.database_url)
    if file is not None and state_of(file) is not State.CURRENT:
        return [], {}
    try:
        store = await Store.open(home.settings.database_url, readonly=True)
        try:
            async with store.read() as db:
                return await feeds.status(db), await clocks.differing(db)
        finally:
            await store.close()
    except Exception:  # damaged in a way that only shows while reading: the store's own check says so
        return [], {}


def finding(
    host: str,
    ours: Sequence[FeedStatus],
    now: datetime,
    reached: bool,  # noqa: FBT001 -- what the probe said
    *,
    ahead_s: int = 0,
) -> Finding:
    """How one host is doing, by what the store knows of its feeds and whether it answers now.

    ``ahead_s``: by how much its clock differed from ours when it last answered; 0 where it agrees.
    """
    name = f"source {host}"
    line = "reachable" if reached else "cannot be reached from here"
    network = "check this computer's network and firewall; some sources refuse some countries and clouds"
    tried = [one for one in ours if one.last_try_at is not None]
    if not tried:
        remedy = "start the bot, or leadline fetch" if reached else network
        return Finding(name=name, verdict=Verdict.WARN, says=f"{line}; nothing fetched yet", remedy=remedy)
    bad = [one for one in ours if one.state in {FeedState.FAILING, FeedState.STOPPED}]
    says = f"{line}; {len(ours) - len(bad)} of {len(ours)} series well; {_last(ours, now)}"
    if bad:
        worst = max(bad, key=lambda one: one.failures)
        says += f"; {worst.name} {worst.state}, {_newest(worst, now)}: {worst.reason}"
        says += f"; next try {_at(worst.next_try_at)}"
        remedy = (
            "nothing at once: it is tried again by itself; if it lasts, another source answers meanwhile, "
            "and the log has the reason"
        )
        return Finding(name=name, verdict=Verdict.WARN, says=says, remedy=remedy if reached else network)
    late = [one for one in ours if one.next_try_at is not None and one.next_try_at < now - OVERDUE]
    if late:
        says += f"; next try was due {_at(min(one.next_try_at or now for one in late))}"
        remedy = "nothing fetches: start the bot; if it runs, its log has the reason"
        return Finding(name=name, verdict=Verdict.WARN, says=says, remedy=remedy)
    if not reached:
        return Finding(name=name, verdict=Verdict.WARN, says=says, remedy=network)
    if ahead_s:
        says += f"; its clock is {abs(ahead_s)} s {'ahead of' if ahead_s > 0 else 'behind'} ours"
        remedy = "where several sources differ alike, set this computer's clock; where one does, nothing"
        return Finding(name=name, verdict=Verdict.WARN, says=says, remedy=remedy)
    aged = [(one.newest_at, one) for one in ours if one.newest_at is not None]
    if aged:
        _, oldest = min(aged, key=lambda pair: pair[0])
        says += f"; oldest: {oldest.name}, {_newest(oldest, now)}"
    return Finding(name=name, verdict=Verdict.OK, says=says)


def _last(ours: Sequence[FeedStatus], now: datetime) -> str:
    succeeded = [one.last_success_at for one in ours if one.last_success_at is not None]
    return f"last success {_ago(max(succeeded), now)}" if succeeded else "no success yet"


def _newest(one: FeedStatus, now: datetime) -> str:
    return "nothing stored" if one.newest_at is None else f"newest {_ago(one.newest_at, now)}"


def _ago(then: datetime, now: datetime) -> str:
    minutes = max(0, int((now - then).total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} min ago"
    return f"{minutes // 60} h ago" if minutes < 48 * 60 else f"{minutes // 1440} days ago"


def _at(then: datetime | None) -> str:
    return "unknown" if then is None else f"{then:%Y-%m-%d %H:%M} UTC"
