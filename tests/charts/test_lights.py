"""The picture of /lights: whole and legible in every state, told by shape as well as by colour."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.charts import lights as chart
from analysis.charts import lights_words
from analysis.charts.canvas import Canvas
from analysis.charts.look import Look
from analysis.five_days import FiveDays
from analysis.flows import Day, DayState
from analysis.freshness import Freshness
from analysis.levels import Level, LevelState
from analysis.levels import State as LineState
from analysis.lights import (
    Coming,
    EventKind,
    FlowLight,
    Light,
    Lights,
    LineLight,
    MacroLight,
    Rise,
    SilverLight,
    State,
    Thresholds,
    Why,
)
from analysis.macro import Point
from bot.language import catalogue
from tests.charts.made import LOOKS
from tests.charts.seen import assert_legible, assert_whole, english, words

AT = datetime(2026, 2, 5, 18, tzinfo=UTC)
CHINESE = Look(locale="zh-TW", theme="light", palette="tw", zone="Asia/Taipei")


def light(state: State, why: Why = Why.STALE) -> Light:
    since = datetime(2026, 1, 28, 5, tzinfo=UTC)
    return Light(state=state, since=since, why=why if state is State.UNKNOWN else None)


def move(z: float, *, fresh: Freshness = Freshness.FRESH, source: str = "Yahoo Finance SI=F") -> FiveDays:
    return FiveDays(
        last=Point(date(2026, 2, 4), AT - timedelta(hours=20), 84.165), z=z, low=81.46, high=159.64,
        course=((AT, z),), source=source, freshness=fresh,
    )  # fmt: skip


def level(state: LineState) -> LevelState:
    counting = state in {LineState.BREAKING, LineState.RECLAIMING}
    return LevelState(
        level=Level(price=73_600.0, label=""), state=state, since=AT, first_close_below=None,
        distance_pct=11.3, distance_atr=None, bars_held=1 if counting else None,
        bars_needed=8 if counting else None,
        invalidation=None if state is LineState.UNKNOWN else 73_885.0, retested_at=None, events=(),
    )  # fmt: skip


def made(
    states: tuple[State, State, State, State],
    *,
    line: LineState = LineState.BROKEN,
    z: float = 3.2,
    why: Why = Why.STALE,
    latest: DayState = DayState.FINAL,
) -> Lights:
    one, two, three, four = (light(state, why) for state in states)
    day = Day(
        date=date(2026, 2, 5),
        state=latest,
        total_musd=None,
        cumulative_musd=None,
        funds={},
        sole_outflow=None,
    )
    rise = Rise(known_at=AT - timedelta(days=6), effective=AT - timedelta(days=3), pct=36.4)
    return Lights(
        as_of=AT,
        thresholds=Thresholds(),
        is_own=False,
        line=LineLight(
            light=one, level=level(line), price=66_153.9, price_at=AT, source="Binance USD-M, BTCUSDT perpetual",
            freshness=Freshness.FRESH,
        ),
        flows=FlowLight(
            light=two, sum_musd=-1_582.6, next_needed=764.8, last_date=date(2026, 2, 4), latest=day,
            source="Farside Investors", freshness=Freshness.FRESH,
        ),
        macro=MacroLight(
            light=three, dollar=move(z), breakeven=move(-0.3, source="FRED"),
            coming=Coming(kind=EventKind.CPI, at=AT + timedelta(days=8)),
        ),
        silver=SilverLight(light=four, silver=move(-z), rise=rise, rise_stands=True),
        is_sample=True,
    )  # fmt: skip


def nothing() -> Lights:
    gone = Light(state=State.UNKNOWN, since=None, why=Why.MISSING)
    return Lights(
        as_of=AT, thresholds=Thresholds(), is_own=False, line=LineLight(light=gone, level=None),
        flows=FlowLight(light=gone), macro=MacroLight(light=gone), silver=SilverLight(light=gone),
        is_sample=False,
    )  # fmt: skip


G, R, U = State.GREEN, State.RED, State.UNKNOWN
SELL_OFF = made((R, R, G, R))


def compose(result: Lights, look: Look | None = None) -> Canvas:
    wanted = look or Look()
    return chart.compose(result, wanted, catalogue(wanted.locale).gettext)


@pytest.mark.parametrize(
    "look", [replace(look, locale=locale) for look in LOOKS for locale in ("en", "zh-TW")]
)
@pytest.mark.parametrize("states", [(R, R, G, R), (G, G, G, G), (U, U, U, U)])
def test_every_picture_is_whole(look: Look, states: tuple[State, State, State, State]) -> None:
    assert_whole(chart, made(states), look)


@pytest.mark.parametrize("look", [Look(), CHINESE])
@pytest.mark.parametrize("line", list(LineState))
@pytest.mark.parametrize("why", list(Why))
def test_every_state_of_the_line_and_every_reason_is_legible(look: Look, line: LineState, why: Why) -> None:
    for states in ((G, G, G, G), (R, R, R, R), (U, U, U, U)):
        assert_legible(compose(made(states, line=line, why=why), look))
    assert_legible(compose(nothing(), look))


def test_the_lamps_differ_in_shape_not_only_in_colour() -> None:
    """In grey: a disc fills its middle and its top corners; a triangle not those; a ring is hollow but for its mark."""
    canvas = compose(made((G, R, U, G)))
    ink: NDArray[np.bool_] = (canvas.pixels()[:, :, :3] != canvas.colours.background).any(axis=2)

    def filled(place: int) -> NDArray[np.bool_]:
        middle, x = int(chart.TOP + (place + 0.5) * chart.ROW), chart.MARGIN + chart.LAMP + 10
        return ink[middle - 40 : middle + 40, x - 40 : x + 40]

    disc, triangle, ring = filled(0), filled(1), filled(2)
    corner = np.s_[14:22, 14:22]
    assert disc[corner].mean() > 0.6
    assert triangle[corner].mean() < 0.1
    assert disc[36:44, 10:70].mean() > 0.9
    assert ring[36:44, 12:24].mean() < 0.2


@pytest.mark.parametrize(
    ("palette", "on", "off"),
    [("intl", "2bc48a", "f0474f"), ("tw", "2bc48a", "f0474f"), ("cb", "4ea8f5", "e66f1e")],
)
def test_on_is_green_in_taiwan_too_and_blue_for_the_colour_blind(palette: str, on: str, off: str) -> None:
    look = Look(palette=palette)  # type: ignore[arg-type] # one of the three
    pixels = compose(made((G, R, R, R)), look).pixels()[:, :, :3]
    x = chart.MARGIN + chart.LAMP + 10
    for place, colour in ((0, on), (1, off)):
        middle = int(chart.TOP + (place + 0.5) * chart.ROW) + 8
        assert bytes(pixels[middle, x]).hex() == colour


def test_the_answer_is_read_first() -> None:
    canvas = compose(SELL_OFF)
    assert (canvas.words[0].text, canvas.words[0].face.px) == ("Lights: 1 of 4 on", 56)
    titles = [word for word in canvas.words if word.face in chart.NAMES]
    assert [word.text for word in titles] == [
        "Line 73,600: not held",
        "ETF flows: not steady",
        "Macro: calm",
        "Silver and margin: not quiet",
    ]
    told = words(canvas)
    assert "price 66,154 · broken" in told
    assert "on after 8 closes above 73,600, the first over 73,885" in told
    assert "on if the next day brings +764.8 US$ m or more" in told
    assert told.count("since 28 Jan 05:00") == 3


def test_a_five_day_move_has_its_day_told_once_where_it_is_the_same() -> None:
    assert "five days to 4 Feb: dollar +3.2σ · breakeven −0.3σ · CPI release 13 Feb 18:00" in words(
        compose(SELL_OFF)
    )
    assert "five days to 4 Feb: silver −3.2σ · margin +36.4 % from 2 Feb" in words(compose(SELL_OFF))
    later = replace(move(3.2), last=Point(date(2026, 2, 5), AT, 97.6), freshness=Freshness.CLOSED)
    awaited = move(-0.3, fresh=Freshness.PENDING, source="FRED")
    apart = replace(SELL_OFF, macro=replace(SELL_OFF.macro, dollar=later, breakeven=awaited))
    canvas = compose(apart)
    told = "five days to 5 Feb: dollar +3.2σ · to 4 Feb: breakeven −0.3σ · CPI release 13 Feb 18:00"
    assert told in words(canvas)
    assert "至 2/5 五日：美元 +3.2σ · 至 2/4：兩平通膨率 −0.3σ · CPI 公布 2/14 02:00" in words(
        compose(apart, CHINESE)
    )
    assert_legible(canvas)


def test_what_is_overdue_says_so_beside_its_figure() -> None:
    late = replace(SELL_OFF, silver=replace(SELL_OFF.silver, silver=move(-3.2, fresh=Freshness.LATE)))
    assert "five days to 4 Feb: silver −3.2σ (late) · margin +36.4 % from 2 Feb" in words(compose(late))
    assert words(compose(late))[-1].endswith(" · late")
    assert "至 2/4 五日：白銀 −3.2σ（延遲） · 保證金 2/2 起 +36.4 %" in words(compose(late, CHINESE))


def test_the_reader_s_clock() -> None:
    told = words(compose(SELL_OFF, CHINESE))
    assert told[:2] == ["四燈：4 盞亮 1 盞", "2/6 02:00 · Asia/Taipei"]
    assert "自 1/28 13:00 起" in told


def test_unknown_says_why_and_never_on_or_off() -> None:
    for why, said in (
        (Why.STALE, "stale"),
        (Why.NOT_REPORTED, "not reported yet"),
        (Why.TOO_FEW, "too few values"),
    ):
        told = words(compose(made((U, U, U, U), why=why)))
        assert told[0] == "Lights: 0 of 4 on, 4 unknown"
        assert sum("unknown" in word for word in told) == 5
        assert sum(said in word for word in told) >= 4
        assert not any(word.startswith(("on ", "off ")) for word in told)
    assert words(compose(nothing())).count("nothing to go by") == 4


@pytest.mark.parametrize(
    ("latest", "said"),
    [
        (DayState.PENDING, "5 Feb: not reported yet"),
        (DayState.PARTIAL, "5 Feb: partly reported"),
        (DayState.CLOSED, "5 Feb: market closed"),
    ],
)
def test_what_the_last_day_is_where_it_is_no_figure(latest: DayState, said: str) -> None:
    told = words(compose(made((R, R, G, R), latest=latest)))
    assert f"five days to 4 Feb: −1,582.6 US$ m · {said}" in told


@pytest.mark.parametrize("line", list(LineState))
@pytest.mark.parametrize("states", [(G, G, G, G), (R, R, R, R)])
def test_what_would_change_it_follows_the_state(
    line: LineState, states: tuple[State, State, State, State]
) -> None:
    voice = chart._voice(Look(), english)
    flips = lights_words.tell(made(states, line=line), voice)[0].flips
    expected = {
        LineState.ABOVE: "off after 2 closes below 73,600, the first under 73,885",
        LineState.RECLAIMED: "off after 2 closes below 73,600, the first under 73,885",
        LineState.BREAKING: "more closes below 73,600 until off: 7",
        LineState.BROKEN: "on after 8 closes above 73,600, the first over 73,885",
        LineState.RECLAIMING: "more closes above 73,600 until on: 7",
        LineState.UNKNOWN: "known with the next bars",
    }
    assert flips == expected[line]


def test_alt_text_says_what_the_picture_shows() -> None:
    alt = chart.draw(SELL_OFF, Look(), english).alt
    assert alt.startswith(
        "Lights: 1 of 4 on · Line 73,600: not held (since 28 Jan 05:00) · ETF flows: not steady"
    )
    assert len(alt) <= 256
