"""Base rates as the reports tell them: counted again from the shipped files, kept, and never without their cases."""

from __future__ import annotations

import csv
import gzip
import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from analysis.levels import Interval
from analysis.verdict import Verdict
from bot.clock import FixedClock
from bot.language import Speech
from bot.refresh import Refresh
from bot.reports import flows, levels, levels_kept, stress, stress_json
from bot.reports.flows import FlowsQuery
from bot.reports.levels import LevelsQuery
from bot.reports.shapes import Asked, Reply
from bot.reports.stress import StressQuery
from storage import bars, instruments, kept, new_bars
from storage.bars import BarRow
from storage.store import Db, Store

SELL_OFF = datetime(2026, 2, 5, 18, tzinfo=UTC)
LATER = datetime(2026, 2, 7, tzinfo=UTC)
SAMPLE = Path(levels.__file__).parents[2] / "storage" / "sample"
SPEECHES = [Speech("en", ZoneInfo("UTC")), Speech("zh-TW", ZoneInfo("Asia/Taipei"))]


def shipped(name: str) -> list[dict[str, str]]:
    with gzip.open(SAMPLE / f"{name}.csv.gz", "rb") as file:
        return list(csv.DictReader(io.TextIOWrapper(file, encoding="utf-8")))


async def levels_json(store: Store, at: datetime, interval: Interval = Interval.M30) -> dict[str, Any]:
    found = await levels.answer(LevelsQuery(interval=interval), Asked(store=store, at=at))
    return levels.as_json(found, at)


async def test_streaks_are_those_of_the_shipped_days(store: Store) -> None:
    result = await flows.answer(FlowsQuery(), Asked(store=store, at=SELL_OFF))
    rates = flows.as_json(result, SELL_OFF)["base_rates"]
    # By 5 February 18:00 the days to the 4th are out.
    days = [
        float(row["Total"])
        for row in shipped("btc_flows")
        if date.fromisoformat(row["date"]) <= date(2026, 2, 4)
    ]
    assert (rates["final_days"], rates["first"], rates["last"]) == (len(days), "2024-01-11", "2026-02-04")
    assert (rates["note"], rates["source"]) == ("base rate, not a forecast", result.source)
    runs = [(sign, len(list(run))) for sign, run in groupby(day > 0 for day in days if day != 0)]
    for told in rates["streaks"]:
        n, inflow = abs(told["streak"]), told["streak"] > 0
        reached = [length for sign, length in runs if sign == inflow and length >= n]
        went_on = sum(length > n for length in reached)
        # The last run is not over: of its last day nobody knows what follows.
        if runs[-1] == (inflow, n):
            reached.pop()
        if not reached:
            assert told["went_on"] is None
            continue
        assert (told["went_on"]["times"], told["went_on"]["cases"]) == (went_on, len(reached))
        assert told["went_on"]["chance"]["draws"] == 1000


async def test_reclaims_are_those_told_of_the_levels(store: Store) -> None:
    told = await levels_json(store, SELL_OFF)
    rates = told["base_rates"]
    prices = [
        (float(row["low"]), float(row["high"]))
        for row in shipped("btc_30m")
        if datetime.fromisoformat(row["open_time"]) + timedelta(minutes=30) <= SELL_OFF
    ]
    lowest, highest = min(low for low, _ in prices), max(high for _, high in prices)
    assert rates["range"] == {"low": lowest, "high": highest}
    assert (rates["bars"], rates["last"], rates["horizon_h"]) == (len(prices), "2026-02-05T18:00:00Z", 24)
    inside = [level for level in told["levels"] if lowest <= level["price"] <= highest]
    assert rates["levels"] == len(inside)
    begun = sum(event["to"] == "reclaiming" for level in inside for event in level["events"])
    # The last of them began long enough before for 8 more closes.
    assert [hold["stayed"]["cases"] for hold in rates["holds"]] == [begun] * 4
    reclaimed = sum(event["to"] == "reclaimed" for level in inside for event in level["events"])
    held_8 = rates["holds"][3]["kept"]["cases"]
    assert 0 < held_8 <= reclaimed
    assert [hold["walk_from_level_pct"] for hold in rates["holds"]] == [75.0, 62.5, 49.2188, 37.0941]


async def test_verdicts_began_when_they_stood(store: Store) -> None:
    at = datetime(2026, 2, 5, 23, tzinfo=UTC)
    result = await stress.answer(StressQuery(), Asked(store=store, at=at))
    rates = stress_json.as_json(result, at)["base_rates"]
    assert rates["last"] == result.session.isoformat()
    told = {one["verdict"]: one for one in rates["verdicts"]}
    # A spell ends when another begins: the verdicts begin as often as it changes, and in turns.
    assert result.verdict is Verdict.DELEVERAGING
    week_before = stress_json.as_json(
        await stress.answer(StressQuery(), Asked(store=store, at=at - timedelta(days=7))), at
    )["base_rates"]
    then = {one["verdict"]: one["began"] for one in week_before["verdicts"]}
    assert told["DELEVERAGING"]["began"] == then.get("DELEVERAGING", 0) + 1
    assert result.verdict_since > date.fromisoformat(week_before["last"])


