"""Reclaims and touches counted: on walks whose answer is known, and against a slow telling of the same."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.base_rates import Rate, walk_holds
from analysis.breaks import Rule, State, Tape, follow
from analysis.frames import BarTuple, bars_frame
from analysis.level_rates import (
    ARBITRARY,
    BLOCK,
    HELD,
    NEAR,
    Counts,
    History,
    LevelRates,
    Place,
    arbitrary,
    count,
    level_rates,
    within,
)
from analysis.levels import Interval, history

NO_BAND = Rule(bars_to_break=1, bars_to_hold=8, buffer_share=0.0, buffer_atr=0.0)
DAY = timedelta(days=1)


def rates_of(places: list[Place], past: History) -> LevelRates:
    return level_rates(count(within(places, past), past), past, arbitrary(past), horizon=DAY)


def bars(
    close: NDArray[np.float64], *, gaps: Iterable[int] = (), horizon: int = 4, wick: float = 0.0
) -> History:
    """One bar a minute from the epoch; ``wick`` is how far highs and lows lie from the close."""
    at = np.arange(len(close))
    after_gap = np.zeros(len(close), dtype=bool)
    after_gap[list(gaps)] = True
    tape = Tape(
        opened_at=at * 60,
        closed_at=at * 60 + 60,
        low=close - wick,
        close=close,
        atr=np.ones(len(close)),
        after_gap=after_gap,
    )
    return History(tape=tape, high=close + wick, horizon=horizon)


def apart(pieces: NDArray[np.float64]) -> History:
    """Pieces of equal length one after the other, with bars missing in between."""
    return bars(pieces.ravel(), gaps=range(0, pieces.size, pieces.shape[1]))


def stayed(counts: Counts) -> list[Rate]:
    times, cases = counts.times[0].tolist(), counts.cases[0].tolist()
    return [Rate(times=times[i], cases=cases[i]) for i in range(len(HELD))]


def test_a_driftless_walk_from_the_level_holds_75_62_49_37() -> None:
    walks = 100 + np.cumsum(np.random.default_rng(11).standard_normal((4_000, 9)), axis=1)
    # Once a walk has closed below, its answer is known: it stays there, so that it begins but once.
    walks[np.maximum.accumulate(walks <= 100, axis=1)] = 90
    before = np.tile([95.0, 95.0, 100.0], (len(walks), 1))
    rates = stayed(count([Place(price=100, rule=NO_BAND)], apart(np.hstack([before, walks]))))
    assert 1_900 < rates[0].cases < 2_100
    for rate, n, percent in zip(rates, HELD, (75, 62.5, 49.2, 37.1), strict=True):
        assert rate.low < percent / 100 < rate.high
        assert walk_holds(n) == pytest.approx(percent / 100, abs=5e-4)


def test_a_walk_that_comes_from_well_below_holds_less() -> None:
    walks = 100 + np.cumsum(np.random.default_rng(12).standard_normal((4_000, 2_000)), axis=1) - 15
    first = np.argmax(walks > 100, axis=1)
    reached = (first > 3) & (first < 1_990)
    pieces = np.stack(
        [walks[i, at - 3 : at + 9] for i, at in zip(np.flatnonzero(reached), first[reached], strict=True)]
    )
    failed = np.maximum.accumulate(pieces[:, 3:] <= 100, axis=1)
    pieces[:, 3:][failed] = 90
    rates = stayed(count([Place(price=100, rule=NO_BAND)], apart(pieces)))
    assert rates[0].cases == len(pieces) > 2_500
    # The first sum above a level far away, known numerically.
    for rate, share in zip(rates, (0.695, 0.564, 0.435, 0.322), strict=True):
        assert rate.low < share < rate.high


def test_arbitrary_levels_on_a_long_walk() -> None:
    chance = np.random.default_rng(13)
    past = bars(10_000 + np.cumsum(chance.standard_normal(40_000)))
    lowest, highest = past.tape.low.min(), past.high.max()
    places = [Place(price=price, rule=NO_BAND) for price in chance.uniform(lowest, highest, 200).tolist()]
    found = count(places, past)
    # A level that lies anywhere is crossed by a step the more easily the longer the step, and anywhere on it.
    other = np.random.default_rng(14)
    over = other.rayleigh(size=200_000) * other.uniform(size=200_000)
    lowest_after = np.minimum.accumulate(np.cumsum(other.standard_normal((200_000, 8)), axis=1), axis=1)
    for i, n in enumerate(HELD):
        expected = (lowest_after[:, n - 1] > -over).mean()
        assert found.times[:, i].sum() / found.cases[:, i].sum() == pytest.approx(expected, abs=0.025)


def told_slowly(place: Place, past: History) -> tuple[list[int], list[int]]:
    """The same nine questions, bar by bar."""
    tape, level, rule = past.tape, place.price, place.rule
    bar_count = len(tape.close)
    close, low, high = tape.close.tolist(), tape.low.tolist(), past.high.tolist()
    opened = tape.opened_at.tolist()

    def floor(bar: int) -> float:
        return level - max(rule.buffer_share * level, rule.buffer_atr * float(tape.atr[bar]))

    def whole(start: int, end: int) -> bool:
        return end < bar_count and not tape.after_gap[start + 1 : end + 1].any()

    begun = [
        opened.index(int(event.opened_at.timestamp()))
        for event in follow(level, rule, tape).events
        if event.after is State.RECLAIMING and event.opened_at.timestamp() >= place.known_from
    ]
    answers = [[bar for bar in begun if whole(bar, bar + n)] for n in HELD]
    times = [
        sum(all(close[bar + k] > level for k in range(1, n + 1)) for bar in begun)
        for n, begun in zip(HELD, answers, strict=True)
    ]
    cases = [len(bars) for bars in answers]
    for n in HELD:
        held = [
            bar
            for bar in begun
            if whole(bar, bar + n - 1 + past.horizon) and all(close[bar + k] > level for k in range(n))
        ]
        ends = [range(bar + n, bar + n + past.horizon) for bar in held]
        cases.append(len(held))
        times.append(sum(all(close[later] >= floor(later) for later in after) for after in ends))
    hits = []
    for bar in range(1, bar_count - 1):
        if tape.after_gap[bar] or tape.after_gap[bar + 1] or opened[bar] < place.known_from:
            continue
        if low[bar] <= level * (1 + NEAR) < low[bar - 1]:
            hits.append(close[bar + 1] > level)
        if high[bar] >= level * (1 - NEAR) > high[bar - 1]:
            hits.append(close[bar + 1] < level)
    return [*times, sum(hits)], [*cases, len(hits)]


RULES = (Rule(), Rule(bars_to_break=1, bars_to_hold=3, buffer_share=0.0, buffer_atr=0.5), NO_BAND)


def wandering(seed: int) -> History:
    chance = np.random.default_rng(seed)
    close = 100 + np.cumsum(chance.standard_normal(3_000) * 0.3)
    past = bars(close, gaps=chance.integers(1, 3_000, 6).tolist(), horizon=6, wick=0.2)
    past.tape.atr[:13] = np.nan
    return past


@pytest.mark.parametrize("seed", range(4))
def test_counting_fast_is_counting_slowly(seed: int) -> None:
    past = wandering(seed)
    prices = np.random.default_rng(seed).choice(past.tape.close, 12).round(2).tolist()
    places = [
        Place(price=price, rule=RULES[i % 3], known_from=60_000 * (i % 2)) for i, price in enumerate(prices)
    ]
    found = count(places, past)
    assert found.cases.sum(axis=0).min() > 0
    for place, times, cases in zip(places, found.times.tolist(), found.cases.tolist(), strict=True):
        assert (times, cases) == told_slowly(place, past)


def test_days_far_from_the_level_are_not_forgotten() -> None:
    """What is skipped as saying nothing new: jumps over the level, between spans and inside them."""
    chance = np.random.default_rng(8)
    for _ in range(5):
        lengths = chance.choice([1, 2, 7, 8, 9, BLOCK - 1, BLOCK, BLOCK + 1], 24)
        close = np.repeat(chance.choice([80.0, 99.95, 100.0, 100.05, 120.0], 24), lengths)
        past = bars(close, horizon=3, wick=0.01)
        for rule in RULES:
            place = Place(price=100.0, rule=rule)
            found = count([place], past)
            assert (found.times[0].tolist(), found.cases[0].tolist()) == told_slowly(place, past)
    # Up at the beginning of a span and down at the next one's: held, so that what follows is a failed break.
    close = np.repeat([95.0, 120.0, 95.0, 120.0], [BLOCK, BLOCK, 1, BLOCK - 1])
    found = count([Place(price=100.0, rule=Rule())], bars(close))
    assert found.cases[0, 0] == 1


def test_real_bars_are_counted_alike(sell_off: list[BarTuple]) -> None:
    past = history(bars_frame(sell_off), Interval.M30, weekends=True)
    assert past.horizon == 48
    places = [Place(price=price, rule=Rule()) for price in (83_500.0, 77_000.0, 73_600.0)]
    found = count(places, past)
    for place, times, cases in zip(places, found.times.tolist(), found.cases.tolist(), strict=True):
        assert (times, cases) == told_slowly(place, past)
    # The reclaims of these two weeks as they were counted by hand: 83,500 once, 77,000 three times, 73,600 once.
    assert found.cases[:, 0].tolist() == [1, 3, 1]
    # 83,500 and once 77,000 were held for eight closes, so for seven more.
    assert found.times[:, HELD.index(4)].tolist()[0] == 1


def shortened(past: History, bar_count: int) -> History:
    tape = past.tape
    return History(
        tape=Tape(
            opened_at=tape.opened_at[:bar_count],
            closed_at=tape.closed_at[:bar_count],
            low=tape.low[:bar_count],
            close=tape.close[:bar_count],
            atr=tape.atr[:bar_count],
            after_gap=tape.after_gap[:bar_count],
        ),
        high=past.high[:bar_count],
        horizon=past.horizon,
    )


def test_what_comes_later_decides_nothing_that_was_decided() -> None:
    past = wandering(9)
    place = Place(price=100.0, rule=Rule())
    earlier = count([place], shortened(past, 1))
    for bar_count in sorted(np.random.default_rng(9).integers(20, 3_000, 25).tolist()):
        now = count([place], shortened(past, bar_count))
        failed = now.cases - now.times
        assert (now.times >= earlier.times).all()
        assert (failed >= earlier.cases - earlier.times).all()
        # The last bars are cases only once their horizon has passed.
        assert (now.times[0].tolist(), now.cases[0].tolist()) == told_slowly(
            place, shortened(past, bar_count)
        )
        earlier = now


def test_a_touch_and_a_bounce_by_hand() -> None:
    #         from above: touched at 2, closed above at 3; from below: touched at 7, closed above at 8.
    close = np.array([104.0, 103, 101, 102, 103, 98, 97, 99, 101, 103])
    low = np.array([103.5, 102, 100.005, 101, 102, 97, 96, 97, 99, 102])
    high = np.array([105.0, 104, 103, 103, 104, 99, 98, 99.995, 102, 104])
    past = bars(close)
    past = History(
        tape=Tape(
            opened_at=past.tape.opened_at,
            closed_at=past.tape.closed_at,
            low=low,
            close=close,
            atr=past.tape.atr,
            after_gap=past.tape.after_gap,
        ),
        high=high,
        horizon=2,
    )
    found = count([Place(price=100.0, rule=NO_BAND)], past)
    # At 5 it fell through, closed below at 6: touched, not bounced. At 2 it bounced, at 7 it did not.
    assert (found.times[0, -1], found.cases[0, -1]) == (1, 3)


def test_a_level_of_a_day_counts_from_then_on() -> None:
    past = wandering(3)
    price = float(np.median(past.tape.close[1_000:2_000]))

    def cases(known_from: int) -> int:
        return int(count([Place(price=price, rule=Rule(), known_from=known_from)], past).cases[0, 0])

    assert 0 < cases(1_500 * 60) < cases(0)
    assert cases(3_000 * 60) == 0


def test_the_book_is_held_against_books_of_as_many() -> None:
    past = wandering(5)
    pool = arbitrary(past)
    assert pool.cases.shape == (ARBITRARY, 9)
    price = float(np.median(past.tape.close))
    places = [Place(price=price, rule=Rule()), Place(price=1.0, rule=Rule())]
    rates = rates_of(places, past)
    assert (rates.levels, rates.bars) == (1, 3_000)
    assert rates.lowest == past.tape.low.min()
    own = count(places[:1], past)
    for i, hold in enumerate(rates.holds):
        assert hold.stayed.rate == Rate(times=int(own.times[0, i]), cases=int(own.cases[0, i]))
        assert hold.stayed.chance is not None
        # Books of one level each: together they are the pool, but for the draw.
        share = pool.times[:, i].sum() / pool.cases[:, i].sum()
        assert hold.stayed.chance.share == pytest.approx(share, abs=0.03)
    assert rates == rates_of(places, past)


def test_a_level_that_turns_price_differs_from_arbitrary_ones() -> None:
    chance = np.random.default_rng(21)
    close = [110.0]
    for step in chance.standard_normal(6_000).tolist():
        # Nothing closes below 100.05, and each low there is 100: a floor as nobody ever saw one.
        close.append(max(100.05, min(close[-1] + step, 130.0)))
    closes = np.array(close)
    past = bars(closes, wick=0.05)
    rates = rates_of([Place(price=100.0, rule=Rule())], past)
    assert rates.bounces.rate is not None
    assert rates.bounces.rate.times == rates.bounces.rate.cases > 30
    assert rates.bounces.chance is not None
    assert rates.bounces.chance.high < rates.bounces.rate.low
    assert rates.bounces.chance.p_value < 0.05


def test_without_a_level_in_range_there_is_no_case() -> None:
    past = wandering(6)
    rates = rates_of([Place(price=5.0, rule=Rule())], past)
    assert rates.levels == 0
    assert rates.bounces.rate is None
    assert all(hold.stayed.rate is None and hold.kept.chance is None for hold in rates.holds)


def test_ten_years_cost_no_more_than_ten_times_one() -> None:
    def spent(count: int) -> float:
        close = 30_000 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.004, count)))
        past = bars(close, horizon=48, wick=30.0)
        past.tape.atr[:] = 0.005 * close
        each = []
        for _ in range(3):
            begun = time.process_time()
            arbitrary(past)
            each.append(time.process_time() - begun)
        return min(each)

    # Twice, for what a machine does meanwhile; each pair of bars looked at would be a hundred times.
    assert spent(175_200) < 20 * spent(17_520)
