"""The rule of break, reclaim and hold, on hand-made closes and against a second, slow telling of it."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.breaks import Rule, State, Tape, Verdict, follow

LEVEL = 100.0
# With no weight on the ATR the buffer is 1 % of 100: the band is 99 to 101.
RULE = Rule(bars_to_break=2, bars_to_hold=3, buffer_share=0.01, buffer_atr=0.0)


def tape(closes: list[float], *, lows: list[float] | None = None, gaps: tuple[int, ...] = ()) -> Tape:
    """One bar a minute from the epoch, all of them judged; bar i closes at minute i + 1."""
    bars = len(closes)
    return Tape(
        opened_at=np.arange(bars) * 60,
        closed_at=np.arange(bars) * 60 + 60,
        low=np.array(closes if lows is None else lows, dtype=float),
        close=np.array(closes, dtype=float),
        atr=np.ones(bars),
        after_gap=np.isin(np.arange(bars), gaps),
    )


def told(verdict: Verdict) -> list[tuple[int, str, str]]:
    """Events as (bar, before, after)."""
    return [
        (int(event.opened_at.timestamp()) // 60, event.before.value, event.after.value)
        for event in verdict.events
    ]


def minute(bar: int) -> datetime:
    """When that bar of a tape closed."""
    return datetime.fromtimestamp((bar + 1) * 60, UTC)


@pytest.mark.parametrize(
    ("closes", "state"),
    [
        ([101.5], State.ABOVE),
        ([98.5], State.BROKEN),
        ([101.0], State.UNKNOWN),  # on the edge of the band is in it
        ([99.0], State.UNKNOWN),
        ([100.0, 100.5, 99.5], State.UNKNOWN),
        ([100.0, 101.5], State.ABOVE),
    ],
)
def test_the_start_is_no_event(closes: list[float], state: State) -> None:
    verdict = follow(LEVEL, RULE, tape(closes))
    assert (verdict.state, verdict.since, verdict.events) == (state, None, ())


@pytest.mark.parametrize(
    ("closes", "events", "state", "count"),
    [
        pytest.param([102, 99, 100, 99.5], [], "above", 0, id="inside the band nothing breaks"),
        pytest.param([102, 98.5], [(1, "above", "breaking")], "breaking", 1, id="the first close counts"),
        pytest.param(
            [102, 98.5, 99.5],
            [(1, "above", "breaking"), (2, "breaking", "broken")],
            "broken",
            0,
            id="a close under the level, in the band, confirms",
        ),
        pytest.param(
            [102, 98.5, 100], [(1, "above", "breaking")], "breaking", 0, id="at the level the count restarts"
        ),
        pytest.param(
            [102, 98.5, 101, 99.9], [(1, "above", "breaking")], "breaking", 1, id="in the band it stays"
        ),
        pytest.param(
            [102, 98.5, 101.5],
            [(1, "above", "breaking"), (2, "breaking", "above")],
            "above",
            0,
            id="failed break",
        ),
        pytest.param([98, 101, 100.5], [], "broken", 0, id="inside the band nothing is reclaimed"),
        pytest.param(
            [98, 101.5, 100.5],
            [(1, "broken", "reclaiming")],
            "reclaiming",
            2,
            id="a close above the level, in the band, counts",
        ),
        pytest.param(
            [98, 101.5, 101.5, 100, 100.5],
            [(1, "broken", "reclaiming")],
            "reclaiming",
            1,
            id="at the level the hold restarts",
        ),
        pytest.param(
            [98, 101.5, 101.5, 99, 101.5, 101.5, 101.5],
            [(1, "broken", "reclaiming"), (6, "reclaiming", "reclaimed")],
            "reclaimed",
            0,
            id="held in one piece",
        ),
        pytest.param(
            [98, 101.5, 98.5],
            [(1, "broken", "reclaiming"), (2, "reclaiming", "broken")],
            "broken",
            0,
            id="failed reclaim",
        ),
        pytest.param(
            [98, 102, 102, 102, 99, 98.5, 102],
            [
                (1, "broken", "reclaiming"),
                (3, "reclaiming", "reclaimed"),
                (5, "reclaimed", "breaking"),
                (6, "breaking", "above"),
            ],
            "above",
            0,
            id="the memory of a reclaim ends with the next break, even a failed one",
        ),
        pytest.param(
            [98, 102, 98, 102],
            [(1, "broken", "reclaiming"), (2, "reclaiming", "broken"), (3, "broken", "reclaiming")],
            "reclaiming",
            1,
            id="a failed count is not carried over",
        ),
    ],
)
def test_every_transition(
    closes: list[float], events: list[tuple[int, str, str]], state: str, count: int
) -> None:
    verdict = follow(LEVEL, RULE, tape(closes))
    assert told(verdict) == events
    assert (verdict.state.value, verdict.count) == (state, count)
    assert verdict.since == (minute(events[-1][0]) if events else None)


def test_one_bar_is_enough_where_the_rule_says_one() -> None:
    rule = Rule(bars_to_break=1, bars_to_hold=1, buffer_share=0.01, buffer_atr=0.0)
    verdict = follow(LEVEL, rule, tape([102, 98, 102]))
    assert told(verdict) == [
        (1, "above", "breaking"),
        (1, "breaking", "broken"),
        (2, "broken", "reclaiming"),
        (2, "reclaiming", "reclaimed"),
    ]
    assert verdict.since == minute(2)


def test_an_event_is_dated_by_the_close_of_its_bar() -> None:
    (event,) = follow(LEVEL, RULE, tape([102, 98])).events
    assert (event.opened_at, event.time) == (minute(0), minute(1))


def test_after_a_gap_nothing_is_known() -> None:
    verdict = follow(LEVEL, RULE, tape([102, 98, 98, 98], gaps=(2,)))
    # Bar 2 comes after the gap: whatever its close, it is not judged; bar 3 starts anew.
    assert told(verdict) == [(1, "above", "breaking"), (2, "breaking", "unknown")]
    assert (verdict.state, verdict.since, verdict.count) == (State.BROKEN, None, 0)
    verdict = follow(LEVEL, RULE, tape([102, 98, 98], gaps=(2,)))
    assert (verdict.state, verdict.since) == (State.UNKNOWN, minute(2))
    # A gap while nothing was known changes nothing.
    assert follow(LEVEL, RULE, tape([100, 100], gaps=(1,))).events == ()


def test_no_judgement_before_the_first_atr() -> None:
    bars = tape([102, 98, 98, 102])
    bars.atr[:3] = np.nan
    verdict = follow(LEVEL, RULE, bars)
    assert (verdict.state, verdict.events) == (State.ABOVE, ())
    bars.atr[:] = np.nan
    verdict = follow(LEVEL, RULE, bars)
    assert (verdict.state, verdict.buffer) == (State.UNKNOWN, None)


def test_the_buffer_is_the_larger_of_the_two() -> None:
    rule = Rule(bars_to_break=2, buffer_share=0.001, buffer_atr=0.25)
    bars = tape([110, 97.9, 98.1])
    bars.atr[:] = [0.1, 8.0, 8.0]  # d = 0.1, then 2: 97.9 is below 98, and without the ATR 98.1 would be
    verdict = follow(LEVEL, rule, bars)
    assert told(verdict) == [(1, "above", "breaking"), (2, "breaking", "broken")]
    assert verdict.buffer == 2.0
    bars.atr[2] = 0.1
    assert follow(LEVEL, rule, bars).buffer == 0.1


@pytest.mark.parametrize(
    ("lows", "retested"),
    [
        ([101.5, 101.2, 101.2, 101.2], None),
        ([101.5, 101.0, 101.5, 101.5], 1),  # dips to the edge of the band
        ([101.5, 90.0, 101.5, 101.5], 1),  # a wick far through it changes nothing
        ([101.5, 101.5, 101.5, 99.0], 3),
    ],
)
def test_a_retest_that_held_is_noted(lows: list[float], retested: int | None) -> None:
    verdict = follow(LEVEL, RULE, tape([102, 102, 102, 102], lows=lows))
    assert verdict.state is State.ABOVE
    assert verdict.events == ()
    assert verdict.retested_at == (None if retested is None else minute(retested))


def test_one_retest_for_each_departure() -> None:
    # Bar 1 dips and closes in the band; bars 2 and 3 never left it, bar 5 comes from above it again.
    closes = [102, 100.5, 100.5, 100.5, 102, 100.5, 100.5]
    lows = [101.5, 100, 100, 100, 101.5, 100, 100]
    assert follow(LEVEL, RULE, tape(closes[:4], lows=lows[:4])).retested_at == minute(1)
    assert follow(LEVEL, RULE, tape(closes, lows=lows)).retested_at == minute(5)


def test_a_dip_that_closes_at_or_below_the_level_did_not_hold() -> None:
    assert follow(LEVEL, RULE, tape([102, 100], lows=[102, 99])).retested_at is None


def test_while_reclaiming_a_dip_is_no_retest() -> None:
    assert follow(LEVEL, RULE, tape([98, 102, 102], lows=[98, 100, 100])).retested_at is None
    assert follow(LEVEL, RULE, tape([98, 102, 102, 102, 102], lows=[98, 102, 102, 102, 100])).retested_at


@pytest.mark.parametrize(
    "wrong",
    [
        {"bars_to_break": 0},
        {"bars_to_hold": 0},
        {"buffer_share": -0.1},
        {"buffer_atr": -0.1},
        {"buffer_share": float("nan")},
    ],
)
def test_a_rule_that_means_nothing_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"bar|buffer"):
        Rule(**wrong)  # type: ignore[arg-type]


def slow(
    closes: list[float], gaps: list[bool], n_b: int, n_h: int
) -> tuple[str, int, list[tuple[int, str, str]]]:
    """The rules once more, said differently: if by if, L = 100, d = 1."""
    state, count = "unknown", 0
    events = []
    for bar, (c, gap) in enumerate(zip(closes, gaps, strict=True)):
        if gap:
            if state != "unknown":
                events.append((bar, state, "unknown"))
            state, count = "unknown", 0
            continue
        if state == "unknown":
            if c > 101:
                state = "above"
            if c < 99:
                state = "broken"
            continue
        if state in ("above", "reclaimed") and c < 99:
            events.append((bar, state, "breaking"))
            state, count = "breaking", 1
        elif state == "broken" and c > 101:
            events.append((bar, state, "reclaiming"))
            state, count = "reclaiming", 1
        elif state == "breaking":
            if c > 101:
                events.append((bar, state, "above"))
                state, count = "above", 0
            else:
                count = count + 1 if c < 100 else 0
        elif state == "reclaiming":
            if c < 99:
                events.append((bar, state, "broken"))
                state, count = "broken", 0
            else:
                count = count + 1 if c > 100 else 0
        if state == "breaking" and count == n_b:
            events.append((bar, state, "broken"))
            state, count = "broken", 0
        if state == "reclaiming" and count == n_h:
            events.append((bar, state, "reclaimed"))
            state, count = "reclaimed", 0
    return state, count, events


# On a lattice of halves every edge of the band and the level itself are hit.
walks = st.lists(st.tuples(st.integers(196, 204), st.sampled_from([False] * 9 + [True])), max_size=80)


@settings(deadline=None)
@given(walks, st.integers(1, 4), st.integers(1, 9))
def test_against_a_second_telling(walk: list[tuple[int, bool]], n_b: int, n_h: int) -> None:
    closes, gaps = [half / 2 for half, _ in walk], [gap for _, gap in walk]
    rule = Rule(bars_to_break=n_b, bars_to_hold=n_h, buffer_share=0.01, buffer_atr=0.0)
    verdict = follow(LEVEL, rule, tape(closes, gaps=tuple(i for i, gap in enumerate(gaps) if gap)))
    assert (verdict.state.value, verdict.count, told(verdict)) == slow(closes, gaps, n_b, n_h)


@settings(deadline=None)
@given(walks, st.data())
def test_a_wick_never_changes_a_state(walk: list[tuple[int, bool]], data: st.DataObject) -> None:
    closes = [half / 2 for half, _ in walk]
    lows = [close - data.draw(st.integers(0, 20)) for close in closes]
    calm, wild = follow(LEVEL, RULE, tape(closes)), follow(LEVEL, RULE, tape(closes, lows=lows))
    assert (calm.state, calm.since, calm.count, calm.events) == (
        wild.state,
        wild.since,
        wild.count,
        wild.events,
    )


@settings(deadline=None)
@given(walks, st.data())
def test_later_bars_change_nothing_earlier(walk: list[tuple[int, bool]], data: st.DataObject) -> None:
    closes = [half / 2 for half, _ in walk]
    gaps = tuple(i for i, (_, gap) in enumerate(walk) if gap)
    cut = data.draw(st.integers(0, len(closes)))
    whole, part = (follow(LEVEL, RULE, tape(closes[:end], gaps=gaps)) for end in (None, cut))
    assert part.events == tuple(event for event in whole.events if event.time <= minute(cut - 1))
