"""The picture of /silver-margin: whole, legible, and as high as the dollars it tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.charts import silver_margin as chart
from analysis.charts.look import Look
from analysis.charts.scale import Scale
from analysis.closes import Close
from analysis.margin import PRODUCTS, Basis, Change, Margin, Position, assess
from tests.charts import made
from tests.charts.seen import assert_legible, assert_whole, english, words

NOON = datetime(2026, 2, 6, 12, tzinfo=UTC)
FIRST = datetime(2025, 12, 1, 22, tzinfo=UTC)


def rule(day: str | None, basis: str, value: float, *, dated: bool = True) -> Change:
    """A rule from 22:00 UTC of a day, known the day before."""
    at = None if day is None else datetime.fromisoformat(f"{day}T22:00").replace(tzinfo=UTC)
    known_at = None if at is None else at - timedelta(days=1)
    return Change(
        effective=at, known_at=known_at, basis=Basis(basis), initial=value, maintenance=value, dated=dated
    )


SILVER = [
    rule(None, "fixed", 20_000),
    rule("2025-12-12", "fixed", 22_000),
    rule("2025-12-29", "fixed", 25_000),
    rule("2025-12-31", "fixed", 32_500),
    rule("2026-01-13", "percent", 9),
    rule("2026-01-28", "percent", 11),
    rule("2026-02-02", "percent", 15),
    rule("2026-02-06", "percent", 18),
]


def closes(count: int = 67, *, price: float = 60.0, swing: float = 25.0) -> list[Close]:
    """A close a day, up and down again, the last of them on 5 February."""
    days = [FIRST + timedelta(days=k) for k in range(67)][-count:]
    return [
        Close(at.date(), at, price + swing * float(np.sin(k / 12)) + 0.3 * float(np.cos(k * 1.9)))
        for k, at in enumerate(days)
    ]


def margin(changes: list[Change] = SILVER, made_closes: list[Close] | None = None, **options: Any) -> Margin:
    chosen: dict[str, Any] = {"product": PRODUCTS["SI"], "as_of": NOON, "source": "CME notices"}
    chosen |= {"price_source": "a wire"} | options
    return assess(changes, closes() if made_closes is None else made_closes, **chosen)


def staircase(count: int) -> list[Change]:
    """Many rises, two days apart, the last of them still to come."""
    days = [NOON.date() + timedelta(days=2 * (k - count + 1)) for k in range(count)]
    return [
        rule(None, "fixed", 1_000),
        *(rule(day.isoformat(), "percent", 1 + 0.5 * k) for k, day in enumerate(days)),
    ]


CASES = {
    "the winter": margin(),
    "price asked": margin(price=76.53),
    "no change to come": margin(SILVER[:-1]),
    "fixed only": margin(SILVER[:4]),
    "no change on record": margin(SILVER[:1]),
    "one change": margin(SILVER[:2]),
    "date unknown": margin([*SILVER[:5], rule("2026-01-20", "percent", 11, dated=False), *SILVER[6:]]),
    "lowered": margin([*SILVER[:6], rule("2026-02-02", "percent", 5), rule("2026-02-06", "fixed", 9_000)]),
    "many": margin(staircase(30)),
    "no closes": margin(made_closes=[], price=80.0),
    "no closes, no change": margin(SILVER[:1], made_closes=[], price=80.0),
    "one close": margin(made_closes=closes(1)),
    "one close, no change": margin(SILVER[:1], made_closes=closes(1)),
    "cents": margin(product=PRODUCTS["SIC"], price=1.5),
    "dear": margin(price=1_000_000.0),
    "cheap": margin(price=0.01),
    "micro gold": margin(product=PRODUCTS["MGC"], price=4_700.0),
    "odd rate": margin([*SILVER[:-1], rule("2026-02-06", "percent", 16.125)]),
    "hostile source": margin(source="\u202e evil\n\u0000" + "長" * 500, price_source="\U0001f680" * 50),
    "same dollars next": margin([*SILVER[:7], rule("2026-02-06", "percent", 15)]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(
    "look", [Look(), Look(locale="zh-TW", theme="light", palette="tw", zone="Asia/Taipei")]
)
def test_every_picture_is_whole(name: str, look: Look) -> None:
    assert_whole(chart, CASES[name], look)


@pytest.mark.parametrize("look", made.LOOKS)
def test_every_look_is_drawn(look: Look) -> None:
    assert len(chart.draw(CASES["price asked"], look, english).png) <= 100_000


def test_the_answer_is_large_and_first() -> None:
    canvas = chart.compose(CASES["price asked"], Look(), english)
    title, outlook = canvas.words[-3:-1]
    # 15 % and 18 % of 5,000 ounces at 76.53
    assert title.text == "SI 15 % · 57,398 USD a contract at 76.53 · 6.7x"
    assert outlook.text == "Next: 18 % from 6 Feb 22:00 · 68,877 USD · +20.0 %"
    assert title.face.px >= 30
    assert outlook.face.px >= 30
    assert title.box.top < outlook.box.top < 90
    assert {"57,398", "15 % now", "68,877", "18 % · 6 Feb"} <= set(words(canvas))


def test_nothing_to_come_is_said() -> None:
    told = words(chart.compose(CASES["no change to come"], Look(), english))
    assert "Next change: none known" in told
    assert "18 %" not in told


def test_a_table_that_is_old_says_so_where_the_answer_is() -> None:
    old = margin(SILVER, as_of=NOON + timedelta(days=40))
    told = words(chart.compose(old, Look(), english))
    # Known on 5 February at 22:00 UTC.
    assert "Margin table stale, newest notice 40 days old: later changes not known" in told
    assert any(word.endswith(", last known") for word in told)
    assert not any(word.endswith(" now") for word in told)
    assert told[-1].startswith("CME notices · stale · ")
    assert "Margin table stale" in chart.draw(old, Look(), english).alt


def test_the_table_splits_every_change() -> None:
    told = words(chart.compose(CASES["the winter"], Look(), english))
    at = told.index("effective")
    assert told[at : at + 8] == [
        "effective", "12 Dec", "29 Dec", "31 Dec", "13 Jan", "28 Jan", "2 Feb", "6 Feb",
    ]  # fmt: skip
    assert told[at + 8 : at + 16] == ["rule", "22,000", "25,000", "32,500", "9 %", "11 %", "15 %", "18 %"]
    assert told[at + 16 : at + 20] == ["rate part", "+2,000", "+3,000", "+7,500"]
    # Under a fixed rule the price has no part.
    assert told[at + 24 : at + 28] == ["price part", "0", "0", "0"]
    prices = {close.date: close.price for close in closes()}
    before, after = prices[date(2026, 1, 13)], prices[date(2026, 1, 28)]
    assert told[at + 21] == f"{5_000 * after * 0.02:+,.0f}"
    assert told[at + 29] == f"{5_000 * 0.09 * (after - before):+,.0f}".replace("-", "\N{MINUS SIGN}")


def test_at_most_seven_changes_the_last_ones() -> None:
    told = words(chart.compose(CASES["many"], Look(), english))
    at = told.index("rule")
    # Thirty rises of half a percent from 1 % on: the last is 15.5 %.
    assert told[at + 1 : at + 8] == ["12.5 %", "13 %", "13.5 %", "14 %", "14.5 %", "15 %", "15.5 %"]


def test_a_date_that_is_not_known_is_not_made_up() -> None:
    told = words(chart.compose(CASES["date unknown"], Look(), english))
    assert "undated" in told
    assert "20 Jan" not in told[told.index("effective") :]


def test_the_steps_are_as_high_as_their_dollars() -> None:
    result = CASES["no change to come"]
    canvas = chart.compose(result, Look(), english)
    turns = chart.turns(result)
    scale = Scale(0.0, chart.HEADROOM * chart.highest(result, turns), chart.TOP, chart.BOTTOM)
    pixels, violet = canvas.pixels()[:, :, :3], np.array(canvas.colours.holds)
    # The flat stretch of 22,000, from 12 to 29 December: a stroke of three pixels at its height.
    rows = np.flatnonzero((pixels[:, 300] == violet).all(axis=1))
    assert rows.size in {2, 3}
    assert rows.mean() == pytest.approx(scale.y(22_000), abs=1.5)
    # And the amber riser from 25,000 to 32,500 spans just that.
    amber = np.array(canvas.colours.broken)
    columns = (pixels[chart.TOP : chart.BOTTOM] == amber).all(axis=2)
    spans = {
        (int(hit.min()) + chart.TOP, int(hit.max()) + chart.TOP)
        for hit in (np.flatnonzero(column) for column in columns.T)
        if hit.size > 10
    }
    wanted = (scale.y(32_500), scale.y(25_000))
    assert any(abs(top - wanted[0]) <= 2 and abs(bottom - wanted[1]) <= 2 for top, bottom in spans)


def test_the_turns_are_closes_and_changes_in_order() -> None:
    result = CASES["the winter"]
    turns = chart.turns(result)
    assert turns[0].epoch >= datetime(2025, 12, 4, 22, tzinfo=UTC).timestamp()
    assert [turn.epoch for turn in turns] == sorted(turn.epoch for turn in turns)
    changed = [(turn.rule, round(turn.usd)) for turn in turns if turn.by_rate]
    assert changed[:3] == [("22,000", 22_000), ("25,000", 25_000), ("32,500", 32_500)]
    # The change of an instant comes after the close of that instant, at that close.
    at = next(k for k, turn in enumerate(turns) if turn.rule == "9 %")
    assert (turns[at - 1].epoch, turns[at - 1].usd) == (turns[at].epoch, 32_500)
    assert "18 %" not in [turn.rule for turn in turns]


def test_where_no_price_is_known_the_staircase_has_a_gap() -> None:
    canvas = chart.compose(CASES["no closes"], Look(), english)
    row = canvas.pixels()[chart.BOTTOM - 6, :, :3]
    filled = np.flatnonzero((row != canvas.colours.background).any(axis=1))
    # From the change to 9 % to the one to 15 % nothing is told in dollars.
    gap = np.diff(filled).max()
    assert gap > 100
    assert "60,000" in words(canvas)


def test_an_account_is_not_in_the_picture() -> None:
    position = Position(contracts=37, equity=2_345_678.91)
    with_account = margin(price=76.53, position=position)
    assert with_account.account is not None
    look = Look()
    assert chart.draw(with_account, look, english) == chart.draw(CASES["price asked"], look, english)


def test_times_are_the_readers() -> None:
    there = words(chart.compose(CASES["the winter"], Look(zone="Asia/Taipei"), english))
    assert "Next: 18 % from 7 Feb 06:00" in next(word for word in there if word.startswith("Next"))
    assert "18 % · 7 Feb" in there
    assert there[-1] == "CME notices · a wire to 6 Feb 06:00 · time zone Asia/Taipei"


def test_alt_text_says_what_the_picture_shows() -> None:
    assert chart.draw(CASES["price asked"], Look(), english).alt == (
        "SI margin: 15 % of notional, 57,398 USD a contract at 76.53, leverage 6.7x. "
        "Next: 18 % from 6 Feb 22:00 · 68,877 USD · +20.0 % (UTC). "
        "Steps: 22,000 → 25,000 → 32,500 → 9 % → 11 % → 15 %."
    )
    assert "Next change: none known. Steps: " in chart.draw(CASES["no change to come"], Look(), english).alt
    alt = chart.draw(CASES["fixed only"], Look(), english).alt
    assert alt.startswith("SI margin: fixed, 32,500 USD a contract at ")


def test_the_same_twice_is_the_same_file() -> None:
    result = CASES["the winter"]
    assert chart.draw(result, Look(), english) == chart.draw(replace(result), Look(), english)


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from(["fixed", "percent"]), st.floats(0.5, 99), st.integers(1, 20)),
        min_size=0,
        max_size=12,
    ),
    st.floats(0.01, 1_000_000),
    st.sampled_from(sorted(PRODUCTS)),
    st.integers(0, 67),
)
def test_any_schedule_is_legible(
    steps: list[tuple[str, float, int]], price: float, code: str, count: int
) -> None:
    day, changes = date(2025, 12, 2), [rule(None, "fixed", 20_000)]
    for basis, value, later in steps:
        day += timedelta(days=later)
        changes.append(rule(day.isoformat(), basis, value * (1 if basis == "percent" else 1_000)))
    found = closes(count) if count else []
    assert_legible(
        chart.compose(margin(changes, found, price=price, product=PRODUCTS[code]), Look(), english)
    )
