"""The picture of /stress: whole, legible and honest whatever the markets did or did not say."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.charts import stress as chart
from analysis.charts import stress_index, stress_words
from analysis.charts.canvas import Canvas
from analysis.charts.look import Look
from analysis.closes import Close
from analysis.dependence import Answer
from analysis.depth import history
from analysis.sessions import INSTRUMENTS
from analysis.stress import Stress, View, assess
from analysis.verdict import Verdict
from bot.language import catalogue
from tests.charts.seen import assert_legible, assert_whole, english, words

CHINESE = Look(locale="zh-TW", theme="light", palette="tw", zone="Asia/Taipei")
LOOKS = [Look(), CHINESE, Look(locale="zh-TW", palette="cb"), Look(theme="light", palette="cb")]
PRICES = {"BTC": 90_000.0, "SI": 110.0, "GC": 5_300.0, "ES": 7_000.0, "NQ": 26_000.0, "DXY": 96.0, "CL": 63.0}
SOURCES = {code: f"Yahoo Finance {code}=F" for code in INSTRUMENTS} | {"BTC": "Binance spot"}
CRASH = {"BTC": -0.05, "SI": -0.04, "GC": -0.01, "ES": -0.01, "NQ": -0.02, "DXY": 0.004, "CL": 0.001}
END = date(2026, 2, 5)


def sessions(count: int) -> list[date]:
    days: list[date] = []
    day = END
    while len(days) < count:
        if day.weekday() < 5:
            days.append(day)
        day -= timedelta(days=1)
    return days[::-1]


def made(
    days: int = 130,
    *,
    week: Mapping[str, float] = CRASH,
    without: Sequence[str] = (),
    rested: Sequence[str] = (),
    since: date | None = None,
    later: timedelta = timedelta(hours=14),
    deep: bool = False,
) -> Stress:
    """A calm half year and a last week of equal daily returns; ``rested`` lack the last close."""
    closes = {}
    for place, code in enumerate(INSTRUMENTS):
        price, found = PRICES[code], []
        for n, day in enumerate(dates := sessions(days)):
            ending = n >= len(dates) - 5
            price *= math.exp(week.get(code, 0.0) if ending else 0.01 * math.sin(n * (place + 1.3)))
            closed_at = datetime(day.year, day.month, day.day, 17, tzinfo=ZoneInfo("America/New_York"))
            found.append(Close(day, closed_at.astimezone(UTC), price))
        closes[code] = found[: -1 if code in rested else None]
    closes = {code: found for code, found in closes.items() if code not in without}
    as_of = datetime(2026, 2, 5, 22, tzinfo=UTC) + later
    return assess(
        closes,
        as_of=as_of,
        since=since,
        sources=SOURCES,
        is_sample=True,
        history=history(closes, as_of) if deep else None,
        view=View.HISTORY if deep else View.BOARD,
    )


class Cases(Mapping[str, Stress]):
    """Each is worked out when it is first looked at: every worker loads this file, and most of them draw none."""

    def __init__(self, makers: Mapping[str, Callable[[], Stress]]) -> None:
        self._makers = makers
        self._made: dict[str, Stress] = {}

    def __getitem__(self, name: str) -> Stress:
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)


CASES = Cases(
    {
        "a fall": made,
        "a calm week": partial(made, week=dict.fromkeys(INSTRUMENTS, 0.0)),
        "a rise": partial(made, week={"BTC": 0.03, "ES": 0.02, "NQ": 0.03, "DXY": -0.01, "SI": 0.4}),
        "an enormous one": partial(made, week={"BTC": -1.5, "SI": 2.0, "DXY": 3.0}),
        "no dollar": partial(made, without=["DXY"]),
        "the dollar rested": partial(made, rested=["DXY"]),
        "three rested": partial(made, rested=["BTC", "SI", "CL"]),
        "bitcoin alone is missing": partial(made, without=["BTC"]),
        "stale": partial(made, later=timedelta(days=9)),
        "too young": partial(made, 12),
        "three closes": partial(made, 3),
        "since the last close": partial(made, since=END),
        "since before all closes": partial(made, since=date(2024, 2, 29)),
        "since last year": partial(made, since=date(2025, 11, 3)),
    }
)


def compose(result: Stress, look: Look | None = None) -> Canvas:
    wanted = look or Look()
    return chart.compose(result, wanted, catalogue(wanted.locale).gettext)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("look", LOOKS[:2])
def test_every_picture_is_whole(name: str, look: Look) -> None:
    assert_whole(chart, CASES[name], look)


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("standing", Verdict)
@pytest.mark.parametrize("latest", [Verdict.RISK_OFF_UNCLEAR, Verdict.CALM_MIXED])
def test_every_verdict_fits_in_big_words(look: Look, standing: Verdict, latest: Verdict) -> None:
    canvas = compose(replace(CASES["a fall"], verdict=standing, latest=latest), look)
    assert_legible(canvas)
    _ = catalogue(look.locale).gettext
    title = next(word for word in canvas.words if stress_words.verdict(standing, _) in word.text)
    assert title.text.endswith(stress_words.verdict(standing, _))
    assert title.face.px >= 38
    assert title.box.top < 60


def test_names_moves_and_sigmas_of_all_seven() -> None:
    result = CASES["a fall"]
    canvas = compose(result)
    told = words(canvas)
    # All five fell but the dollar, and at the last two closes alike.
    assert told[:2] == ["Market stress: DELEVERAGING", "since 2 Feb"]
    names = ["Bitcoin", "Silver", "Gold", "S&P 500", "Nasdaq 100", "Dollar index", "WTI oil"]
    rows = [next(word for word in canvas.words if word.text == name) for name in names]
    assert [row.face.px for row in rows] == [30] * 7
    # Five days of -5 % in logarithms: 100 (exp(-0.25) - 1) = -22.1.
    percent = next(word for word in canvas.words if word.text == "−22.1 %")
    assert percent.face.px >= 30
    assert abs(percent.box.middle - rows[0].box.middle) < chart.ROW / 2
    assert "+2.0 %" in told  # exp(0.02), the dollar's
    for move in result.moves:
        assert move.sigma is not None
        sign = "+" if move.sigma > 0 else "−"
        assert f"{sign}{abs(move.sigma):.1f}σ" in told
    start, end = result.moves[0].start.price, result.moves[0].end.price
    assert f"{start:,.0f} → {end:,.0f}" in told


def test_bars_are_to_scale_and_on_their_side() -> None:
    result = CASES["a fall"]
    canvas = compose(result)
    pixels = canvas.pixels()[:, :, :3]
    reach = 1.08 * max(abs(move.sigma or 0) for move in result.moves)
    left, right = chart.BARS
    zero = (left + right) / 2
    for row, move in enumerate(result.moves):
        assert move.sigma is not None
        colour = canvas.colours.up if move.sigma > 0 else canvas.colours.down
        line = pixels[chart.TOP + chart.ROW * row + 19]  # the upper edge of the bar, whole even if hollow
        found = np.flatnonzero((line == colour).all(axis=1))
        length = abs(move.sigma) / reach * (right - left) / 2
        assert len(found) == pytest.approx(length, abs=2)
        assert (found.mean() < zero) == (move.sigma < 0)


def test_whoever_does_not_vote_has_a_hollow_bar_and_says_so() -> None:
    canvas = compose(CASES["a fall"])
    assert [word.endswith("no vote") for word in words(canvas) if "→" in word][1:] == [
        False, False, False, False, True, False, True,
    ]  # fmt: skip
    pixels = canvas.pixels()[:, :, :3]
    middles = [chart.TOP + chart.ROW * row + chart.ROW // 2 for row in range(7)]
    down = [int((pixels[y] == canvas.colours.down).all(axis=1).sum()) for y in middles]
    assert down[3] > 10  # the S&P 500's
    assert down[4] <= 6  # the Nasdaq 100's two edges


def test_whiskers_are_the_intervals() -> None:
    result = CASES["a fall"]
    canvas = compose(result)
    pixels = canvas.pixels()[:, :, :3]
    ruler = chart.Ruler(-1.0, 1.0, *chart.PAIRS)
    for pair in result.correlations:
        row = INSTRUMENTS.index(pair.instrument)
        y = int(chart.TOP + chart.ROW * (row + 0.5) + (-13 if pair.window == 30 else 13))
        found = pair.correlation
        clear = found.low > 0 or found.high < 0
        colour = canvas.colours.ink if clear else canvas.colours.muted
        drawn = np.flatnonzero((pixels[y - 5] == colour).all(axis=1))
        drawn = drawn[(drawn > chart.PAIRS[0] - 20) & (drawn < chart.PAIRS[1] + 20)]
        # Five pixels above the line only the two ends, the dot and the line of nought are drawn.
        assert min(abs(drawn - ruler.x(found.low))) <= 3
        assert min(abs(drawn - ruler.x(found.high))) <= 3


def test_what_is_missing_is_said_and_not_drawn() -> None:
    canvas = compose(CASES["the dollar rested"])
    told = words(canvas)
    assert "Market stress: UNKNOWN" in told
    assert "no 5 Feb close of Dollar index (last 4 Feb)" in told
    assert "last close 4 Feb" in told
    pixels = canvas.pixels()[:, :, :3]
    band = pixels[chart.TOP + 5 * chart.ROW + 2 : chart.TOP + 6 * chart.ROW, chart.BARS[0] : chart.BARS[1]]
    assert not (band == canvas.colours.up).all(axis=2).any()
    assert "no close of Dollar index" in words(compose(CASES["no dollar"]))
    three = "no 5 Feb close of Bitcoin (last 4 Feb), Silver (last 4 Feb), WTI oil (last 4 Feb)"
    assert three in words(compose(CASES["three rested"]))
    assert "the last New York closes are of 5 Feb, too old to judge" in words(compose(CASES["stale"]))


def test_a_date_of_another_year_has_its_year() -> None:
    assert "closes 3 Nov 2025 → 5 Feb 2026" in words(compose(CASES["since last year"]))
    assert "closes 29 Jan → 5 Feb" in words(compose(CASES["a fall"]))


def test_both_languages() -> None:
    told = words(compose(CASES["a fall"], CHINESE))
    assert "市場壓力：去槓桿" in told
    assert "2/2 起" in told
    assert {"比特幣", "白銀", "黃金", "標普 500", "那斯達克 100", "美元指數", "WTI 原油"} <= set(told)
    # Resistance is 壓力, so stress is never said without its market.
    assert all(word.count("壓力") == word.count("市場壓力") for word in told)


def test_alt_text_says_what_the_picture_shows() -> None:
    alt = chart.draw(CASES["a fall"], Look(), english).alt
    assert alt.startswith(
        "Market stress: DELEVERAGING · since 2 Feb · closes 29 Jan → 5 Feb: Bitcoin −22.1 %"
    )
    assert alt.endswith("WTI oil +0.5 %")


def test_the_same_twice_is_the_same_file() -> None:
    first, second = (chart.draw(CASES["a fall"], Look(), english) for _ in range(2))
    assert first == second


def test_a_hostile_source_stays_one_line() -> None:
    sources = {"BTC": "x" * 500, "SI": "two\nlines\u202e", "GC": "💥 boom"}
    result = replace(
        CASES["a fall"],
        inputs=tuple(replace(one, source=sources.get(one.instrument, "")) for one in CASES["a fall"].inputs),
    )
    assert_legible(compose(result))


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    week=st.fixed_dictionaries(dict.fromkeys(INSTRUMENTS, st.floats(-3, 3))),
    rested=st.lists(st.sampled_from(INSTRUMENTS), max_size=3),
    days=st.integers(7, 60),
    look=st.sampled_from(LOOKS),
)
def test_any_week_is_legible(week: dict[str, float], rested: list[str], days: int, look: Look) -> None:
    result = made(days, week=week, rested=rested)
    assert_legible(compose(result, look))
    assert len(chart.alt(result, catalogue(look.locale).gettext)) <= 256


def deep(days: int = 560, **options: Any) -> Stress:
    """Years enough for all three measures, seen by each view."""
    return made(days, deep=True, **options)


DEEP_CASES = Cases(
    {
        "two years": deep,
        "one day of each": partial(deep, 260),
        "no measure yet": partial(made, 30, deep=True),
        "three closes": partial(made, 3, deep=True),
        "no dollar": partial(deep, 300, without=["DXY"]),
        "the dollar rested": partial(deep, 300, rested=["DXY"]),
        "an enormous week": partial(deep, week={"BTC": -1.5, "SI": 2.0, "DXY": 3.0}),
        "a calm week": partial(deep, week=dict.fromkeys(INSTRUMENTS, 0.0)),
        "stale": partial(deep, 300, later=timedelta(days=9)),
    }
)


@pytest.mark.parametrize("name", DEEP_CASES)
@pytest.mark.parametrize("view", [View.INDEX, View.CORRELATION, View.HISTORY])
def test_every_view_is_whole(name: str, view: View) -> None:
    for look in LOOKS:
        assert_whole(chart, replace(DEEP_CASES[name], view=view), look)


@pytest.mark.parametrize("answer", Answer)
def test_every_answer_fits_in_big_words(answer: Answer) -> None:
    [*before, last] = DEEP_CASES["two years"].nearer
    nearer = (*before, replace(last, comparison=replace(last.comparison, answer=answer)))
    for look in LOOKS:
        canvas = compose(replace(DEEP_CASES["two years"], view=View.CORRELATION, nearer=nearer), look)
        assert_legible(canvas)
        told = stress_words.answer(answer, catalogue(look.locale).gettext)
        title = canvas.words[0] if canvas.words[0].face.px >= 38 else canvas.words[1]
        assert title.text.endswith(told)


def test_the_figures_of_the_views_are_those_of_the_result() -> None:
    one = DEEP_CASES["two years"].depth
    assert one is not None
    assert one.index is not None
    assert one.turbulence is not None
    assert one.absorption is not None
    index = words(compose(replace(DEEP_CASES["two years"], view=View.INDEX)))
    assert index[0].startswith("percentile") or index[0] == f"Stress index {one.index.value:.2f} of 1"
    for part in one.index.parts:
        assert f"{part:.3f}".replace("-", "−") in index
    for part in one.turbulence.parts:
        assert f"{part:.2f}".replace("-", "−") in index
    history = words(compose(replace(DEEP_CASES["two years"], view=View.HISTORY)))
    assert f"{one.index.value:.2f}" in history
    assert f"{one.turbulence.ratio:.1f}" in history
    assert f"{100 * one.absorption.ratio:.0f} %" in history


def test_bars_of_parts_are_to_scale_and_hollow_where_they_take_away() -> None:
    one = DEEP_CASES["two years"].depth
    assert one is not None
    assert one.index is not None
    parts = (0.3, -0.1, 0.2, 0.0, 0.1)
    changed = replace(one, index=replace(one.index, parts=parts))
    canvas = compose(replace(DEEP_CASES["two years"], view=View.INDEX, depth=changed))
    pixels = canvas.pixels()[:, :, :3]
    right = canvas.colours.broken
    top = stress_index.TOP - 32 + 14 + stress_index.ROW / 2
    unit = (stress_index.END - stress_index.ZERO) / 0.4
    for row, part in enumerate(parts):
        y = int(top + stress_index.ROW * row)
        edge = pixels[y - stress_index.BAR // 2 + 1]  # whole even if hollow
        found = np.flatnonzero((edge == right).all(axis=1))
        found = found[found >= stress_index.ZERO]
        assert len(found) == pytest.approx(max(2, abs(part) * unit), abs=2)
        inside = np.flatnonzero((pixels[y] == right).all(axis=1))
        assert (len(inside[inside >= stress_index.ZERO]) <= 6) == (part <= 0)


def test_stress_is_never_said_without_its_market_in_any_view() -> None:
    for view in View:
        told = words(compose(replace(DEEP_CASES["two years"], view=view), CHINESE))
        assert all(word.count("壓力") == word.count("市場壓力") for word in told)


@pytest.mark.parametrize("view", [View.INDEX, View.CORRELATION, View.HISTORY])
def test_alt_text_of_a_view_begins_as_its_picture(view: View) -> None:
    alt = chart.draw(replace(DEEP_CASES["two years"], view=view), Look(), english).alt
    canvas = compose(replace(DEEP_CASES["two years"], view=view))
    largest = max(canvas.words, key=lambda word: word.face.px)
    assert alt.startswith(largest.text)


def test_each_market_has_its_beta_of_90_days_muted_where_it_may_be_nought() -> None:
    result = replace(DEEP_CASES["two years"], view=View.CORRELATION)
    canvas = compose(result)
    slopes = {one.instrument: one.same_day for one in result.betas if one.window == 90}
    assert {one.low > 0 or one.high < 0 for one in slopes.values()} == {True, False}
    pixels = canvas.pixels()[:, :, :3]
    told = [word for word in canvas.words if word.text.startswith("beta ")]
    assert len(told) == 6
    for code, word in zip(INSTRUMENTS[1:], told, strict=True):
        one = slopes[code]
        assert float(word.text.removeprefix("beta ").replace("−", "-")) == pytest.approx(one.beta, abs=0.005)
        box = word.box
        inside = pixels[round(box.top) : round(box.bottom), round(box.left) : round(box.right)]
        # Letters are blended at their edges; only inside their strokes they are the colour itself.
        clear = one.low > 0 or one.high < 0
        assert (inside == canvas.colours.ink).all(axis=2).any() == clear
    assert not [word for word in words(compose(replace(result, betas=()))) if word.startswith("beta")]
