"""The levels report from the store to words: nothing known later leaks in, and every state has its sentence."""

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

from analysis.charts import level_words as chart_words
from analysis.charts.look import Look
from analysis.errors import UserError
from analysis.levels import Event, Interval, Level, Levels, LevelState, State
from bot.language import Speech
from bot.reports import level_words, levels
from bot.reports.levels import LevelsQuery
from bot.reports.shapes import Asked
from storage.store import Store

SPEECH = Speech("en", ZoneInfo("UTC"))
SELL_OFF = datetime(2026, 2, 5, 18, tzinfo=UTC)


async def asked(file: Path, query: LevelsQuery, at: datetime) -> Levels:
    store = await Store.open(f"sqlite+aiosqlite:///{file}", readonly=True)
    try:
        return await levels.answer(query, Asked(store=store, at=at))
    finally:
        await store.close()


@pytest.mark.parametrize("interval", list(Interval))
async def test_forgetting_all_that_came_later_changes_nothing(
    sample_file: Path, tmp_path: Path, interval: Interval
) -> None:
    chance = random.Random(interval.value)  # noqa: S311 -- repeatable instants, nothing secret
    first = datetime(2025, 10, 1, tzinfo=UTC)
    span = (datetime(2026, 2, 7, tzinfo=UTC) - first).total_seconds()
    instants = [first + timedelta(seconds=chance.uniform(0, span)) for _ in range(3)]
    # On a boundary a bar counts as closed; one second before it does not.
    instants += [datetime(2026, 2, 1, 12, tzinfo=UTC), datetime(2026, 2, 1, 11, 59, 59, tzinfo=UTC)]
    for at in instants:
        file = tmp_path / "then.db"
        shutil.copy(sample_file, file)
        with closing(sqlite3.connect(file)) as db, db:
            for table in ("bars", "daily_rollups"):
                db.execute(f"DELETE FROM {table} WHERE closed_at > ?", [at.timestamp()])
        query = LevelsQuery(interval=interval, auto=True)
        with_hindsight, then = await asked(sample_file, query, at), await asked(file, query, at)
        assert levels.as_json(with_hindsight, at) == levels.as_json(then, at)
        assert levels.as_table(with_hindsight) == levels.as_table(then)
        assert with_hindsight.price_at <= at


async def test_the_window_counts_back_from_the_last_bar(sample_file: Path) -> None:
    week = await asked(sample_file, LevelsQuery(), SELL_OFF)
    assert len(week.candles.opened_at) == 7 * 48
    assert len((await asked(sample_file, LevelsQuery(bars=20), SELL_OFF)).candles.opened_at) == 20
    year = await asked(sample_file, LevelsQuery(interval=Interval.D1), SELL_OFF)
    # 31 August is not a complete day in the sample: it begins at 09:00.
    assert datetime.fromtimestamp(int(year.candles.opened_at[0]), UTC) == datetime(2025, 9, 1, tzinfo=UTC)


async def test_a_price_of_long_ago_is_called_stale_before_it_is_told(sample_file: Path) -> None:
    """30-minute bars are stale after six of them: the last one closed on 7 February at 00:00 UTC."""
    end = datetime(2026, 2, 7, tzinfo=UTC)
    for later, first in (
        (timedelta(hours=3), "**BTC 70,544**"),
        (timedelta(hours=3, seconds=1), "⚠ **stale, 3 h old** · **BTC 70,544**"),
        (timedelta(days=211), "⚠ **stale, 211 days old** · **BTC 70,544**"),
    ):
        result = await asked(sample_file, LevelsQuery(), end + later)
        assert level_words.say(result, Speech("en", ZoneInfo("UTC")), end + later).lines[0].startswith(first)
    assert (
        level_words.say(result, Speech("zh-TW", ZoneInfo("UTC")), end + later)
        .lines[0]
        .startswith("⚠ **過時，211 天前** · **BTC 70,544**")
    )


def standing(
    state: State,
    *,
    since: datetime | None,
    held: int | None = None,
    needed: int | None = None,
    failed: State | None = None,
) -> LevelState:
    """``since``: when it turned; ``failed``: what it tried in the half hour after that, in vain."""
    before = {State.BROKEN: State.BREAKING, State.RECLAIMED: State.RECLAIMING}.get(state, State.RECLAIMING)
    told = [] if since is None else [(since, before, state)]
    if failed is not None:
        told.append((AT_NOON + timedelta(minutes=30), failed, state))
    return LevelState(
        level=Level(price=73_600.0, label="near the March 2024 high"),
        state=state,
        since=since,
        first_close_below=None,
        distance_pct=-10.0,
        distance_atr=-2.0,
        bars_held=held,
        bars_needed=needed,
        invalidation=73_526.4,
        retested_at=None,
        events=tuple(
            Event(time=time, opened_at=time - timedelta(minutes=30), before=before, after=after)
            for time, before, after in told
        ),
    )


