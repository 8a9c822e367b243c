"""Colours: enough contrast, and no state told by colour alone."""

from __future__ import annotations

import pytest

from analysis.charts.levels import pocket_tint
from analysis.charts.look import Look
from analysis.charts.theme import RGB, blend, colours, mark
from analysis.levels import State
from tests.charts.made import LOOKS, THEMES


def luminance(colour: RGB) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [c / 255 for c in colour]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: RGB, other: RGB) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_formula() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21.0)
    # A published pair: #767676 on white is the lightest grey that passes AA.
    assert contrast((0x76, 0x76, 0x76), (255, 255, 255)) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("look", LOOKS)
def test_text_has_a_contrast_of_four_and_a_half(look: Look) -> None:
    wear = colours(look)
    for ground in (wear.background, pocket_tint(wear)):
        for ink in (wear.ink, wear.muted, wear.holds, wear.broken):
            assert contrast(ink, ground) >= 4.5


@pytest.mark.parametrize("look", LOOKS)
def test_candles_and_volume_stand_out(look: Look) -> None:
    wear = colours(look)
    for candle in (wear.up, wear.down):
        assert contrast(candle, wear.background) >= 3.0
        assert contrast(candle, pocket_tint(wear)) >= 3.0


def test_the_taiwan_palette_is_red_up() -> None:
    for theme in THEMES:
        abroad, at_home = (colours(Look(theme=theme, palette=p)) for p in ("intl", "tw"))
        assert (at_home.up, at_home.down) == (abroad.down, abroad.up)
        assert at_home.up[0] > at_home.up[1] > 0
        assert at_home.down[1] > at_home.down[0]


@pytest.mark.parametrize("look", LOOKS)
def test_states_wear_neither_up_nor_down_and_differ_without_colour(look: Look) -> None:
    wear = colours(look)
    marks = [*(mark(state, wear) for state in State), mark(State.ABOVE, wear, unconfirmed=True)]
    assert not {m.colour for m in marks} & {wear.up, wear.down}
    assert len({(m.shape, m.hollow) for m in marks}) == len(marks)


def test_blend() -> None:
    assert blend((100, 200, 0), (0, 0, 0), 0.5) == (50, 100, 0)
    assert blend((100, 200, 0), (8, 9, 10), 0.0) == (8, 9, 10)
