"""The picture of /levels: whole, legible, honest to scale, whatever it is given."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.auto_levels import AutoLevel
from analysis.charts import levels as chart
from analysis.charts.canvas import Canvas
from analysis.charts.look import Look
from analysis.charts.scale import Scale
from analysis.charts.theme import colours
from analysis.levels import Candles, Interval, Levels, State
from tests.charts import made
from tests.charts.seen import assert_legible, assert_whole, english, words

# Only what a test must recognise: the order of words changes, and a date loses its month's name.
CHINESE = {
    "{instrument} {interval} · {price} · next floor {floor} {percent} · {atr} ATR":
        "{instrument} {interval} · {price} · 下一層支撐 {floor} {percent} · {atr} ATR",
    "{state} since {time}": "{state}（{time} 起）",
    "air pocket {percent} · {atr} ATR": "支撐真空帶 {percent} · {atr} ATR",
    "broken": "已跌破", "price above": "守在上方", "30m": "30 分", "%-d %b": "%-m/%-d",
}  # fmt: skip


def chinese(text: str) -> str:
    return CHINESE.get(text, text)


def without_bars(result: Levels, keep: slice | list[int]) -> Levels:
    bars = result.candles
    return replace(
        result,
        candles=Candles(
            opened_at=bars.opened_at[keep],
            open=bars.open[keep],
            high=bars.high[keep],
            low=bars.low[keep],
            close=bars.close[keep],
            volume=bars.volume[keep],
        ),
    )


CASES = {
    "a week": made.levels(),
    "one bar": made.levels(1),
    "two thousand bars": made.levels(2000),
    "daily": made.levels(made.candles(90, seconds=86_400), interval=Interval.D1),
    "no levels": made.levels(book=()),
    "all above": made.levels(book=[(70_000.0 + 4000 * k, f"level {k}") for k in range(7)]),
    "all below": made.levels(book=[(20_000.0 + 6000 * k, f"level {k}") for k in range(7)]),
    "on top of each other": made.levels(book=[(65_000.0 + 150 * k, f"level {k}") for k in range(12)]),
    "gaps": without_bars(made.levels(), [*range(60), *range(150, 152), *range(300, 336)]),
    "no bars": without_bars(made.levels(), slice(0, 0)),
    "no atr": made.levels(atr=None),
    "flat": made.levels(
        Candles(
            opened_at=1_769_558_400 + 1800 * np.arange(50, dtype=np.int64),
            **{name: np.full(50, 66_000.0) for name in ("open", "high", "low", "close")},
            volume=np.zeros(50),
        )
    ),
    "cheap": made.levels(made.candles(200, first=0.012, last=0.010), book=[(0.0099, "a"), (0.011, "b")]),
    "holes": made.levels(
        replace(made.candles(100), high=np.where(np.arange(100) % 9 == 4, np.nan, made.candles(100).high))
    ),
    **{f"all {state}": made.levels(state=state) for state in State},
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    "look", [Look(), Look(locale="zh-TW", theme="light", palette="tw", zone="Asia/Taipei")]
)
def test_every_picture_is_whole(name: str, look: Look) -> None:
    assert_whole(chart, CASES[name], look)


def test_the_answer_is_large_and_first() -> None:
    canvas = chart.compose(made.levels(), Look(), english)
    title = next(w for w in canvas.words if w.text.startswith("BTC 30m"))
    price = made.levels().price
    drop, atrs = 100 * (56_100 / price - 1), (price - 56_100) / 3000
    assert title.text == f"BTC 30m · {price:,.0f} · next floor 56,100 −{-drop:.1f} % · {atrs:.1f} ATR"
    assert title.face.px >= 30
    assert title.box.top < 60
    figures = [w for w in canvas.words if w.text.startswith(("83,500", "77,000", "73,600", "56,100"))]
    assert [w.face.px for w in figures] == [30] * 4
    pocket = next(w for w in canvas.words if w.text.startswith("air pocket"))
    assert pocket.text == f"air pocket {100 * 17_500 / 73_600:.1f} % · 5.8 ATR"
    assert pocket.face.px == 30


def test_a_level_is_level_with_its_rule_and_to_scale() -> None:
    result = made.levels(book=[(85_000.0, ""), (56_100.0, "")])
    canvas = chart.compose(result, Look(), english)
    low, high = chart.span(result)
    for price, figures in ((85_000, "85,000"), (56_100, "56,100")):
        label = next(w for w in canvas.words if w.text.startswith(figures))
        y = chart.PRICE_BOTTOM - (price - low) / (high - low) * (chart.PRICE_BOTTOM - chart.TOP)
        assert label.box.middle == pytest.approx(y, abs=1)


def test_the_next_floor_is_always_on_the_scale() -> None:
    near = made.levels(book=[(64_000.0, ""), (40_000.0, "")])
    far = made.levels(1, book=[(12_000.0, "")])
    for result in (near, far):
        assert result.next_floor is not None
        assert chart.span(result)[0] < result.next_floor.price


def test_one_floor_more_only_while_candles_stay_legible() -> None:
    result = made.levels()
    height = float(result.candles.high.max() - result.candles.low.min())
    for second in (55_000.0, 45_000.0, 30_000.0, 5_000.0):
        low, _ = chart.span(made.levels(book=[(60_000.0, ""), (second, "")]))
        assert (low < second) == (height / ((result.candles.high.max() - second) * 1.08) >= 0.45)


def test_near_levels_are_all_on_the_scale_and_far_ones_are_not() -> None:
    low, high = chart.span(made.levels(book=[(p, "") for p in (5e4, 58e3, 62e3, 64e3, 95e3, 97e3, 400e3)]))
    assert low < 58_000
    assert 97_000 < high < 110_000


def test_levels_off_the_scale_are_listed_at_the_edge() -> None:
    canvas = chart.compose(
        made.levels(20, book=[(5_000.0, ""), (64_000.0, ""), (900_000.0, "")]), Look(), english
    )
    ends = [w for w in canvas.words if w.text.endswith(("↑", "↓"))]
    assert [(w.text.split()[0], w.text[-1]) for w in ends] == [("900,000", "↑"), ("5,000", "↓")]
    assert ends[0].box.top < chart.TOP + 30
    assert ends[1].box.bottom > chart.PRICE_BOTTOM


def test_at_most_six_levels_are_labelled_and_the_floor_is_one_of_them() -> None:
    result = made.levels(book=[(40_000.0, ""), *((66_500.0 + 300 * k, "") for k in range(9))])
    canvas = chart.compose(result, Look(), english)
    labelled = [
        w.text.split()[0] for w in canvas.words if w.text.rstrip("↑↓ ").endswith("%") and "·" not in w.text
    ]
    assert len(labelled) == 6
    assert "40,000" in labelled


def test_states_are_told_in_words() -> None:
    told = {
        State.ABOVE: "price above", State.RECLAIMED: "reclaimed", State.UNKNOWN: "unknown",
        State.BREAKING: "breaking 1/8", State.RECLAIMING: "reclaiming 1/8", State.BROKEN: "broken since 2 Feb",
    }  # fmt: skip
    for state, said in told.items():
        # 336 half hours from 28 January end on 4 February; the break is 29.5 hours before, at 18:30 on the 2nd.
        canvas = chart.compose(made.levels(book=[(62_000.0, "")], state=state), Look(), english)
        assert said in words(canvas)


def test_a_level_above_the_price_is_not_called_below_it() -> None:
    result = made.levels(book=[(67_000.0, "")], state=State.ABOVE)
    assert result.price < 67_000
    told = words(chart.compose(result, Look(), english))
    assert "price below, no break yet" in told
    assert "price above" not in told


def test_a_level_that_never_was_reached() -> None:
    result = made.levels(book=[(90_000.0, "")])
    never = replace(result, levels=tuple(replace(s, since=None, events=()) for s in result.levels))
    assert "never above it here" in words(chart.compose(never, Look(), english))


def test_names_of_levels_stand_where_no_candle_is() -> None:
    result = made.levels()
    canvas = chart.compose(result, Look(), english)
    found = [w for w in canvas.words if w.text in {label for _, label in made.BOOK}]
    assert len(found) >= 4
    candle = np.array([canvas.colours.up, canvas.colours.down])
    for word in found:
        box = word.box
        area = canvas.pixels()[int(box.top) : int(box.bottom), int(box.left) : int(box.right), :3]
        assert not (area[:, :, None, :] == candle).all(axis=3).any()


def test_times_are_the_readers() -> None:
    foot = "Binance perpetual · time zone {} · closed bars to {}"
    here = words(chart.compose(made.levels(), Look(), english))
    there = words(chart.compose(made.levels(), Look(zone="Asia/Taipei"), english))
    assert foot.format("UTC", "4 Feb 00:00") in here
    assert foot.format("Asia/Taipei", "4 Feb 08:00") in there
    assert [w for w in here if w in ("29 Jan", "2 Feb")] == ["29 Jan", "2 Feb"]


def test_a_price_newer_than_the_bars_has_its_time() -> None:
    at = datetime(2026, 2, 4, 5, 30, tzinfo=UTC)
    result = replace(made.levels(), interval=Interval.D1, price_at=at)
    [foot] = [w for w in words(chart.compose(result, Look(), english)) if "closed bars to" in w]
    assert foot.endswith(" · price of 4 Feb 05:30")


def test_no_hour_is_named_after_the_last_close() -> None:
    # Bars up to 20:00 on 3 February, and nine hours of empty strip with a midnight in it.
    told = words(chart.compose(made.levels(328), Look(), english))
    assert "3 Feb" in told
    assert "4 Feb" not in told


def test_both_languages() -> None:
    told = words(chart.compose(made.levels(), Look(locale="zh-TW", zone="Asia/Taipei"), chinese))
    assert any(w.startswith("BTC 30 分 · ") and "下一層支撐 56,100" in w for w in told)
    assert "已跌破（2/3 起）" in told
    assert any(w.startswith("支撐真空帶 ") for w in told)


def test_alt_text_says_what_the_picture_shows() -> None:
    result = made.levels()
    alt = chart.draw(result, Look(), english).alt
    atrs = (result.price - 56_100) / 3000
    assert alt == (
        f"BTC 30m candles: {result.price:,.0f} USDT on 4 Feb 00:00 (UTC). "
        f"Next floor 56,100, −{100 - 5_610_000 / result.price:.1f} %, {atrs:.1f} ATR. "
        "Nearest level 73,600: broken since 2 Feb 18:30."
    )


def test_the_same_twice_is_the_same_file() -> None:
    first, second = (chart.draw(made.levels(), Look(), english) for _ in range(2))
    assert first == second


def test_looks_differ() -> None:
    looks = [Look(theme=t, palette=p) for t in ("dark", "light") for p in ("intl", "tw", "cb")]
    assert len({chart.draw(made.levels(), look, english).png for look in looks}) == 6


NASTY = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["$\\frac{1}{$", "\u202e\u2066reversed", "🚀" * 50, "x" * 10_000, "\x00\x1b[31m", "{price}", "%s %(a)s"]),
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(labels=st.lists(NASTY, min_size=1, max_size=8), instrument=NASTY, source=NASTY)
def test_hostile_words_do_no_harm(labels: list[str], instrument: str, source: str) -> None:
    book = [(56_000.0 + 4000 * k, label) for k, label in enumerate(labels)]
    result = made.levels(120, book=book, instrument=instrument, source=source)
    assert_legible(chart.compose(result, Look(), english))
    assert len(chart.draw(result, Look(), english).alt) <= 256


def test_drawing_needs_neither_pandas_nor_pyplot_nor_a_list_of_fonts() -> None:
    heavy = ["pandas", "matplotlib.pyplot", "matplotlib.font_manager", "matplotlib.figure", "discord"]
    code = f"import sys, analysis.charts.levels; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_an_automatic_level_is_dashed_and_says_so() -> None:
    result = made.levels(book=[(92_500.0, "chosen"), (56_100.0, "")])  # above every candle
    found = AutoLevel(price=92_500.0, touches=5, score=1.0)
    automatic = replace(
        result,
        levels=tuple(
            replace(state, level=replace(state.level, label="", automatic=found))
            if state.level.price == found.price
            else state
            for state in result.levels
        ),
    )
    canvas = chart.compose(automatic, Look(), english)
    assert_legible(canvas)
    assert "automatic" in words(canvas)
    assert any(word.startswith("auto · broken since") for word in words(canvas))
    assert not any(word.startswith("auto") for word in words(chart.compose(result, Look(), english)))
    assert_whole(chart, automatic, Look(locale="zh-TW"))
    y = round(Scale(*chart.span(result), chart.TOP, chart.PRICE_BOTTOM).y(found.price))
    dashed, solid = (gaps(chart.compose(drawn, Look(), english), y) for drawn in (automatic, result))
    assert dashed > 10
    assert solid <= 2  # its two turns


def gaps(canvas: Canvas, y: int) -> int:
    """How often a rule near the row ``y`` is interrupted, told by the colour of a broken level."""
    rows = canvas.pixels()[y - 2 : y + 2, 200:880, :3].astype(int)
    drawn = np.abs(rows - np.array(colours(Look()).broken)).max(axis=2) < 40
    return int(np.count_nonzero(np.diff(drawn.any(axis=0).astype(int)) == -1))
