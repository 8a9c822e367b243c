"""Levels on the real bars of the sell-off, and the answer that is made of them."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import UserError
from analysis.frames import BarTuple, bars_frame, resample
from analysis.levels import Interval, Level, Levels, Rule, State, assess

BOOK = tuple(
    Level(price=price, label=f"{price:,.0f}") for price in (77_000.0, 40_000.0, 83_500.0, 56_100.0, 73_600.0)
)


def utc(text: str) -> datetime:
    """``01-29 18:30`` of 2026 in UTC."""
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def ask(
    bars: pd.DataFrame, *, at: str | datetime, interval: Interval = Interval.M30, **changed: Any
) -> Levels:
    options: dict[str, Any] = {
        "base": bars,
        "daily": resample(bars, Interval.D1),
        "book": BOOK,
        "as_of": utc(at) if isinstance(at, str) else at,
        "window_start": utc("01-28 00:00"),
        "instrument": "BTC",
        "venue": "Binance USD-M",
        "quote": "USDT",
        "interval": interval,
        "source": "sample",
    }
    return assess(resample(bars, interval), **(options | changed))


@pytest.fixture(scope="session")
def bars(sell_off: list[BarTuple]) -> pd.DataFrame:
    return bars_frame(sell_off)


@pytest.mark.parametrize(
    ("price", "events"),
    [
        (
            83_500,
            [
                ("01-30 01:30", "breaking"),
                ("01-30 02:00", "broken"),
                ("01-30 18:30", "reclaiming"),
                ("01-30 22:00", "reclaimed"),
                ("01-31 08:00", "breaking"),
                ("01-31 08:30", "broken"),
            ],
        ),
        (
            77_000,
            [
                ("02-01 20:00", "breaking"),
                ("02-01 21:30", "broken"),
                ("02-01 22:30", "reclaiming"),
                ("02-01 23:00", "broken"),
                ("02-02 00:00", "reclaiming"),
                ("02-02 02:30", "broken"),
                ("02-02 09:00", "reclaiming"),
                ("02-02 12:30", "reclaimed"),
                ("02-03 16:00", "breaking"),
                ("02-03 16:30", "broken"),
            ],
        ),
        (
            73_600,
            [
                ("02-03 18:30", "breaking"),
                ("02-03 19:00", "above"),
                ("02-04 17:00", "breaking"),
                ("02-04 17:30", "broken"),
                ("02-04 19:30", "reclaiming"),
                ("02-04 21:00", "broken"),
            ],
        ),
        (56_100, []),
        (40_000, []),
    ],
)
def test_the_sell_off_event_by_event(bars: pd.DataFrame, price: float, events: list[tuple[str, str]]) -> None:
    result = ask(bars, at="02-07 00:00")
    (state,) = (state for state in result.levels if state.level.price == price)
    assert [(event.opened_at, event.after.value) for event in state.events] == [
        (utc(opened_at), after) for opened_at, after in events
    ]
    assert all(event.time - event.opened_at == timedelta(minutes=30) for event in state.events)
    # Each event starts where the one before it ended.
    assert [event.before for event in state.events[1:]] == [event.after for event in state.events[:-1]]


def test_the_moment_of_the_source(bars: pd.DataFrame) -> None:
    result = ask(bars, at="02-05 18:00")
    # The bar opened 17:30 closed at 66,153.9, the one opened 17:30 a day before at 72,544.2.
    assert (result.price, result.price_at) == (66_153.9, utc("02-05 18:00"))
    assert result.change_24h_pct == pytest.approx(100 * (66_153.9 / 72_544.2 - 1))
    assert [state.level.price for state in result.levels] == [83_500, 77_000, 73_600, 56_100, 40_000]
    assert [state.first_close_below for state in result.levels] == [
        utc("01-29 18:30"),
        utc("02-01 15:00"),
        utc("02-03 18:30"),
        None,
        None,
    ]
    assert [state.state for state in result.levels] == [State.BROKEN] * 3 + [State.ABOVE] * 2
    # Closing instants: the deciding bars opened 01-31 08:30, 02-03 16:30 and 02-04 21:00.
    assert [state.since for state in result.levels] == [
        utc("01-31 09:00"),
        utc("02-03 17:00"),
        utc("02-04 21:30"),
        None,
        None,
    ]
    assert result.next_floor is not None
    assert result.next_floor.price == 56_100
    assert result.next_floor.distance_pct == pytest.approx(100 * (56_100 / 66_153.9 - 1))
    assert result.air_pocket is not None
    assert (result.air_pocket.top, result.air_pocket.bottom) == (73_600, 56_100)
    assert result.air_pocket.gap_pct == pytest.approx(-23.777, abs=0.001)  # 56.1 / 73.6 - 1


def test_the_low_of_the_fall(bars: pd.DataFrame) -> None:
    result = ask(bars, at="02-07 00:00")
    assert (result.low, result.low_at) == (59_800.0, utc("02-06 00:00"))
    assert result.candles.opened_at[0] == utc("01-28 00:00").timestamp()
    assert len(result.candles.close) == 10 * 48


@pytest.mark.parametrize("interval", list(Interval))
def test_the_low_is_never_above_the_price(bars: pd.DataFrame, interval: Interval) -> None:
    """The last whole day before 5 Feb 18:00 ended 10 % higher."""
    result = ask(bars, at="02-05 18:00", interval=interval)
    assert result.low == 66_125.0
    assert result.low_at == utc("02-05 17:00" if interval is Interval.H1 else "02-05 17:30")


def test_distances_are_signed_and_in_daily_atrs(sell_off: list[BarTuple], bars: pd.DataFrame) -> None:
    # ATR14 of the sixteen whole days to 4 February, by plain loops over the 30-minute bars.
    days: dict[int, tuple[float, float, float]] = {}
    for opened_at, _, _, high, low, close, _ in sell_off:
        if opened_at < utc("02-05 00:00").timestamp():
            h, lo, _ = days.get(opened_at // 86_400, (high, low, close))
            days[opened_at // 86_400] = (max(h, high), min(lo, low), close)
    ranges = []
    before = None
    for h, lo, c in days.values():
        ranges.append(h - lo if before is None else max(h, before) - min(lo, before))
        before = c
    average = sum(ranges[:14]) / 14
    for value in ranges[14:]:
        average = (13 * average + value) / 14
    result = ask(bars, at="02-05 18:00")
    assert len(ranges) == 16
    assert result.atr_1d == pytest.approx(average)
    for state in result.levels:
        assert state.distance_pct == pytest.approx(100 * (state.level.price / 66_153.9 - 1))
        assert state.distance_atr == pytest.approx((state.level.price - 66_153.9) / average)
    assert result.next_floor is not None
    assert result.next_floor.distance_atr == pytest.approx((56_100 - 66_153.9) / average)
    assert result.air_pocket is not None
    assert result.air_pocket.gap_atr == pytest.approx((56_100 - 73_600) / average)


def test_without_fourteen_days_there_is_no_daily_atr(bars: pd.DataFrame) -> None:
    result = ask(bars, at="01-30 00:00", book=[*BOOK, Level(price=90_000, label="above")])
    assert result.atr_1d is None
    assert {state.distance_atr for state in result.levels} == {None}
    assert result.next_floor is not None
    assert result.next_floor.distance_atr is None
    assert result.air_pocket is not None
    assert result.air_pocket.gap_atr is None


@pytest.mark.parametrize(
    ("at", "price", "state", "held", "needed", "side"),
    [
        ("02-01 21:00", 77_000, "breaking", 0, 2, 1),  # 20:30 closed back at 77,073.5, inside the band
        ("02-02 10:00", 77_000, "reclaiming", 2, 8, -1),  # closes of 09:00 and 09:30
        ("02-02 13:00", 77_000, "reclaimed", None, None, -1),
        ("02-05 18:00", 77_000, "broken", None, None, 1),
        ("02-05 18:00", 56_100, "above", None, None, -1),
    ],
)
def test_counts_and_invalidation(
    bars: pd.DataFrame, at: str, price: float, state: str, held: int | None, needed: int | None, side: int
) -> None:
    result = ask(bars, at=at)
    (found,) = (one for one in result.levels if one.level.price == price)
    assert (found.state.value, found.bars_held, found.bars_needed) == (state, held, needed)
    assert found.invalidation is not None
    # d is at least 0.1 % of the level; on these days a quarter of ATR14 is more.
    assert side * (found.invalidation - price) > 0.001 * price


def test_the_invalidation_is_the_edge_of_the_band(bars: pd.DataFrame) -> None:
    # Without weight on the ATR the band is known by hand: 1 % of the level.
    rule = Rule(buffer_share=0.01, buffer_atr=0.0)
    book = [Level(price=price, label="x", rule=rule) for price in (77_000.0, 56_100.0)]
    result = ask(bars, at="02-05 18:00", book=book)
    assert [state.invalidation for state in result.levels] == pytest.approx([77_770, 55_539])


def test_unknown_has_no_invalidation(bars: pd.DataFrame) -> None:
    result = ask(bars, at="01-20 06:00", window_start=utc("01-20 00:00"))  # twelve bars, no ATR14 yet
    assert {state.state for state in result.levels} == {State.UNKNOWN}
    assert {state.invalidation for state in result.levels} == {None}
    assert result.change_24h_pct is None


def test_a_level_never_traded_above_is_below_without_an_event(bars: pd.DataFrame) -> None:
    result = ask(bars, at="02-05 18:00", book=[Level(price=126_200, label="high of October 2025")])
    (state,) = result.levels
    assert (state.state, state.since, state.events) == (State.BROKEN, None, ())
    # The whole window closed below it, so the first close below is the first bar shown.
    assert state.first_close_below == utc("01-28 00:00")


def test_below_every_level_there_is_no_floor(bars: pd.DataFrame) -> None:
    result = ask(bars, at="02-05 18:00", book=[Level(price=83_500, label="x")])
    assert (result.next_floor, result.air_pocket) == (None, None)
    result = ask(bars, at="02-05 18:00", book=[Level(price=56_100, label="x")])
    assert result.next_floor is not None
    assert result.air_pocket is None
    result = ask(bars, at="02-05 18:00", book=[])
    assert (result.levels, result.next_floor, result.air_pocket) == ((), None, None)


def test_a_level_at_the_price_is_not_below_it(bars: pd.DataFrame) -> None:
    result = ask(
        bars, at="02-05 18:00", book=[Level(price=66_153.9, label="x"), Level(price=60_000, label="y")]
    )
    assert result.next_floor is not None
    assert result.next_floor.label == "y"
    assert result.air_pocket is not None
    assert result.air_pocket.top == 66_153.9


def test_states_do_not_depend_on_the_window(bars: pd.DataFrame) -> None:
    whole, short = (ask(bars, at="02-05 18:00", window_start=utc(s)) for s in ("01-20 00:00", "02-05 00:00"))
    for one, other in zip(whole.levels, short.levels, strict=True):
        assert (one.state, one.since, one.events) == (other.state, other.since, other.events)
    assert [state.first_close_below for state in short.levels] == [utc("02-05 00:00")] * 3 + [None] * 2


def test_price_is_the_last_close_whatever_the_interval(bars: pd.DataFrame) -> None:
    result = ask(bars, at="02-05 18:30", interval=Interval.H4)
    assert result.price_at == utc("02-05 18:30")
    assert result.candles.opened_at[-1] == utc("02-05 12:00").timestamp()
    assert all(
        event.time.hour % 4 == 0 and event.time.minute == 0 for one in result.levels for event in one.events
    )


def test_daily_bars_that_stop_early_still_know_the_price(bars: pd.DataFrame) -> None:
    result = ask(bars, at="02-05 18:00", interval=Interval.D1)
    assert result.price == 66_153.9
    # 5 February is not over: the last day is the 4th.
    assert result.candles.opened_at[-1] == utc("02-04 00:00").timestamp()


@pytest.mark.parametrize("missing", [1, 2])
def test_more_than_one_missing_bar_unsettles(sell_off: list[BarTuple], missing: int) -> None:
    hole = next(i for i, bar in enumerate(sell_off) if bar[0] == utc("02-02 20:00").timestamp())
    bars = bars_frame(sell_off[:hole] + sell_off[hole + missing :])
    result = ask(bars, at="02-03 00:00", book=[Level(price=77_000, label="x")])
    (state,) = result.levels
    if missing == 1:
        assert state.state is State.RECLAIMED
        assert state.events[-1].after is State.RECLAIMED
    else:
        assert state.state is State.ABOVE
        assert state.since is None
        assert (state.events[-1].after, state.events[-1].opened_at) == (State.UNKNOWN, utc("02-02 21:00"))


def new_york_days(dates: list[str]) -> list[BarTuple]:
    """Trade dates closing 17:00 New York in winter, 22:00 UTC, opened 18:00 the evening before."""
    rows = []
    for i, day in enumerate(dates):
        close = int(datetime.fromisoformat(f"{day}T22:00:00+00:00").timestamp())
        rows.append((close - 23 * 3600, close, 100.0, 101.0, 99.0, 100.0 + i % 2, 0.0))
    return rows


@pytest.mark.parametrize(
    ("left_out", "known"),
    [
        ((), True),  # weekends are no holes
        (("2025-12-25",), True),  # nor is one holiday
        (("2025-12-25", "2025-12-26"), False),
    ],
)
def test_a_venue_that_rests_at_weekends(left_out: tuple[str, ...], *, known: bool) -> None:
    weekdays = [str(day) for day in np.arange("2025-12-01", "2026-01-01", dtype="datetime64[D]")]
    dates = [day for day in weekdays if np.is_busday(day) and day not in left_out]
    daily = bars_frame(new_york_days(dates))
    result = assess(
        daily,
        base=daily,
        daily=daily,
        book=[Level(price=50.0, label="far below")],
        as_of=datetime(2026, 1, 1, tzinfo=UTC),
        window_start=datetime(2025, 12, 1, tzinfo=UTC),
        instrument="SI",
        venue="COMEX",
        quote="USD",
        interval=Interval.D1,
        source="test",
        weekends=False,
    )
    assert result.levels[0].state is State.ABOVE
    assert (result.levels[0].events == ()) is known
    # Wednesday against Tuesday, 100 and 101 in turn.
    assert abs(result.change_24h_pct or 0.0) == pytest.approx(1.0, abs=0.02)


def test_the_change_needs_a_close_a_day_before(sell_off: list[BarTuple]) -> None:
    at = utc("02-05 18:00")
    day_before = at.timestamp() - 86_400
    hole = [bar for bar in sell_off if not day_before - 3600 <= bar[1] <= day_before]
    assert ask(bars_frame(hole), at=at).change_24h_pct is None
    late = [bar for bar in sell_off if not day_before - 1800 <= bar[1] <= day_before]
    (close,) = (bar[5] for bar in sell_off if bar[1] == day_before - 3600)
    assert ask(bars_frame(late), at=at).change_24h_pct == pytest.approx(100 * (66_153.9 / close - 1))


def test_no_bars_is_said(bars: pd.DataFrame) -> None:
    with pytest.raises(UserError) as said:
        ask(bars_frame([]), at="02-05 18:00")
    assert str(said.value) == "No 30m bar of BTC had closed by 2026-02-05 18:00 UTC."
    with pytest.raises(UserError, match="had closed by 2026-01-20 00:29"):
        ask(bars, at="01-20 00:29")
    with pytest.raises(UserError) as said:
        ask(bars, at="02-05 18:00", window_start=utc("02-05 18:00"))
    assert str(said.value) == (
        "No 30m bar of BTC has closed since 2026-02-05 18:00 UTC; the newest closed at 2026-02-05 18:00 UTC."
    )


def test_a_result_travels_to_another_process(bars: pd.DataFrame) -> None:
    result = ask(bars, at="02-05 18:00")
    again = pickle.loads(pickle.dumps(result))  # noqa: S301
    assert again.levels == result.levels
    assert again.candles.close.tolist() == result.candles.close.tolist()


FIRST, LAST = utc("01-28 00:30"), utc("02-07 00:00")


@settings(max_examples=25, deadline=None)
@given(st.datetimes(FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None)), st.sampled_from(Interval))
def test_nothing_known_later_leaks(
    sell_off: list[BarTuple], bars: pd.DataFrame, moment: datetime, interval: Interval
) -> None:
    at = moment.replace(tzinfo=UTC)
    window = utc("01-26 00:00")
    known = bars_frame([bar for bar in sell_off if bar[1] <= at.timestamp()])
    from_all = ask(bars, at=at, interval=interval, window_start=window)
    from_known = ask(known, at=at, interval=interval, window_start=window)
    for name in Levels.__slots__:
        if name != "candles":
            assert getattr(from_all, name) == getattr(from_known, name), name
    assert from_all.candles.close.tolist() == from_known.candles.close.tolist()
    assert from_all.candles.volume.tolist() == from_known.candles.volume.tolist()
    for state in from_all.levels:
        assert all(event.time <= at for event in state.events)
