"""The bar that runs: an outline beside the candles, in the scale, and no part of the volume."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from analysis.charts import candles
from analysis.charts import levels as chart
from analysis.charts.canvas import Canvas
from analysis.charts.look import Look
from analysis.charts.place import Box
from analysis.charts.scale import Scale, TimeAxis
from analysis.charts.theme import blend, colours
from analysis.freshness import Freshness
from analysis.levels import Interval, Levels, Running
from tests.charts import made
from tests.charts.seen import assert_whole, english, words


def running(result: Levels, *, fall: float = 1_000.0) -> Levels:
    price = result.price
    bar = Running(
        opened_at=result.price_at,
        open=price,
        high=price + 1_600,
        low=price - 3_000,
        close=price - fall,
        seen_at=result.price_at + timedelta(minutes=7),
    )
    return replace(result, running=bar, freshness=Freshness.LATE)


@pytest.mark.parametrize("count", [1, 40, 336, 2000])
@pytest.mark.parametrize("look", [*made.LOOKS[::3], Look(locale="zh-TW", zone="Asia/Taipei")])
def test_a_picture_with_it_is_whole(count: int, look: Look) -> None:
    assert_whole(chart, running(made.levels(count)), look)


@pytest.mark.parametrize(("fall", "colour"), [(1_000.0, "down"), (-1_000.0, "up")])
@pytest.mark.parametrize("seconds", [60, 1_800])
def test_its_body_is_a_pale_outline_at_its_prices(fall: float, colour: str, seconds: int) -> None:
    wear = colours(Look())
    canvas = Canvas(wear)
    result = running(made.levels(10), fall=fall)
    assert result.running is not None
    scale = Scale(result.price - 5_000, result.price + 5_000, 100, 500)
    axis = TimeAxis(result.price_at.timestamp() - 18_000, result.price_at.timestamp() + 3_600, 50, 1_000)
    now = candles.running(result.running, axis, seconds)
    canvas.panel(Box(50, 100, 1_000, 500), scale).unfinished(now)
    pixels = canvas.pixels()[..., :3]
    left, right = int(now.left[0]), int(now.right[0])
    assert left > axis.x(result.price_at.timestamp())
    assert right - left >= 9
    opened, closed = round(scale.y(result.price)), round(scale.y(result.price - fall))
    pale = blend(wear.down if colour == "down" else wear.up, wear.background, 0.6)
    middle = (opened + closed) // 2
    assert tuple(pixels[middle, left]) == tuple(pixels[middle, right - 1]) == pale
    assert (pixels[middle, left + 2 : right - 2] == wear.background).all()
    # The wick goes from the high down to the low.
    drawn = np.flatnonzero((pixels[:, left:right] == pale).all(axis=2).any(axis=1))
    assert (drawn[0], drawn[-1] + 1) == (
        round(scale.y(result.price + 1_600)),
        round(scale.y(result.price - 3_000)),
    )


def test_the_scale_holds_it_and_the_axis_has_its_time() -> None:
    plain = made.levels(40, book=())
    result = running(plain)
    assert result.running is not None
    assert chart.span(result)[0] < result.running.low
    left, right = 100.0, 900.0
    axis = chart.time_axis(result, left, right)
    end = result.price_at + Interval.M30.length
    assert axis.x(end.timestamp()) < right - chart.STRIP
    assert axis.x(end.timestamp()) == pytest.approx(
        chart.time_axis(plain, left, right).x(plain.price_at.timestamp()), abs=2
    )


def test_how_the_series_stands_is_said_beside_its_source() -> None:
    late = words(chart.compose(running(made.levels()), Look(), english))[-1]
    fresh = words(chart.compose(made.levels(), Look(), english))[-1]
    assert late == f"{fresh} · late"
