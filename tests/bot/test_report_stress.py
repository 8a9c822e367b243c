"""The stress report from the store to words: no hindsight, and a sentence for every state of the inputs."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from analysis.correlation import Correlation
from analysis.dependence import Answer
from analysis.stress import Stress, View
from analysis.verdict import Verdict
from bot.card import TEXT_LIMIT
from bot.clock import FixedClock
from bot.language import Speech
from bot.refresh import Refresh
from bot.reports import stress, stress_kept
from bot.reports.shapes import Asked
from bot.reports.stress import StressQuery
from bot.reports.stress_words import say
from storage.store import Store

UTC_ZONE = ZoneInfo("UTC")
SPEECH, CHINESE = Speech("en", UTC_ZONE), Speech("zh-TW", ZoneInfo("Asia/Taipei"))
SELL_OFF = datetime(2026, 2, 6, 12, tzinfo=UTC)


async def asked(file: Path, at: datetime, query: StressQuery = StressQuery()) -> Stress:  # noqa: B008 -- frozen
    store = await Store.open(f"sqlite+aiosqlite:///{file}", readonly=True)
    try:
        return await stress.answer(query, Asked(store=store, at=at))
    finally:
        await store.close()


def forget(sample_file: Path, into: Path, condition: str, *values: object) -> Path:
    shutil.copy(sample_file, into)
    with closing(sqlite3.connect(into)) as db, db:
        db.execute(f"DELETE FROM bars WHERE {condition}", values)
    return into


OF = "instrument_id IN (SELECT id FROM instruments WHERE code = ?)"


async def test_forgetting_all_that_came_later_changes_nothing(sample_file: Path, tmp_path: Path) -> None:
    chance = random.Random(5)  # noqa: S311 -- repeatable instants, nothing secret
    first = datetime(2025, 3, 1, tzinfo=UTC)
    span = (datetime(2026, 2, 7, tzinfo=UTC) - first).total_seconds()
    instants = [first + timedelta(seconds=chance.uniform(0, span)) for _ in range(3)]
    # At the close itself, and a second before it.
    instants += [datetime(2026, 2, 5, 22, tzinfo=UTC), datetime(2026, 2, 5, 21, 59, 59, tzinfo=UTC)]
    for at in instants:
        file = forget(sample_file, tmp_path / "then.db", "closed_at > ?", at.timestamp())
        with_hindsight, then = await asked(sample_file, at), await asked(file, at)
        assert stress.REPORT.as_json(with_hindsight, at) == stress.REPORT.as_json(then, at)
        assert stress.REPORT.as_table(with_hindsight) == stress.REPORT.as_table(then)
        assert all(one.last is None or one.last.closed_at <= at for one in with_hindsight.inputs)


async def test_bitcoin_is_read_at_17_of_new_york_in_summer_and_winter(sample_file: Path) -> None:
    for day, hour in ((date(2025, 7, 15), 21), (date(2026, 1, 15), 22)):
        at = datetime(day.year, day.month, day.day, 23, tzinfo=UTC)
        result = await asked(sample_file, at)
        [bitcoin] = [one for one in result.inputs if one.instrument == "BTC"]
        assert bitcoin.last is not None
        assert bitcoin.last.date == day
        assert bitcoin.last.closed_at == datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


async def test_without_the_dollar_it_refuses_and_still_shows_the_board(
    sample_file: Path, tmp_path: Path
) -> None:
    file = forget(
        sample_file, tmp_path / "no.db", f"{OF} AND closed_at > ?", "DXY", SELL_OFF.timestamp() - 86_400
    )
    result = await asked(file, SELL_OFF)
    told = stress.REPORT.as_json(result, SELL_OFF)
    assert (told["verdict"], told["missing"]) == ("UNKNOWN", ["DXY"])
    assert told["reasons"] == ["no 2026-02-05 close of Dollar index (last 2026-02-04)"]
    assert len(told["moves"]) == 7
    [dollar] = [one for one in told["inputs"] if one["instrument"] == "DXY"]
    assert (dollar["date"], dollar["freshness"]) == ("2026-02-04", "late")
    reply = say(result, SPEECH, SELL_OFF)
    assert reply.lines[0] == (
        "**Market stress: UNKNOWN** · no 5 Feb 2026 close of Dollar index (last 4 Feb 2026)"
    )
    assert "Bitcoin −" in reply.lines[1]
    assert "Dollar index" not in reply.lines[1]  # its move is not to that close
    assert reply.lines[2].startswith("A verdict needs four of bitcoin, silver, gold")
    assert "without Dollar index" in reply.data_line
    assert any(line.endswith("last close 4 Feb 2026") for line in reply.details)


async def test_a_market_that_was_never_stored(sample_file: Path, tmp_path: Path) -> None:
    result = await asked(forget(sample_file, tmp_path / "no.db", OF, "GC"), SELL_OFF)
    assert result.verdict is Verdict.RISK_OFF_UNCLEAR
    reply = say(result, SPEECH, SELL_OFF)
    assert "Judged without: no close of Gold" in reply.details
    assert "Skipped in DELEVERAGING: H is not known" in reply.details
    assert (
        "Skipped: the shift of the absorption ratio needs 500 closes, so ROTATION is judged without it"
        in reply.details
    )
    assert "Skipped in FLIGHT TO SAFETY: H is not known" in reply.details
    assert "Gold: no close then" in reply.details
    assert "-# Gold: no close" in reply.details
    assert "DELEVERAGING: R −2.89 ≤ −1 ✓ · D +1.74 ≥ 0.5 ✓ · H – ≤ 0 ✗" in reply.details


async def test_three_lines_and_all_the_reasons(sample_file: Path) -> None:
    result = await asked(sample_file, SELL_OFF, StressQuery(since=date(2026, 1, 28)))
    reply = say(result, SPEECH, SELL_OFF)
    moved = [
        "Bitcoin −29.3", "Silver −32.3", "Gold −8.3", "S&P 500 −2.7", "Nasdaq 100 −5.8", "Dollar index +1.4",
        "WTI oil +0.1",
    ]  # fmt: skip
    board = " · ".join(f"{move}\N{NO-BREAK SPACE}%" for move in moved)
    verdict, told, why = reply.lines
    assert verdict == "**Market stress: DELEVERAGING** since the close of 4 Feb 2026"
    assert told == f"From the close of 28 Jan 2026 to that of 5 Feb 2026: {board}"
    assert why == (
        "Five days: Bitcoin −4.1σ · Silver −1.8σ · Gold −1.2σ · S&P 500 −1.7σ · Dollar index +1.7σ; "
        "Gold closing above 5,318.40 (0.0σ) would by that close alone have been RISK-OFF, UNCLEAR"
    )
    for line in (
        "Silver: 113.11 → 76.53 · −32.3\N{NO-BREAK SPACE}% · −1.6σ",
        "R −2.9σ = mean of bitcoin −4.1σ and S&P 500 −1.7σ",
        "Shown, without a vote: Nasdaq 100 −2.3σ · WTI oil −0.6σ",
        "DELEVERAGING: R −2.89 ≤ −1 ✓ · D +1.74 ≥ 0.5 ✓ · H −1.16 ≤ 0 ✓",
        "30 days: whether bitcoin moves more with the S&P 500 or with gold cannot be told (p 0.088)",
        "90 days: bitcoin moves with the S&P 500 more than with gold (p < 0.001)",
        "90 days: “inverse to the dollar” is not in the data, its interval does not lie below 0",
    ):
        assert line in reply.details, line
    assert reply.data_line == (
        "Binance spot, BTCUSDT · Yahoo Finance · closed 5 Feb 22:00 UTC · 14 h old · fresh · alignment: daily close"
        " · sample, ends 2026-02-06"
    )
    # Its own five days were calmer on the 4th: the S&P 500 alone was under one sigma, which is said.
    quiet = "-# The S&P 500 alone moved less than 1σ in those five days."
    before = await asked(sample_file, datetime(2026, 2, 5, 18, tzinfo=UTC))
    assert quiet in say(before, SPEECH, SELL_OFF).details
    assert quiet not in reply.details


@pytest.mark.parametrize("speech", [SPEECH, CHINESE])
async def test_details_fit_into_one_message(sample_file: Path, speech: Speech) -> None:
    reply = say(await asked(sample_file, SELL_OFF), speech, SELL_OFF)
    assert len("\n".join((*reply.details, "-# " + reply.data_line))) <= TEXT_LIMIT


async def test_resistance_is_never_meant(sample_file: Path) -> None:
    reply = say(await asked(sample_file, SELL_OFF), CHINESE, SELL_OFF)
    text = "\n".join((*reply.lines, *reply.details, reply.data_line))
    assert "市場壓力" in text
    assert text.count("壓力") == text.count("市場壓力")


async def test_a_verdict_that_one_close_alone_contradicts(sample_file: Path) -> None:
    # 3 February is the first close that finds a deleveraging; only the 4th makes it stand.
    result = await asked(sample_file, datetime(2026, 2, 4, 12, tzinfo=UTC))
    assert result.latest is not result.verdict
    first = say(result, SPEECH, SELL_OFF).lines[0]
    assert first.endswith(f"the last close alone: {result.latest.value}")
    assert stress.REPORT.as_json(result, SELL_OFF)["last_close_alone"] == result.latest.value


async def test_correlations_that_say_something_else(sample_file: Path) -> None:
    result = await asked(sample_file, SELL_OFF)

    def told(code: str, r: float) -> str:
        low, high = r - 0.1, r + 0.1
        pairs = tuple(
            replace(pair, correlation=Correlation(r=r, low=low, high=high, n=90))
            if (pair.instrument, pair.window) == (code, 90)
            else pair
            for pair in result.correlations
        )
        return "\n".join(say(replace(result, correlations=pairs), SPEECH, SELL_OFF).details)

    assert "90 days: “inverse to the dollar” is in the data, all of its interval lies below 0" in told(
        "DXY", -0.3
    )
    [_, long] = result.nearer
    other = replace(long, comparison=replace(long.comparison, answer=Answer.NO, p=0.02))
    assert (
        "90 days: bitcoin moves with gold more than with the S&P 500 (p 0.020)"
        in say(replace(result, nearer=(other,)), SPEECH, SELL_OFF).details
    )
    few = replace(result, correlations=result.correlations[:1])
    assert "inverse" not in "\n".join(say(few, SPEECH, SELL_OFF).details)


async def test_a_day_without_a_board(sample_file: Path) -> None:
    result = await asked(sample_file, SELL_OFF, StressQuery(since=date(2020, 1, 1)))
    reply = say(result, SPEECH, SELL_OFF)
    assert reply.lines[1] == "No market has a close both then and now."
    assert result.verdict is Verdict.DELEVERAGING
    # A Sunday is the close of the Friday before.
    sunday = await asked(sample_file, SELL_OFF, StressQuery(since=date(2026, 2, 1)))
    assert say(sunday, SPEECH, SELL_OFF).details[1].endswith("from the close of 30 Jan 2026")


def test_words_and_back() -> None:
    now = datetime(2026, 2, 6, tzinfo=UTC)
    for typed, since in (({}, None), ({"since": " "}, None), ({"since": "1/28"}, date(2026, 1, 28))):
        query = stress.read(typed, now)
        assert query == StressQuery(since=since)
        assert stress.read(stress.write(query), now) == query


async def test_stale_closes_are_shown_and_not_judged(sample_file: Path) -> None:
    now = datetime(2026, 2, 20, 12, tzinfo=UTC)
    reply = say(await asked(sample_file, now), SPEECH, now)
    stale = "the last New York closes are of 6 Feb 2026, too old to judge"
    assert reply.lines[0] == f"**Market stress: UNKNOWN** · {stale}"
    assert reply.lines[1].startswith("From the close of 30 Jan 2026 to that of 6 Feb 2026: Bitcoin −")
    assert reply.lines[2] == "The board is of that close; nothing is judged from it."
    assert f"Judged without: {stale}" not in reply.details
    assert " · 13 days old · stale · " in reply.data_line


@pytest.mark.parametrize("view", View)
async def test_every_view_is_whole_in_both_languages(sample_file: Path, view: View) -> None:
    result = await asked(sample_file, SELL_OFF, StressQuery(view=view))
    for speech in (SPEECH, CHINESE):
        reply = say(result, speech, SELL_OFF)
        assert reply.lines[0].startswith(("**Market stress: DELEVERAGING**", "**市場壓力：去槓桿**"))
        assert all(reply.lines)
        assert len("\n".join((*reply.details, "-# " + reply.data_line))) < TEXT_LIMIT
        assert len("\n".join(reply.lines)) < 600
    typed = stress.write(StressQuery(view=view))
    assert stress.read(typed, SELL_OFF) == StressQuery(view=view)


async def test_what_the_views_say_of_the_fall(sample_file: Path) -> None:
    index = say(await asked(sample_file, SELL_OFF, StressQuery(view=View.INDEX)), SPEECH, SELL_OFF)
    percent = "\N{NO-BREAK SPACE}%"
    assert index.lines[1] == (
        f"Stress index 0.22 of 1, percentile 88 of 318 closes; most of it crypto 38{percent} · metals 27{percent}"
    )
    assert index.lines[2] == (
        "5 Feb 2026 was unusual, in its sizes and in what moved with what: turbulence 7.1 (1 is usual), "
        f"percentile 98 of 478 closes; most of it Bitcoin 78{percent} · Silver 30{percent}"
    )
    assert "0.220 = crypto 0.083 + shares 0.007 + metals 0.060 + dollar 0.031 + energy 0.038" in index.details
    assert "= sizes alone 6.87 × pattern 1.04 (above 1: unusual for these sizes)" in index.details
    pairs = say(await asked(sample_file, SELL_OFF, StressQuery(view=View.CORRELATION)), SPEECH, SELL_OFF)
    assert pairs.lines[1] == (
        "Does bitcoin move with the S&P 500 more than with gold? 90 days: yes · 30 days: not distinguishable"
    )
    assert pairs.lines[2].startswith("Correlation over 90 days: S&P 500 +0.54 [+0.37, +0.67] · Gold +0.09")
    # Silver settles at 13:25 New York: what bitcoin does later that day is in silver's next one.
    silver = next(line for line in pairs.details if line.startswith("Silver: ") and "neighbours" in line)
    assert silver == (
        "Silver: 30 days +0.05 [−0.09, +0.20], with neighbours +0.30 [+0.09, +0.50] · "
        "90 days +0.07 [−0.04, +0.18], with neighbours +0.26 [+0.07, +0.45]"
    )
    history = say(await asked(sample_file, SELL_OFF, StressQuery(view=View.HISTORY)), SPEECH, SELL_OFF)
    assert history.lines[2] == (
        f"One common factor explains 34{percent} of the moves of six markets, percentile 15 of 269 closes; "
        "−1.4σ against its year: not fragile"
    )


async def test_betas_where_there_are_few_or_none(sample_file: Path) -> None:
    result = await asked(sample_file, SELL_OFF, StressQuery(view=View.CORRELATION))
    [short, *_] = result.betas
    few = say(replace(result, betas=(replace(short, summed=None),)), SPEECH, SELL_OFF).details
    assert "Silver: 30 days +0.05 [−0.09, +0.20]" in few
    none = say(replace(result, betas=()), SPEECH, SELL_OFF).details
    assert not [line for line in none if line.startswith("**Beta")]
    table = {row[0]: row for row in stress.REPORT.as_table(replace(result, view=View.BOARD))}
    place = table["instrument"].index("beta_90")
    assert table["instrument"][place : place + 8] == [
        "beta_90", "beta_low_90", "beta_high_90", "beta_n_90",
        "neighbours_beta_90", "neighbours_beta_low_90", "neighbours_beta_high_90", "neighbours_beta_n_90",
    ]  # fmt: skip
    stocks = next(one for one in result.betas if (one.instrument, one.window) == ("ES", 90))
    assert stocks.summed is not None
    assert table["ES"][place : place + 8] == [
        round(value, 4)
        for one in (stocks.same_day, stocks.summed)
        for value in (one.beta, one.low, one.high, one.n)
    ]
    assert table["BTC"][place : place + 8] == [None] * 8


async def test_sentences_for_every_state_of_the_measures(sample_file: Path) -> None:
    result = await asked(sample_file, SELL_OFF, StressQuery(view=View.INDEX))
    deep = result.depth
    assert deep is not None
    assert deep.turbulence is not None
    assert deep.turbulence_standing is not None
    assert deep.absorption is not None

    def told(**changed: object) -> str:
        reply = say(replace(result, depth=replace(deep, **changed)), SPEECH, SELL_OFF)  # type: ignore[arg-type]
        return "\n".join((*reply.lines, *reply.details))

    calm = told(turbulence_standing=replace(deep.turbulence_standing, percentile=75.0))
    assert "5 Feb 2026 was a usual day: turbulence 7.1 (1 is usual), percentile 75 of 478 closes" in calm
    sized = told(turbulence=replace(deep.turbulence, correlation=1.0, odds=None, days=52))
    assert "5 Feb 2026 was unusual, by its sizes: turbulence 7.1" in sized
    assert "Judged by the 52 days before, too few for odds: their covariance is shrunk" in sized
    assert "up +1.2σ against its year: fragile" in told(absorption=replace(deep.absorption, shift=1.2))
    assert "no year of it to compare with yet" in told(absorption=replace(deep.absorption, shift=None))
    nothing = told(index=None, turbulence=None, absorption=None)
    assert "Stress index: needs 203 closes of all its markets, the last among them" in nothing
    assert "Turbulence: needs 42 closes of all six markets, the last two among them" in nothing
    assert "One common factor: needs 251 closes of all six markets, the last among them" in nothing
    bare = say(replace(result, depth=None, nearer=(), view=View.CORRELATION), SPEECH, SELL_OFF)
    assert bare.lines[1].endswith("Too few closes to tell.")


async def test_depth_knows_nothing_that_came_later(sample_file: Path, tmp_path: Path) -> None:
    """At random instants the whole history is that of a store which ends there, with and without a kept one."""
    chance = random.Random(9)  # noqa: S311 -- repeatable instants, nothing secret
    first = datetime(2024, 10, 1, tzinfo=UTC)
    span = (datetime(2026, 2, 7, tzinfo=UTC) - first).total_seconds()
    instants = [first + timedelta(seconds=chance.uniform(0, span)) for _ in range(4)]
    instants.append(datetime(2026, 2, 5, 22, tzinfo=UTC))
    kept = tmp_path / "kept.db"
    shutil.copy(sample_file, kept)
    store = await Store.open(f"sqlite+aiosqlite:///{kept}")
    await Refresh(store, FixedClock(SELL_OFF), [stress_kept.DERIVED]).look()
    await store.close()
    query = StressQuery(view=View.HISTORY)
    for at in instants:
        file = forget(sample_file, tmp_path / "then.db", "closed_at > ?", at.timestamp())
        then = stress.REPORT.as_json(await asked(file, at, query), at)
        assert stress.REPORT.as_json(await asked(sample_file, at, query), at) == then
        assert stress.REPORT.as_json(await asked(kept, at, query), at) == then
    assert then["history"]["index"][-1] == ["2026-02-05", 0.2198]
