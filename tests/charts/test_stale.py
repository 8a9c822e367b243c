"""What is stale is seen before it is read: the line of sources and times is amber, in every picture that has one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import numpy as np
import pytest

from analysis.charts import flows, levels, lights, macro, silver_margin, stress
from analysis.charts.canvas import Canvas
from analysis.charts.look import Look
from analysis.charts.theme import colours
from analysis.freshness import Freshness
from bot.language import catalogue
from tests.charts import made, made_flows, test_lights, test_macro, test_silver_margin, test_stress
from tests.charts.made import LOOKS

FOOT: Final = slice(684, 720)
ONE_CLOCK: Final[dict[str, tuple[Any, Any]]] = {
    "levels": (levels, made.levels(made.candles(300))),
    "flows": (flows, made_flows.flows(made_flows.waves(90))),
    "silver-margin": (silver_margin, test_silver_margin.margin()),
    "stress": (stress, test_stress.made()),
}
"""Results that stand or fall with one series."""
OLD_AND_NEW: Final[dict[str, tuple[Any, Any, Any]]] = {
    "macro": (macro, test_macro.CASES["stale"], test_macro.made()),
    "lights": (lights, test_lights.nothing(), test_lights.SELL_OFF),
    "silver-margin": (
        silver_margin,
        test_silver_margin.margin(as_of=test_silver_margin.NOON + timedelta(days=40)),
        test_silver_margin.margin(),
    ),
}


def has_amber_foot(chart: Any, result: Any, look: Look) -> bool:
    canvas: Canvas = chart.compose(result, look, catalogue(look.locale).gettext)
    amber = (canvas.pixels()[FOOT, :, :3] == np.array(colours(look).broken)).all(axis=2)
    return bool(amber.any())


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", ONE_CLOCK)
def test_the_foot_is_amber_where_it_is_stale_and_nowhere_else(name: str, look: Look) -> None:
    chart, result = ONE_CLOCK[name]
    told = {each: has_amber_foot(chart, replace(result, freshness=each), look) for each in Freshness}
    assert told == {each: each is Freshness.STALE for each in Freshness}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("name", OLD_AND_NEW)
def test_so_it_is_where_one_of_several_is_stale(name: str, look: Look) -> None:
    chart, old, new = OLD_AND_NEW[name]
    assert has_amber_foot(chart, old, look)
    assert not has_amber_foot(chart, new, look)
