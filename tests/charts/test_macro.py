"""The picture of /macro: whole and legible whatever is known, and the missing month said."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from analysis.charts import macro as chart
from analysis.charts.canvas import Canvas
from analysis.charts.look import Look
from analysis.freshness import Freshness
from analysis.macro import Macro, Outcome, Point, Track, assess
from bot.language import catalogue
from tests.charts.made import LOOKS
from tests.charts.seen import assert_legible, assert_whole, english, words

AT = datetime(2026, 2, 5, 18, tzinfo=UTC)
CHINESE = Look(locale="zh-TW", theme="light", palette="tw", zone="Asia/Taipei")


def series(first: date, *values: float) -> list[Point]:
    days = [first + timedelta(days=n) for n in range(len(values))]
    return [
        Point(day, datetime(day.year, day.month, day.day, tzinfo=UTC), value)
        for day, value in zip(days, values, strict=True)
    ]


def steps(*ranges: tuple[int, float]) -> list[float]:
    return [value for days, value in ranges for _ in range(days)]


FIRST = date(2024, 6, 1)
HIGHS = steps((110, 5.5), (200, 5.0), (200, 4.0), (104, 3.75))  # to 5 February 2026
# Every month of two years but October 2025: a tenth more each, from 300.
CPI = [
    Point(date(2024 + n // 12, n % 12 + 1, 1), datetime(2024, 1, 1, tzinfo=UTC), 300 + 0.8 * n)
    for n in range(24)
    if n != 21
]
WAVE = [60 + 5 * float(np.sin(n / 9)) for n in range(400)]


def made(*, high: list[float] = HIGHS, cpi: list[Point] = CPI, wave: list[float] = WAVE) -> Macro:
    track = Track(points=series(date(2025, 1, 2), *wave), source="Yahoo Finance CL=F")
    upper = series(FIRST, *high)
    return assess(
        lower=[Point(one.dated, one.known_at, one.value - 0.25) for one in upper],
        upper=upper,
        cpi=cpi,
        breakeven=Track(points=[replace_value(one, one.value / 27) for one in track.points], source="FRED"),
        oil=track,
        dollar=track,
        decisions=(datetime(2026, 1, 28, 19, tzinfo=UTC), datetime(2026, 3, 18, 18, tzinfo=UTC)),
        releases=(
            (date(2025, 12, 1), datetime(2026, 1, 13, 13, 30, tzinfo=UTC)),
            (date(2026, 1, 1), datetime(2026, 2, 13, 13, 30, tzinfo=UTC)),
        ),
        as_of=AT,
        source="FRED",
        is_sample=True,
    )


def replace_value(point: Point, value: float) -> Point:
    return point._replace(value=value)


WHOLE = made()
CASES = {
    "the week of the sell-off": WHOLE,
    "no range": replace(WHOLE, target=None),
    "no prices": replace(WHOLE, inflation=None),
    "no markets": replace(WHOLE, breakeven=None, oil=None, dollar=None),
    "only oil": replace(WHOLE, target=None, inflation=None, breakeven=None, dollar=None),
    "one day of each": made(high=[3.75], cpi=CPI[-1:], wave=[97.6]),
    "never moved": made(high=[0.25] * 400, wave=[5.0] * 50),
    "below nought": made(wave=[-36.98, 10.0, -1.0]),
    "prices that fall": made(cpi=[one._replace(value=400 - one.value) for one in CPI]),
    "eight months missing": made(cpi=[*CPI[:12], *CPI[-3:]]),
    "no year to compare": made(cpi=CPI[-2:]),
    "outside the table": replace(WHOLE, meetings=replace(WHOLE.meetings, last=None, outcome=None, next=None)),
    "not in the series yet": replace(WHOLE, meetings=replace(WHOLE.meetings, outcome=None)),
    "a meeting today": replace(WHOLE, meetings=replace(WHOLE.meetings, next=AT + timedelta(hours=1))),
    "stale": replace(
        WHOLE,
        **{
            name: replace(getattr(WHOLE, name), freshness=Freshness.STALE)
            for name in ("target", "breakeven", "oil", "dollar")
        },
    ),
}


def compose(result: Macro, look: Look | None = None) -> Canvas:
    wanted = look or Look()
    return chart.compose(result, wanted, catalogue(wanted.locale).gettext)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("look", [Look(), CHINESE])
def test_every_picture_is_whole(name: str, look: Look) -> None:
    assert_whole(chart, CASES[name], look)


@pytest.mark.parametrize(
    "look", [replace(look, locale=locale) for look in LOOKS for locale in ("en", "zh-TW")]
)
@pytest.mark.parametrize("outcome", [None, *Outcome])
def test_every_look_and_outcome_is_legible(look: Look, outcome: Outcome | None) -> None:
    assert_legible(compose(replace(WHOLE, meetings=replace(WHOLE.meetings, outcome=outcome)), look))


def test_the_range_is_read_first() -> None:
    canvas = compose(WHOLE)
    title = canvas.words[0]
    assert (title.text, title.face.px) == ("Fed 3.50–3.75 %", 56)
    told = words(canvas)
    assert "since 24 Oct 2025" in told  # 104 days up to 5 February; there was no meeting on the 23rd
    assert "Last meeting 28 Jan: unchanged · next 18 Mar 2026, in 41 days" in told


def test_the_missing_month_is_a_mark_and_said() -> None:
    canvas = compose(WHOLE)
    assert "missing, never published: Oct 2025" in words(canvas)
    pixels = canvas.pixels()[:, :, :3]
    step = chart.RIGHT.width / 13
    for place in range(13):
        left = int(chart.RIGHT.left + place * step)
        column = pixels[int(chart.RIGHT.bottom - 60) : int(chart.RIGHT.bottom - 40), left : int(left + step)]
        marked = bool((column == canvas.colours.broken).all(axis=2).any())
        assert marked == (place == 10)  # December 2024 is the first, October 2025 the eleventh
    october = Point(date(2025, 10, 1), datetime(2025, 11, 13, tzinfo=UTC), 316.8)
    whole = made(cpi=sorted([*CPI, october]))
    assert not any("missing" in word for word in words(compose(whole)))


def test_bars_are_to_scale() -> None:
    """300 + 0.8 n on 300 + 0.8 (n - 12): the last is 9.6 / 308.8 = 3.11 %, the first 9.6 / 300 = 3.2 % less."""
    canvas = compose(WHOLE)
    pixels = canvas.pixels()[:, :, :3]
    step = chart.RIGHT.width / 13
    inflation = WHOLE.inflation
    assert inflation is not None
    assert inflation.last.yoy_pct == pytest.approx(100 * 9.6 / 308.8)
    heights = {}
    for place, month in enumerate(inflation.months):
        middle = int(chart.RIGHT.left + (place + 0.5) * step)
        colour = canvas.colours.ink if month is inflation.last else canvas.colours.muted
        rows = pixels[int(chart.RIGHT.top + 112) : int(chart.RIGHT.bottom), middle]
        heights[place] = int((rows == colour).all(axis=1).sum())
    known = {place: month.yoy_pct for place, month in enumerate(inflation.months) if month.yoy_pct}
    tallest = max(known, key=lambda place: known[place] or 0)
    for place, value in known.items():
        share = (value or 0) / (known[tallest] or 1)
        assert heights[place] == pytest.approx(share * heights[tallest], abs=2)


def test_what_is_stale_is_pale_and_says_so() -> None:
    told = words(compose(CASES["stale"]))
    assert sum(word.endswith("· stale") for word in told) == 4  # three tiles and the foot


def test_both_languages() -> None:
    told = words(compose(WHOLE, CHINESE))
    assert told[0] == "聯準會 3.50–3.75 %"
    assert "缺漏，從未公布：2025/10" in told


def test_alt_text_says_what_the_picture_shows() -> None:
    alt = chart.draw(WHOLE, Look(), english).alt
    assert alt.startswith(
        "Fed 3.50–3.75 % · since 24 Oct 2025 · Last meeting 28 Jan: unchanged · next 18 Mar"
    )
    assert "consumer prices +" in alt
