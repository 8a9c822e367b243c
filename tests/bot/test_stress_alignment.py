"""What is compared with what: prices of 16:00 New York while all seven markets have them, else daily closes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from math import exp
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from analysis import market_hours
from analysis.charts import stress as chart
from analysis.charts.look import Look
from analysis.closes import Alignment
from analysis.levels import Interval
from analysis.sessions import INSTRUMENTS
from analysis.stress import Stress
from analysis.verdict import Verdict
from bot.language import Speech
from bot.reports import stress, stress_words
from bot.reports.shapes import Asked
from bot.reports.stress import StressQuery
from storage import instruments, migrate, new_bars
from storage.bars import BarRow
from storage.store import Store

NEW_YORK = ZoneInfo("America/New_York")
VENUES = {"SI": "COMEX", "GC": "COMEX", "CL": "NYMEX", "ES": "CME", "NQ": "CME", "DXY": "ICE"}
STEP = 0.01
SPEECH = Speech("en", ZoneInfo("UTC"))


def dates(count: int) -> list[date]:
    """Trade dates from Tuesday 17 February 2026 on: over the change of clocks on 8 March and Good Friday."""
    found = [date(2026, 2, 17)]
    while len(found) < count:
        found.append(market_hours.next_trade_date(found[-1]))
    return found


def path(count: int, sign: int) -> list[float]:
    """100, then up by ``STEP`` and down again by turns, in logarithms; with a sign of -1 down and up."""
    return [100 * exp(sign * STEP * (step % 2)) for step in range(count)]


def bar(day: date, at: time, price: float, length: timedelta) -> BarRow:
    closed = int(datetime.combine(day, at, NEW_YORK).timestamp())
    return BarRow(closed - int(length.total_seconds()), closed, price, price, price, price, 1.0)


@pytest.fixture
async def empty(tmp_path: Path) -> AsyncIterator[Store]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'markets.db'}"
    await migrate.upgrade(url)
    opened = await Store.open(url)
    yield opened
    await opened.close()


async def fill(store: Store, *, sessions: int = 40, short: dict[str, int] | None = None) -> list[date]:
    """At 16:00 all move as bitcoin does; by the daily close everything else has done the opposite.

    ``short``: how many of the last prices of 16:00 a market lacks.
    """
    days = dates(sessions)
    half_hour = Interval.M30.length
    async with store.write() as db:
        for code in INSTRUMENTS:
            venue, symbol = ("Kraken", "BTC/USD") if code == "BTC" else (VENUES[code], code)
            together = list(zip(days, path(sessions, 1), strict=True))
            prints = [bar(day, time(16), price, half_hour) for day, price in together]
            prints = prints[: len(prints) - (short or {}).get(code, 0)]
            if code == "BTC":
                prints += [bar(day, time(17), price, half_hour) for day, price in together]
                prints.sort()
            else:
                series = await instruments.at_venue(db, venue, symbol, Interval.D1)
                apart = zip(days, path(sessions, -1), strict=True)
                rows = [bar(day, time(17), price, timedelta(hours=23)) for day, price in apart]
                await new_bars.store(db, series, rows, source=f"Yahoo {code}", now=datetime.now(UTC))
            series = await instruments.at_venue(db, venue, symbol, Interval.M30)
            await new_bars.store(db, series, prints, source=f"Live {code}", now=datetime.now(UTC))
    return days


def after(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), NEW_YORK).astimezone(UTC)


async def asked(store: Store, at: datetime) -> Stress:
    return await stress.answer(StressQuery(), Asked(store=store, at=at))


def figures(result: Stress) -> tuple[float, float, float]:
    """The S&P 500's move over the board, its z of five days and its correlation with bitcoin over 30 sessions."""
    [move] = [one for one in result.moves if one.instrument == "ES"]
    [week] = [one for one in result.contributions if one.instrument == "ES"]
    [pair] = [one for one in result.correlations if (one.instrument, one.window) == ("ES", 30)]
    return move.pct, week.z5, pair.correlation.r


# Of 40 prices the last is a step away from the one five sessions before: 100 (e^0.01 - 1). Every return is a
# step, so sigma is one, and five of them add up to one: 1 / sqrt 5. All alike, or all opposite.
AT_16 = (1.0050, 0.4472, 1.0)
AT_CLOSE = (-0.9950, -0.4472, -1.0)


async def test_with_prices_of_16_00_of_all_seven_they_are_compared(empty: Store) -> None:
    days = await fill(empty)
    result = await asked(empty, after(days[-1], 20))
    assert result.alignment is Alignment.PRINT
    assert figures(result) == pytest.approx(AT_16, abs=1e-4)
    told = stress.REPORT.as_json(result, after(days[-1], 20))
    assert told["alignment"] == "16:00 New York"
    assert (told["age_s"], told["freshness"]) == (4 * 3_600, "fresh")
    assert {one["source"] for one in told["inputs"]} == {f"Live {code}" for code in INSTRUMENTS}
    assert {one["closed_at"] for one in told["inputs"]} == {f"{days[-1]}T20:00:00Z"}
    reply = stress_words.say(result, SPEECH, after(days[-1], 20))
    assert reply.data_line.endswith("alignment: 16:00 New York")
    assert any("what all seven traded at, at 16:00 New York" in line for line in reply.details)
    foot = chart.compose(result, Look(), str).words[-1].text
    assert foot.endswith(" · alignment: all at 16:00 New York")


@pytest.mark.parametrize(
    ("sessions", "short"),
    # One market stopped a session ago; one has a price too few for a window of correlations.
    [(40, {"DXY": 1}), (30, {})],
)
async def test_else_daily_closes_are(empty: Store, sessions: int, short: dict[str, int]) -> None:
    days = await fill(empty, sessions=sessions, short=short)
    result = await asked(empty, after(days[-1], 23))
    assert result.alignment is Alignment.DAILY
    assert figures(result)[:2] == pytest.approx(AT_CLOSE[:2], abs=1e-4)
    if sessions > 30:
        assert figures(result)[2] == pytest.approx(AT_CLOSE[2])
    told = stress.REPORT.as_json(result, after(days[-1], 23))
    assert told["alignment"] == "daily close"
    assert told["inputs"][1]["source"] == "Yahoo SI"
    assert stress_words.say(result, SPEECH, after(days[-1], 23)).data_line.endswith("alignment: daily close")


async def test_thirty_one_prices_are_enough(empty: Store) -> None:
    days = await fill(empty, sessions=31)
    assert (await asked(empty, after(days[-1], 20))).alignment is Alignment.PRINT


async def test_between_the_print_and_the_close_the_day_already_counts(empty: Store) -> None:
    days = await fill(empty)
    assert (await asked(empty, after(days[-1], 16))).session == days[-1]
    assert (await asked(empty, after(days[-1], 16) - timedelta(seconds=1))).session == days[-2]


async def test_a_saturday_answers_with_friday_and_calls_the_market_closed(empty: Store) -> None:
    days = await fill(empty, sessions=38)
    friday = days[-1]
    assert friday.weekday() == 4
    at = after(friday + timedelta(days=1), 12)
    result = await asked(empty, at)
    assert (result.session, result.stale) == (friday, False)
    assert result.verdict is not Verdict.UNKNOWN
    told = stress.REPORT.as_json(result, at)
    assert {told["freshness"], *(one["freshness"] for one in told["inputs"])} == {"closed"}
    assert " · market closed · " in stress_words.say(result, SPEECH, at).data_line
    assert chart.compose(result, Look(), str).words[-1].text.endswith(" · market closed")