AT_NOON = datetime(2026, 2, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        (
            standing(State.BREAKING, since=None, held=1, needed=2),
            "73,600 is breaking: 1/2 closes below it; a close above 73,526 ends that",
        ),
        (
            standing(State.BROKEN, since=AT_NOON, failed=State.RECLAIMING),
            (
                "73,600 broken since 4 Feb 12:00 UTC; to turn it must be reclaimed and held: 0/8 bars"
                " · reclaim failed 4 Feb 12:30 UTC"
            ),
        ),
        (
            replace(standing(State.BROKEN, since=None, failed=State.RECLAIMING), since=AT_NOON),
            "73,600 is broken; to turn it must be reclaimed and held: 0/8 bars · reclaim failed 4 Feb 12:30 UTC",
        ),
        (
            replace(standing(State.ABOVE, since=None, failed=State.BREAKING), since=AT_NOON),
            "73,600 holds; a close below 73,526 would start a break · break failed 4 Feb 12:30 UTC",
        ),
        (
            standing(State.BROKEN, since=AT_NOON),
            "73,600 broken since 4 Feb 12:00 UTC; to turn it must be reclaimed and held: 0/8 bars",
        ),
        (standing(State.BROKEN, since=None), "73,600 lies above the price and was never broken here"),
        (
            standing(State.RECLAIMING, since=AT_NOON, held=3, needed=8),
            "73,600 is being reclaimed: held 3/8 bars; a close below 73,526 ends that",
        ),
        (
            standing(State.RECLAIMED, since=AT_NOON),
            "73,600 reclaimed and held since 4 Feb 12:00 UTC; a close below 73,526 ends that",
        ),
        (standing(State.ABOVE, since=None), "73,600 holds; a close below 73,526 would start a break"),
        (
            standing(State.ABOVE, since=AT_NOON),
            "73,600 holds since 4 Feb 12:00 UTC; a close below 73,526 would start a break",
        ),
        (
            replace(standing(State.ABOVE, since=None), distance_pct=10.0),
            "The price is below 73,600, but no bar has closed below 73,526, which would start a break",
        ),
        (standing(State.UNKNOWN, since=None), "73,600: not enough bars to judge"),
    ],
)
def test_every_state_has_its_sentence(item: LevelState, sentence: str) -> None:
    assert level_words.state_sentence(item, SPEECH, newest=AT_NOON) == sentence


def test_another_year_is_named() -> None:
    item = standing(State.ABOVE, since=AT_NOON)
    told = level_words.state_sentence(item, SPEECH, newest=AT_NOON.replace(year=2027))
    assert told == "73,600 holds since 4 Feb 2026 12:00 UTC; a close below 73,526 would start a break"


@pytest.mark.parametrize("locale", ["en", "zh-TW"])
async def test_details_fit_a_message_and_drop_only_what_they_say(sample_file: Path, locale: str) -> None:
    """Automatic levels over seven weeks: more happens than a message takes; the base rates stay whole."""
    at = datetime(2026, 2, 5, 18, tzinfo=UTC)
    query = LevelsQuery(interval=Interval.H1, since=date(2025, 12, 15), auto=True)
    result = await asked(sample_file, query, at)
    reply = level_words.say(result, Speech(locale, ZoneInfo("Asia/Taipei")), at)
    assert len("\n".join((*reply.details, "-# " + reply.data_line))) <= 4000
    [(place, earlier)] = [(n, line) for n, line in enumerate(reply.details) if line.startswith("…")]
    dropped = int("".join(filter(str.isdigit, earlier)))
    shown = [
        line for line in reply.details[place + 1 :] if " · " in line and "[" not in line and line[0].isdigit()
    ]
    opened = datetime.fromtimestamp(int(result.candles.opened_at[0]), UTC)
    happened = sum(event.time > opened for item in result.levels for event in item.events)
    happened += sum(item.first_close_below is not None for item in result.levels)
    assert dropped + len(shown) == happened
    assert sum("[" in line for line in reply.details) == 6


async def test_the_line_that_decides(sample_file: Path) -> None:
    result = await asked(sample_file, LevelsQuery(), SELL_OFF)
    nearest_above = level_words.deciding(result)
    assert nearest_above is not None
    assert nearest_above.level.price == 73_600
    moving = standing(State.RECLAIMING, since=AT_NOON, held=3, needed=8)
    in_motion = level_words.deciding(
        replace(result, levels=(*result.levels, replace(moving, distance_pct=26.0)))
    )
    assert in_motion is not None
    assert in_motion.state is State.RECLAIMING
    assert level_words.deciding(replace(result, levels=())) is None


async def test_a_level_above_the_price_that_no_close_has_broken_yet(sample_file: Path) -> None:
    # The day's bar of 5 February was still open: the last close was above 72,689, the price long below.
    daily = await asked(sample_file, LevelsQuery(interval=Interval.D1), SELL_OFF)
    reply = level_words.say(daily, SPEECH, SELL_OFF)
    assert reply.lines[2] == (
        "The price is below 73,600, but no bar has closed below 72,689, which would start a break"
    )
    assert any(
        line.startswith("73,600 (near the March 2024 high): price below, no break yet")
        for line in reply.details
    )
    assert any(line.startswith("56,100 (fourth layer): price above") for line in reply.details)
    assert chart_words.alt(daily, Look(), str).endswith("Nearest level 73,600: price below, no break yet.")
    [level] = [item for item in levels.as_json(daily, SELL_OFF)["levels"] if item["price"] == 73_600]
    assert level["state"] == "above"


