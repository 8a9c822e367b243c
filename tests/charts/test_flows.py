"""The picture of /flows: whole, legible, to scale, with zero, silence and a holiday told apart."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from analysis.charts import flow_words
from analysis.charts import flows as chart
from analysis.charts.canvas import Canvas
from analysis.charts.look import Look
from analysis.charts.scale import Scale
from analysis.charts.theme import RGB, colours
from analysis.flows import DayState, Flows, Regime
from bot.language import catalogue
from tests.charts import made, made_flows
from tests.charts.seen import assert_legible, assert_whole, english, words

PARTIAL = made_flows.report(date(2025, 3, 20), -120.3, DayState.PARTIAL, ("IBIT", "FBTC"))
CASES = {
    "thirty days": made_flows.flows(made_flows.waves(120)),
    "two weeks": made_flows.flows(made_flows.waves(60), shown=13, closed=(52,)),
    "a season": made_flows.flows(made_flows.waves(200), shown=88, closed=(120, 141, 168)),
    "years": made_flows.flows(made_flows.waves(700), shown=700, closed=(10, 300)),
    "one day": made_flows.flows([655.3]),
    "one day of loss": made_flows.flows([-95.1]),
    "one zero": made_flows.flows([0.0]),
    "all zero": made_flows.flows([0.0] * 25),
    "zeros between": made_flows.flows([100.0, 0.0, -50.0, 0.0, 0.0, 20.0] * 5),
    "only inflow": made_flows.flows([float(n) for n in range(1, 41)]),
    "only outflow": made_flows.flows([-float(n) for n in range(1, 41)]),
    "partial and silent": made_flows.flows(made_flows.waves(50), after=[PARTIAL], silent=2, closed=(48,)),
    "long silence": made_flows.flows(made_flows.waves(50), silent=200),
    "huge": made_flows.flows([123_456.7, -98_765.4] * 20),
    "tiny": made_flows.flows([0.1, -0.1, 0.2] * 10),
    "one giant": made_flows.flows([1.0] * 20 + [-9_000.0] + [1.0] * 8),
    "nothing in the window": replace(made_flows.flows([1.0] * 30), days=()),
    "only silence in the window": replace(
        made_flows.flows(made_flows.waves(30), silent=1),
        days=made_flows.flows(made_flows.waves(30), silent=1).days[-1:],
    ),
}
LOOKS = [Look(), Look(locale="zh-TW", theme="light", palette="tw", zone="Asia/Taipei")]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("look", LOOKS)
def test_every_picture_is_whole(name: str, look: Look) -> None:
    assert_whole(chart, CASES[name], look)


@pytest.mark.parametrize("regime", Regime)
@pytest.mark.parametrize("look", LOOKS)
def test_the_answer_is_large_and_first_whatever_the_regime(regime: Regime, look: Look) -> None:
    result = replace(made_flows.flows([*made_flows.waves(60), -8_001.6]), regime=regime)
    canvas = chart.compose(result, look, catalogue(look.locale).gettext)
    title = canvas.words[-2]
    assert title.face.px >= 30
    assert title.box.top < 60
    assert "…" not in title.text
    assert flow_words.regime(regime, catalogue(look.locale).gettext) in title.text


def test_what_is_said() -> None:
    # 40 days of +10 and two of −30: the pile was 400 and is 340, 15 % less.
    canvas = chart.compose(made_flows.flows([10.0] * 40 + [-30.0, -30.0]), Look(), english)
    said = words(canvas)
    assert "BTC ETF 28 Feb −30.0 US$ m · outflow streak 2 · ACCUMULATION" in said
    assert {"28 of 30 positive", "sum +220.0", "−30.0", "last 5 days", "last 20, 18 positive"} <= set(said)
    assert {"−60.0", "cushion −15.0 %", "340.0"} <= set(said)
    assert "cumulative net flow, US$ m · highest 400.0 on 26 Feb" in said
    assert "Feb +120.0" in said or "Feb +120.0 so far" in said
    assert "Farside Investors · final to 28 Feb · US trade dates" in said
    big = [w.face.px for w in canvas.words if w.text in {"28 of 30 positive", "−60.0", "340.0"}]
    assert big == [30] * 3


def test_chinese_counts_in_hundred_millions() -> None:
    canvas = chart.compose(
        made_flows.flows([10.0] * 40 + [-30.0, -30.0]), Look(locale="zh-TW"), catalogue("zh-TW").gettext
    )
    said = words(canvas)
    assert "BTC ETF 2/28 −0.30 億美元 · 連 2 日淨流出 · 持續流入" in said
    assert {"30 日中 28 日流入", "−0.60", "3.40", "每日淨流量（億美元）"} <= set(said)


def pixels_of(canvas: Canvas, colour: RGB) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (canvas.pixels()[:, :, :3] == np.array(colour)).all(axis=2)
    return found


def test_bars_stand_on_zero_and_are_to_scale() -> None:
    result = made_flows.flows([200.0, -100.0] * 15)
    canvas = chart.compose(result, Look(), english)
    wear = colours(Look())
    scale = Scale(*chart.span(result.days), chart.TOP, chart.ZERO_BOTTOM)
    zero = scale.y(0.0)
    up = np.flatnonzero(pixels_of(canvas, wear.up).any(axis=1))
    down = np.flatnonzero(pixels_of(canvas, wear.down).any(axis=1))
    assert (up.min(), up.max()) == (pytest.approx(scale.y(200.0), abs=1), pytest.approx(zero, abs=2))
    assert (down.min(), down.max()) == (pytest.approx(zero, abs=2), pytest.approx(scale.y(-100.0), abs=1.5))
    # Twice as much is twice as long.
    assert (zero - up.min()) / (down.max() - zero) == pytest.approx(2, rel=0.03)


@pytest.mark.parametrize("look", made.LOOKS)
def test_up_and_down_follow_the_palette(look: Look) -> None:
    canvas = chart.compose(made_flows.flows([100.0] * 5 + [-100.0] * 5), look, english)
    wear = colours(look)
    assert pixels_of(canvas, wear.up)[: int(chart.ZERO_BOTTOM)].any()
    assert pixels_of(canvas, wear.down)[: int(chart.ZERO_BOTTOM)].any()


def test_zero_silence_a_part_and_a_holiday_look_different() -> None:
    """Each has a mark of its own in the picture and a word in the key, and only if it is there."""
    names = {"zero": 0, "not reported": 0, "partly reported": 0, "market closed": 0}
    plain = words(chart.compose(made_flows.flows([10.0] * 12), Look(), english))
    assert not names.keys() & set(plain)
    totals = [10.0] * 11 + [0.0, 10.0]
    after = [
        made_flows.report(day, total, state, ("IBIT", "FBTC"))
        for day, total, state in zip(
            made_flows.weekdays(2, date(2025, 1, 22)),
            (-5.0, None),
            (DayState.PARTIAL, DayState.PENDING),
            strict=True,
        )
    ]
    result = made_flows.flows(totals, after=after, closed=(5,))
    canvas = chart.compose(result, Look(), english)
    assert names.keys() <= set(words(canvas))
    slots = chart.Slots(chart.shown(result), *_sides(result))
    wear = colours(Look())
    looks = {}
    for i, day in enumerate(slots.days):
        if day.state is DayState.FINAL and day.total_musd:
            continue
        left, right = int(slots.edge(i)) + 1, int(slots.edge(i + 1))
        area = canvas.pixels()[chart.TOP : chart.ZERO_BOTTOM, left:right, :3].reshape(-1, 3)
        inks = {
            "ring": wear.ink,
            "diamond": wear.broken,
            "band": chart.shade(wear),
            "bar": wear.down,
        }
        looks[str(day.state) + str(day.total_musd)] = frozenset(
            name for name, ink in inks.items() if (area == np.array(ink)).all(axis=1).sum() > 12
        )
    assert len(set(looks.values())) == len(looks) == 4, looks
    assert looks["closedNone"] == {"band"}
    assert looks["pendingNone"] == {"diamond"}
    assert looks["final0.0"] == {"ring"}
    # Its figure is set in ink, so only the marks are compared.
    assert looks["partial-5.0"] - {"ring"} == {"bar", "diamond"}


def _sides(result: Flows) -> tuple[float, float]:
    """Left and right of the slots, from where the axis names its days."""
    canvas = chart.compose(result, Look(), english)
    count = len(chart.shown(result))
    ticks = {w.text: (w.box.left + w.box.right) / 2 for w in canvas.words if w.box.middle == chart.DATES_LINE}
    places = {day.date.strftime("%-d %b"): i for i, day in enumerate(chart.shown(result))}
    (first, one), (last, other) = (
        (places[text], x) for text, x in sorted(ticks.items(), key=lambda t: places[t[0]])[:: len(ticks) - 1]
    )
    slot = (other - one) / (last - first)
    return one - (first + 0.5) * slot, one + (count - first - 0.5) * slot


def test_a_long_silence_is_counted_not_drawn() -> None:
    result = made_flows.flows([10.0] * 40, silent=50)
    assert len(chart.shown(result)) == 30 + chart.MOST_PENDING
    assert "not reported, 47 more days" in words(chart.compose(result, Look(), english))


def test_the_last_the_worst_and_the_best_day_have_their_figures() -> None:
    totals = [10.0, -20.0] * 20
    totals[12], totals[27], totals[-1] = 500.0, -400.0, -33.3
    said = words(chart.compose(made_flows.flows(totals), Look(), english))
    assert {"+500.0", "−400.0", "−33.3"} <= set(said)


def test_the_last_day_has_its_figure_beside_longer_bars() -> None:
    totals = [50.0, -900.0] + [50.0, -40.0] * 39 + [-300.0, -600.0, -434.1]
    canvas = chart.compose(made_flows.flows(totals, shown=83), Look(), english)
    assert {"−900.0", "−434.1"} <= set(words(canvas))


def test_months_on_the_axis_are_evenly_apart() -> None:
    canvas = chart.compose(made_flows.flows(made_flows.waves(200), shown=200), Look(), english)
    named = [w for w in words(canvas) if re.fullmatch(r"[A-Z][a-z]{2} 2025", w)]
    numbers = sorted("JanFebMarAprMayJunJulAugSepOctNovDec".index(w[:3]) // 3 for w in named)
    assert len(numbers) >= 3
    assert len(set(np.diff(numbers))) == 1


def test_few_days_all_have_their_figures() -> None:
    totals = [55.5, -44.4, 33.3, -22.2, 11.1]
    said = words(chart.compose(made_flows.flows(totals), Look(), english))
    assert {"+55.5", "−44.4", "+33.3", "−22.2", "+11.1"} <= set(said)


def test_months_stand_side_by_side() -> None:
    result = made_flows.flows([10.0] * 80, shown=80)
    said = words(chart.compose(result, Look(), english))
    # January 2025 has 22 weekdays from the 2nd on, February 20, March 21; the rest is April's.
    assert [w for w in said if re.match(r"(Jan|Feb|Mar|Apr) [+−]", w)] == [
        "Jan +220.0",
        "Feb +200.0",
        "Mar +210.0",
        "Apr +170.0 so far",
    ]


def test_a_month_of_which_a_part_is_shown_says_that_it_is_whole() -> None:
    # Shown from the 11th of 80 weekdays from 2 January 2025 on: January has 22, of which 12 are shown.
    said = words(chart.compose(made_flows.flows([10.0] * 80, shown=70), Look(), english))
    assert "whole Jan +220.0" in said
    assert "Feb +200.0" in said


def test_where_days_are_narrow_months_carry_their_year() -> None:
    said = words(chart.compose(made_flows.flows([10.0] * 400, shown=400), Look(), english))
    assert "May 2026 +210.0" in said


def test_at_the_highest_there_is_no_cushion() -> None:
    said = words(chart.compose(made_flows.flows([10.0] * 30), Look(), english))
    assert not [w for w in said if w.startswith("cushion")]
    assert "300.0" in said


def test_alt_text_says_what_the_picture_shows() -> None:
    alt = chart.draw(made_flows.flows([10.0] * 40 + [-30.0, -30.0], silent=1), Look(), english).alt
    assert alt == (
        "BTC spot ETF net flow: −30.0 US$ m on 28 Feb, the last final day. Days not reported yet: 1. "
        "Since 20 Jan 28 of 30 days positive, sum +220.0. Outflow streak 2, cushion −60.0, ACCUMULATION."
    )


def test_the_same_twice_is_the_same_file() -> None:
    first, second = (chart.draw(CASES["a season"], Look(), english) for _ in range(2))
    assert first == second


def test_looks_differ() -> None:
    assert len({chart.draw(CASES["thirty days"], look, english).png for look in made.LOOKS}) == 6


NASTY = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["$\\frac{1}{$", "\u202e\u2066reversed", "🚀" * 50, "x" * 10_000, "\x00\x1b[31m", "{price}", "%s %(a)s"]),
)  # fmt: skip
TOTALS = st.lists(st.integers(-20_000, 20_000).map(lambda tenths: tenths / 10), min_size=1, max_size=90)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(totals=TOTALS, silent=st.integers(0, 5), asset=NASTY, source=NASTY, look=st.sampled_from(LOOKS))
def test_whatever_comes_the_words_stay_apart(
    totals: list[float], silent: int, asset: str, source: str, look: Look
) -> None:
    result = made_flows.flows(totals, silent=silent, shown=len(totals), asset=asset, source=source)
    gettext = catalogue(look.locale).gettext
    assert_legible(chart.compose(result, look, gettext))
    assert len(chart.draw(result, look, gettext).alt) <= 256


def test_a_week_is_five_slots() -> None:
    result = made_flows.flows([1.0] * 30)
    days = chart.shown(result)
    assert any(b.date - a.date == timedelta(days=3) for a, b in itertools.pairwise(days))
    slots = chart.Slots(days, 0.0, 900.0)
    assert {round(slots.edge(i + 1) - slots.edge(i), 6) for i in range(len(days))} == {30.0}
