"""Consumer prices through the coordinator: known from the day of their release, which a shutdown moved."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from bot.every_feed import every_feed, named
from storage import macro
from storage.store import Store
from tests.feeds.conftest import Run
from tests.feeds.venues import utc
from tests.providers.loopback import Loopback, Reply

CPI = named(["fred:CPIAUCSL"], every_feed())
TABLE = b"observation_date,CPIAUCSL\n2025-09-01,324.245\n2025-10-01,\n2025-11-01,325.063\n"


async def known(store: Store, at: datetime) -> dict[date, datetime]:
    async with store.read() as db:
        return {row.dated: row.known_at for row in await macro.known(db, "CPIAUCSL", at=at)}


async def test_prices_fetched_long_after_are_known_from_their_release(
    store: Store, source: Loopback, run: Run
) -> None:
    source.always = Reply(body=TABLE, kind="text/csv")
    now = utc(2026, 2, 5, 18)
    await run(CPI, now, now + timedelta(minutes=1))
    # Not on the 15th of the month after, as usual: 24 October and 18 December 2025, 08:30 New York.
    assert await known(store, now) == {
        date(2025, 9, 1): datetime(2025, 10, 24, 12, 30, tzinfo=UTC),
        date(2025, 11, 1): datetime(2025, 12, 18, 13, 30, tzinfo=UTC),
    }
    assert await known(store, utc(2025, 10, 20)) == {}


async def test_a_figure_seen_before_its_release_was_expected_is_known_from_then(
    store: Store, source: Loopback, run: Run
) -> None:
    source.always = Reply(body=TABLE, kind="text/csv")
    early = utc(2025, 12, 18, 13)
    await run(CPI, early, early + timedelta(minutes=1))
    assert (await known(store, early))[date(2025, 11, 1)] == early
