"""Fund flows through the coordinator: when a day was known, what may not come back, who may not be mixed."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from structlog.testing import capture_logs

from bot.every_feed import every_feed, named
from storage import feeds, flows, quarantine
from storage.feeds import FeedState
from storage.flows import FlowDay, FlowState
from storage.store import Store
from tests.feeds.conftest import Run
from tests.feeds.venues import utc
from tests.providers import farside_pages
from tests.providers.loopback import HTML, Loopback, Reply
from tests.providers.test_sosovalue import answer

FARSIDE = named(["farside:BTC:flows"], every_feed())
SOSOVALUE = named(["sosovalue:BTC:flows"], every_feed())
EVENING, MORNING = utc(2026, 2, 6, 2, 10), utc(2026, 2, 6, 10, 10)
MINUTE = timedelta(minutes=1)
THURSDAY = date(2026, 2, 5)


def page(rows: list[list[str]]) -> Reply:
    return Reply(body=farside_pages.page([["Date", *farside_pages.BTC, "Total"]], rows), kind=HTML)


def days() -> list[list[str]]:
    return farside_pages.rows(farside_pages.BTC_ROWS)


def running_day() -> list[list[str]]:
    """In the evening most funds have not told yet; the total is of those that have."""
    return [*days()[:-1], ["05 Feb 2026", "-", "(109.5)", *["-"] * 9, "(109.5)"]]


async def known(store: Store, at: datetime, source: str) -> dict[date, FlowDay]:
    async with store.read() as db:
        return {day.trade_date: day for day in await flows.known(db, "BTC", at=at, source=source)}


async def test_a_day_is_known_from_when_it_was_seen(store: Store, source: Loopback, run: Run) -> None:
    source.always = page(running_day())
    await run(FARSIDE, EVENING, EVENING + MINUTE)
    source.always = page(days())
    await run(FARSIDE, MORNING, MORNING + MINUTE)
    before = await known(store, EVENING - MINUTE, "Farside Investors")
    assert THURSDAY not in before
    # What was told long ago is known from the morning after its day.
    assert before[date(2026, 2, 4)].known_at == utc(2026, 2, 5, 9)
    partial = (await known(store, EVENING, "Farside Investors"))[THURSDAY]
    assert (partial.state, partial.known_at) == (FlowState.PARTIAL, EVENING)
    assert partial.funds["FBTC"] == -109.5
    final = (await known(store, MORNING, "Farside Investors"))[THURSDAY]
    assert (final.state, final.total_musd, final.known_at) == (FlowState.FINAL, -434.1, MORNING)


async def test_a_table_that_lost_a_day_or_took_one_back_is_set_aside(
    store: Store, source: Loopback, run: Run
) -> None:
    source.always = page(days())
    await run(FARSIDE, MORNING, MORNING + MINUTE)
    good = await known(store, MORNING, "Farside Investors")
    later = MORNING + timedelta(hours=1)
    for wrong in (days()[:5] + days()[6:], [*days()[:5], [days()[5][0], *["-"] * 11, "0.0"], *days()[6:]]):
        source.always = page(wrong)
        with capture_logs() as logged:
            await run(FARSIDE, later, later + MINUTE)
        assert [line["event"] for line in logged] == ["an answer was set aside"]
        assert await known(store, later, "Farside Investors") == good
        later += timedelta(hours=2)
    async with store.read() as db:
        reasons = [one.reason for one in await quarantine.read(db, "farside:BTC:flows")]
        (told,) = await feeds.status(db)
    assert reasons == ["2026-01-26 was final and is not any more"] * 2
    assert (told.state, told.failures) == (FeedState.FAILING, 2)


async def test_a_revision_is_kept_beside_what_was_said_before(
    store: Store, source: Loopback, run: Run
) -> None:
    source.always = page(days())
    await run(FARSIDE, MORNING, MORNING + MINUTE)
    changed = days()
    changed[-1][1], changed[-1][-1] = "(157.2)", "(416.0)"
    source.always = page(changed)
    later = MORNING + timedelta(hours=1)
    with capture_logs() as logged:
        await run(FARSIDE, later, later + MINUTE)
    assert [line["days"] for line in logged if line["event"] == "flows were revised"] == [1]
    assert (await known(store, later - MINUTE, "Farside Investors"))[THURSDAY].total_musd == -434.1
    assert (await known(store, later, "Farside Investors"))[THURSDAY].total_musd == -416.0


async def test_two_publishers_stay_apart(store: Store, source: Loopback, run: Run) -> None:
    source.hosts = {"farside.co.uk": page(days()), "api.sosovalue.xyz": Reply(body=answer())}
    await run([*FARSIDE, *SOSOVALUE], MORNING, MORNING + MINUTE)
    farside = await known(store, MORNING, "Farside Investors")
    sosovalue = await known(store, MORNING, "SoSoValue")
    assert farside[THURSDAY].total_musd == -434.1
    assert len(farside) == 14
    assert sosovalue[THURSDAY].total_musd == -434.15
    assert sosovalue[THURSDAY].state is FlowState.FINAL
    assert len(sosovalue) == 6