def refreshing(store: Store, interval: Interval, at: datetime) -> Refresh:
    """Of one interval alone: each takes a process."""

    async def stamps(db: Db, at: datetime) -> dict[str, str]:
        told = await levels_kept.DERIVED.stamps(db, at)
        assert set(told) == {each.value for each in Interval}
        return {interval.value: told[interval.value]}

    return Refresh(store, FixedClock(at), (replace(levels_kept.DERIVED, stamps=stamps),))


@pytest.mark.parametrize("interval", [Interval.M30, Interval.D1])
async def test_what_is_kept_answers_like_what_is_counted(store: Store, interval: Interval) -> None:
    counted = await levels_json(store, LATER, interval)
    version = store.version
    await refreshing(store, interval, LATER).look()
    assert store.version == version
    async with store.read() as db:
        found = await kept.read(db, levels_kept.NAME, interval.value)
    assert found is not None
    assert await levels_json(store, LATER, interval) == counted
    # It is what is read: were it otherwise, so would the answer be, but not the one of an earlier instant.
    earlier = await levels_json(store, SELL_OFF - timedelta(days=3), interval)
    wrong = found.payload | {"times": [[0] * 9] * len(found.payload["times"])}
    async with store.write() as db:
        await kept.keep(db, replace(found, payload=wrong))
    changed = (await levels_json(store, LATER, interval))["base_rates"]["bounces"]
    assert changed["chance"]["pct"] == 0.0 != counted["base_rates"]["bounces"]["chance"]["pct"]
    assert await levels_json(store, SELL_OFF - timedelta(days=3), interval) == earlier


async def test_a_new_bar_is_counted(store: Store) -> None:
    await refreshing(store, Interval.M30, LATER).look()
    async with store.read() as db:
        before = await kept.read(db, levels_kept.NAME, "30m")
        series = await instruments.find(db, "BTC", Interval.M30, at=LATER)
        assert series is not None
        last = (await bars.closed(db, series, Interval.M30, at=LATER))[-1]
    row = BarRow(last.closed_at, last.closed_at + 1800, last.close, last.close, last.close, last.close, 1.0)
    at = LATER + timedelta(hours=1)
    async with store.write() as db:
        await new_bars.store(db, series, [row], source=series.source, now=at)
    await refreshing(store, Interval.M30, at).look()
    async with store.read() as db:
        after = await kept.read(db, levels_kept.NAME, "30m")
    assert before is not None
    assert after is not None
    assert (before.through, after.through) == (LATER, LATER + timedelta(minutes=30))
    assert before.stamp != after.stamp
    assert (await levels_json(store, at))["base_rates"]["last"] == "2026-02-07T00:30:00Z"
    # The answer as of the bar before is still made of the bars before.
    assert (await levels_json(store, LATER))["base_rates"]["last"] == "2026-02-07T00:00:00Z"


async def replies(store: Store, speech: Speech) -> list[Reply]:
    asked = Asked(store=store, at=SELL_OFF)
    return [
        levels.REPORT.say(await levels.answer(LevelsQuery(), asked), speech, SELL_OFF),
        flows.REPORT.say(await flows.answer(FlowsQuery(), asked), speech, SELL_OFF),
        stress.REPORT.say(await stress.answer(StressQuery(), asked), speech, SELL_OFF),
    ]


@pytest.mark.parametrize("speech", SPEECHES, ids=["en", "zh-TW"])
async def test_no_number_without_its_cases_interval_period_and_source(store: Store, speech: Speech) -> None:
    heading = f"**{speech._('Base rates, not a forecast')}**"
    counted = (
        r"\d+ of \d+, \d+ % \[\d+, \d+\]" if speech.locale == "en" else r"\d+ 次中 \d+ 次，\d+ % \[\d+, \d+\]"
    )
    nothing = speech._("{question}: no case yet").format(question="")
    for reply, source in zip(await replies(store, speech), ("Binance", "Farside", "Yahoo"), strict=True):
        assert not any(heading in line or "[" in line for line in reply.lines)
        place = reply.details.index(heading)
        period, *numbers = reply.details[place + 1 :]
        lines = [line for line in numbers if "%" in line and not line.startswith("-# ")]
        assert lines
        assert all(re.search(counted, line) or line.endswith(nothing) for line in lines)
        assert source in period
        assert "2026" in period
        assert "95 %" in period
        # Too long a card is cut at its end: nothing but base rates is lost, and none is left without its period.
        assert period.startswith(("-# Base rate, not a forecast: ", "-# 歷史頻率，不是預測："))


async def test_other_instruments_have_no_book_to_count(store: Store) -> None:
    found = await levels.answer(
        LevelsQuery(instrument="SI", interval=Interval.D1), Asked(store=store, at=LATER)
    )
    assert found.base_rates is None
    assert levels.as_json(found, LATER)["base_rates"] is None
