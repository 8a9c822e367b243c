"""The picture of /ladder: whole, legible, each rung at its price and as long as what is released there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.charts import ladder as chart
from analysis.charts.look import Look
from analysis.charts.theme import blend
from analysis.freshness import of_bars
from analysis.ladder import Asked, Holding, Ladder, Market, assess
from analysis.ladder_positions import Kind, Position
from analysis.ladder_steps import climb
from analysis.ladder_tiers import Tier
from analysis.levels import Interval
from analysis.margin_account import Side
from tests.charts import made
from tests.charts.seen import assert_legible, assert_whole, english, words

NOW = datetime(2026, 2, 5, 18, tzinfo=UTC)
MARKET = Market(
    price=66_153.9,
    closed_at=NOW,
    atr_1d=4_000.0,
    source="a venue",
    is_sample=False,
    rhythm=of_bars(Interval.M30.length, rests=False),
)
FLOORS = (
    (83_500.0, "first layer"), (77_000.0, "second layer"), (73_600.0, ""), (56_100.0, "fourth layer"),
    (40_000.0, "round number"),
)  # fmt: skip


def position(**given_: Any) -> Position:
    chosen: dict[str, Any] = {
        "kind": Kind.LINEAR, "side": Side.LONG, "instrument": "BTC", "entry": 90_076.0, "size": 1.0,
        "leverage": 10.0, "tiers": (Tier(0.0, 0.004),),
    } | given_  # fmt: skip
    chosen.setdefault("mark", chosen["entry"])
    return Position(**chosen)


def ladder(
    *positions: Position, floors: tuple[tuple[float, str], ...] = FLOORS, known: bool = True
) -> Ladder:
    return assess(
        [Holding(position=one) for one in positions],
        as_of=NOW,
        asked=Asked(),
        markets={"BTC": MARKET} if known else {},
        floors=floors,
        floors_of="BTC",
    )


def steps(entry: float = 73_600.0, side: Side = Side.LONG, rate: float = 0.005) -> Ladder:
    return replace(
        ladder(position()), rungs=(), price=entry, steps=climb(entry, side=side, rate=rate, fee=0.0)
    )


MANY = [
    position(entry=60_000.0 + 1_700 * k, mark=80_000.0, size=0.3 + k, leverage=2 + k % 9) for k in range(20)
]
CASES = {
    "one": ladder(position()),
    "one short": ladder(position(side=Side.SHORT)),
    "beyond its price": ladder(position(mark=70_000.0)),
    "never": ladder(position(leverage=1.0)),
    "two": ladder(position(), position(side=Side.SHORT, entry=70_000.0, mark=90_076.0, leverage=3.0)),
    "the same twice": ladder(position(), position()),
    "twenty": ladder(*MANY),
    "several markets": ladder(position(), position(instrument="ETH", entry=2_500.0, kind=Kind.INVERSE, size=9e5)),
    "silver": ladder(position(kind=Kind.FUTURES, instrument="SI", entry=80.0, ounces=5_000, leverage=6.0), known=False),
    "no floors": ladder(position(), floors=()),
    "crowded floors": ladder(position(), floors=tuple((82_000.0 + 90 * k, f"floor {k}") for k in range(30))),
    "hostile floors": ladder(position(), floors=((85_000.0, "\u202e evil\n" + "長" * 300), (84_000.0, "\U0001f680"))),
    "cheap": ladder(position(entry=0.00123, size=1e7, instrument="PEPE")),
    "dear": ladder(position(entry=99_999_999.0, size=1e6)),
    "fifty times": ladder(position(leverage=50.0)),
    "leverages": steps(),
    "leverages short": steps(side=Side.SHORT),
    "leverages at a high rate": steps(rate=0.03),
    "leverages of a cheap coin": steps(0.0456),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    "look", [Look(), Look(locale="zh-TW", theme="light", palette="tw", zone="Asia/Taipei")]
)
def test_every_picture_is_whole(name: str, look: Look) -> None:
    assert_whole(chart, CASES[name], look)


@pytest.mark.parametrize("look", made.LOOKS)
def test_every_look_is_drawn(look: Look) -> None:
    assert len(chart.draw(CASES["two"], look, english).png) <= 100_000


def test_the_answer_is_large_and_first() -> None:
    canvas = chart.compose(CASES["one"], Look(), english)
    title, outlook = canvas.words[-3:-1]
    assert title.text == "long BTC 10x · liquidation 81,394 · −9.6 %"
    # (81,393.98 - 90,076) / 4,000
    assert outlook.text == "mark 90,076 · −2.2 daily ATRs · bars: notional released"
    assert title.face.px >= 30
    assert {"90,076", "long 10x · 81,394 · −9.6 %", "81.4k", "83,500 first layer"} <= set(words(canvas))


def test_a_rung_stands_at_its_price_and_is_as_long_as_its_notional() -> None:
    """Two longs from 80,000 at 5x and 10x, two coins and one: 128,514 and 72,289 dollars released."""
    result = ladder(
        position(entry=80_000.0, size=2.0, leverage=5.0),
        position(entry=80_000.0, size=1.0, leverage=10.0),
        floors=(),
    )
    canvas, marks = chart.compose(result, Look(), english), chart.rungs(result, english)
    assert [mark.weight for mark in marks] == pytest.approx([72_289.16 / 128_514.06, 1.0], abs=1e-6)
    scale = chart.span(result, marks)
    assert scale.low < 64_257.03
    assert scale.high > 80_000
    amber = (canvas.pixels()[:, :, :3] == np.array(canvas.colours.broken)).all(axis=2)
    for price in (64_257.03, 72_289.16):
        rows = np.flatnonzero(amber[:, 500:700].all(axis=1))
        assert np.abs(rows - scale.y(price)).min() <= 2
    tint = blend(canvas.colours.broken, canvas.colours.background, 0.3)
    lengths = [
        int((canvas.pixels()[round(scale.y(mark.value)) + 6, :, :3] == np.array(tint)).all(axis=1).sum())
        for mark in marks
    ]
    assert lengths[0] / lengths[1] == pytest.approx(marks[0].weight, abs=0.03)


def test_floors_on_the_winning_side_and_far_away_are_left_out() -> None:
    told = " ".join(words(chart.compose(CASES["fifty times"], Look(), english)))
    assert "83,500" not in told
    assert "40,000" not in told
    short = " ".join(words(chart.compose(ladder(position(entry=70_000.0, side=Side.SHORT)), Look(), english)))
    assert "73,600" in short
    assert "56,100" not in short


def test_of_too_many_positions_the_nearest_are_drawn_and_the_rest_counted() -> None:
    canvas = chart.compose(CASES["twenty"], Look(), english)
    outlook = canvas.words[-2].text
    shown = len(chart.rungs(CASES["twenty"], english))
    assert shown == chart.MOST_RUNGS
    assert outlook.endswith(f"+{20 - shown} in the words")


def test_a_position_beyond_its_price_says_so_before_any_other() -> None:
    result = ladder(position(entry=78_000.0, mark=80_000.0, leverage=50.0), position(mark=80_000.0))
    assert words(chart.compose(result, Look(), english))[-3] == (
        "2 positions, the nearest: long BTC 10x · already beyond 81,394"
    )


def test_a_future_is_called_and_not_liquidated() -> None:
    silver = position(kind=Kind.FUTURES, instrument="SI", entry=80.0, mark=60.0, ounces=5_000, leverage=6.0)
    assert words(chart.compose(ladder(silver), Look(), english))[-3].startswith(
        "long SI 6x · at or past margin call "
    )


def test_leverages_are_told_linear_and_inverse() -> None:
    told = words(chart.compose(CASES["leverages"], Look(), english))
    assert "2x · −49.7 % / −33.0 %" in told
    assert "100x · −0.50 % / −0.50 %" in told


def test_alt_text_says_what_the_picture_shows() -> None:
    assert chart.draw(CASES["two"], Look(), english).alt.startswith(
        "2 positions, the nearest: short BTC 3x · liquidation 92,961 · +3.2 % · mark 90,076"
    )
    assert chart.draw(CASES["leverages"], Look(), english).alt.startswith(
        "Leverages of a long from 73,600 · 2x · −49.7 % / −33.0 %, 3x"
    )


def test_the_same_twice_is_the_same_file() -> None:
    assert chart.draw(CASES["two"], Look(), english) == chart.draw(replace(CASES["two"]), Look(), english)


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Side)), st.floats(0.01, 1e6), st.floats(0.001, 1e4), st.floats(0.5, 60),
            st.sampled_from(["BTC", "ETH"]),
        ),
        min_size=1,
        max_size=20,
    ),
    st.floats(0.5, 2.0),
)  # fmt: skip
def test_any_positions_are_legible(told: list[tuple[Side, float, float, float, str]], move: float) -> None:
    positions = [
        position(side=side, entry=entry, size=size, leverage=leverage, instrument=name, mark=entry * move)
        for side, entry, size, leverage, name in told
    ]
    assert_legible(chart.compose(ladder(*positions), Look(), english))