async def test_volumes_of_bars_made_from_shorter_ones_have_no_tail(sample_file: Path) -> None:
    header, *rows = levels.as_table(await asked(sample_file, LevelsQuery(interval=Interval.H4), SELL_OFF))
    volume = header.index("volume_BTC")
    assert all(len(str(row[volume]).partition(".")[2]) <= 8 for row in rows)


async def test_details_tell_what_happened_in_order(sample_file: Path) -> None:
    query = LevelsQuery(since=datetime(2026, 1, 28, tzinfo=UTC).date())
    reply = level_words.say(await asked(sample_file, query, SELL_OFF), SPEECH, SELL_OFF)
    heading = reply.details.index("**What happened, in order**")
    happened = [line for line in reply.details[heading + 1 :] if " UTC · " in line]
    assert happened[0] == "29 Jan 19:00 UTC · first close below 83,500 in this window"
    assert "1 Feb 15:30 UTC · first close below 77,000 in this window" in happened
    assert happened[-1] == "4 Feb 21:30 UTC · 73,600: the reclaim failed"
    # Counted by hand: 6 events of 83,500, 10 of 77,000 and 6 of 73,600 by then, and three first closes below.
    assert len(happened) == 6 + 10 + 6 + 3


@pytest.mark.parametrize(
    ("later", "word"),
    [(timedelta(), "fresh"), (timedelta(minutes=61), "late"), (timedelta(hours=4), "stale")],
)
async def test_the_data_line_tells_source_time_age_and_state(
    sample_file: Path, later: timedelta, word: str
) -> None:
    now = SELL_OFF + later
    line = level_words.say(await asked(sample_file, LevelsQuery(), SELL_OFF), SPEECH, now).data_line
    source, closed, _age, state, note = line.split(" · ")
    assert source == "Binance USD-M, BTCUSDT perpetual"
    assert closed == "closed 5 Feb 18:00 UTC"
    assert (state, note) == (word, "sample, ends 2026-02-06")


async def test_automatic_levels_are_on_request_and_marked_in_every_form(sample_file: Path) -> None:
    plain, auto = [await asked(sample_file, LevelsQuery(auto=wanted), SELL_OFF) for wanted in (False, True)]
    assert all(level["automatic"] is False for level in levels.as_json(plain, SELL_OFF)["levels"])
    marked = [level for level in levels.as_json(auto, SELL_OFF)["levels"] if level["automatic"]]
    assert 1 <= len(marked) <= 4
    assert all(level["touches"] >= 3 and 0 < level["score"] <= 1 and level["label"] == "" for level in marked)
    assert len(auto.levels) == len(plain.levels) + len(marked)
    header = levels.as_table(auto)[0]
    assert [name for name in header if str(name).endswith("_automatic")] == [
        f"state_{level['price']:g}_automatic" for level in marked
    ]
    reply = level_words.say(auto, SPEECH, SELL_OFF)
    for level in marked:
        assert any(
            line.startswith(f"{level['price']:,.0f} (automatic, {level['touches']} touches): ")
            for line in reply.details
        )
    assert any(line.startswith("-# Automatic: nobody chose these prices.") for line in reply.details)
    chinese = level_words.say(auto, Speech("zh-TW", ZoneInfo("UTC")), SELL_OFF)
    assert sum("（自動，觸及 " in line for line in chinese.details) == len(marked)


@pytest.mark.parametrize(("typed", "auto"), [({}, False), ({"auto": "yes"}, True), ({"auto": "no"}, False)])
def test_auto_is_read_and_written(typed: dict[str, str], auto: bool) -> None:
    query = levels.read(typed, SELL_OFF)
    assert query.auto is auto
    assert levels.read(levels.write(query), SELL_OFF) == query
    with pytest.raises(UserError, match="not a choice for auto"):
        levels.read({"auto": "maybe"}, SELL_OFF)


async def test_an_interval_nobody_asked_for(sample_file: Path) -> None:
    assert levels.read({}, SELL_OFF).interval is Interval.M30
    silver = levels.read({"instrument": "si"}, SELL_OFF)
    assert silver == LevelsQuery(instrument="SI", interval=None)
    assert levels.read(levels.write(silver), SELL_OFF) == silver
    found = await asked(sample_file, silver, SELL_OFF)
    assert (found.interval, found.price_interval) == (Interval.D1, Interval.D1)
    assert len(found.candles.opened_at) == len(
        (await asked(sample_file, replace(silver, interval=Interval.D1), SELL_OFF)).candles.opened_at
    )
    assert levels.REPORT.settled(silver, found) == replace(silver, interval=Interval.D1)
    # Where 30 minutes are known they answer.
    found = await asked(sample_file, LevelsQuery(interval=None), SELL_OFF)
    assert found.interval is Interval.M30
