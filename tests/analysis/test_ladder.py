"""Liquidation prices: published and hand-computed figures, laws that hold for every position, another solver."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import UserError
from analysis.ladder import Asked, Contract, Holding, Ladder, assess, futures_tiers
from analysis.ladder_positions import (
    Convention,
    Kind,
    Position,
    after_cut,
    bankruptcy,
    check,
    hold,
    liquidation,
)
from analysis.ladder_steps import climb
from analysis.ladder_tiers import Tier, tier_of, tiers
from analysis.margin_account import Side
from analysis.margin_rules import PRODUCTS, Basis, Change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NOW = datetime(2026, 2, 5, 18, tzinfo=UTC)


def made(rate_pct: float = 0.5, **given_: Any) -> Position:
    """A bitcoin long at 10x, unless told; the rate in percent."""
    chosen: dict[str, Any] = {
        "kind": Kind.LINEAR,
        "side": Side.LONG,
        "instrument": "BTC",
        "entry": 73_600.0,
        "size": 1.0,
        "leverage": 10.0,
        "tiers": (Tier(0.0, rate_pct / 100, given_.pop("deduction", 0.0)),),
    } | given_
    chosen.setdefault("mark", chosen["entry"])
    return Position(**chosen)


def at(position: Position) -> float:
    found = liquidation(position, position.own_margin)
    assert found is not None
    return found


# Published and hand-computed


@pytest.mark.parametrize(
    ("leverage", "price"), [(10, 81_393.98), (5, 72_350.20), (3, 60_291.83), (2, 45_218.88)]
)
def test_the_longs_of_the_article(leverage: float, price: float) -> None:
    """One bitcoin from 90,076 at 0.4 %: (90,076 - margin) / 0.996."""
    assert at(made(0.4, entry=90_076.0, leverage=leverage)) == pytest.approx(price, abs=0.005)


def test_a_linear_position_from_73_600() -> None:
    assert at(made()) == pytest.approx(66_572.86, abs=0.005)
    assert at(made(convention=Convention.ENTRY)) == pytest.approx(66_608.00, abs=0.005)
    assert at(made(fee=0.00055)) == pytest.approx(66_609.68, abs=0.005)
    assert at(made(side=Side.SHORT)) == pytest.approx(80_557.21, abs=0.005)


def test_an_inverse_position_of_60_000_dollars() -> None:
    inverse: dict[str, Any] = {"kind": Kind.INVERSE, "entry": 50_000.0, "size": 60_000.0}
    assert at(made(**inverse)) == pytest.approx(45_681.82, abs=0.005)
    assert at(made(**inverse, convention=Convention.BYBIT2026)) == pytest.approx(45_681.82, abs=0.005)
    assert at(made(**inverse, convention=Convention.ENTRY)) == pytest.approx(45_662.10, abs=0.005)


def test_bybits_own_example_under_its_older_convention() -> None:
    """1 BTC at 20,000, 50x, 0.5 %: margin 400, maintenance 100. Valued at the mark it is another price."""
    example = made(entry=20_000.0, leverage=50.0)
    assert at(replace(example, convention=Convention.ENTRY)) == pytest.approx(19_700.0, abs=1e-9)
    assert at(replace(example, convention=Convention.ENTRY, side=Side.SHORT)) == pytest.approx(20_300.0)
    assert at(example) == pytest.approx(19_698.49, abs=0.005)


def test_extra_margin_and_fee_under_bybits_text_of_2026() -> None:
    """long K (1 + m) / (K/E + K/(E L) + X/(1+f) + c), short K (1 - m) / (K/E - K/(E L) - X/(1-f) - c)."""
    terms: dict[str, Any] = {
        "kind": Kind.INVERSE, "entry": 50_000.0, "size": 60_000.0, "extra": 0.05, "fee": 0.01, "deduction": 0.001
    }  # fmt: skip
    long = made(**terms, convention=Convention.BYBIT2026)
    assert at(long) == pytest.approx(60_000 * 1.005 / (1.2 + 0.12 + 0.05 / 1.01 + 0.001))
    short = made(**terms, convention=Convention.BYBIT2026, side=Side.SHORT)
    assert at(short) == pytest.approx(60_000 * 0.995 / (1.2 - 0.12 - 0.05 / 0.99 - 0.001))
    # Under the plain convention the fee is a part of maintenance instead.
    plain = made(**terms)
    assert at(plain) == pytest.approx(60_000 * 1.015 / (1.2 + 0.12 + 0.05 + 0.001))


def test_the_ladder_of_leverages_from_73_600() -> None:
    steps = climb(73_600.0, side=Side.LONG, rate=0.005, fee=0.0)
    told = {row.leverage: (row.linear_pct, row.inverse_pct) for row in steps.rows}
    expected = {
        2: (-49.75, -33.0), 3: (-33.0, -24.6), 5: (-19.6, -16.3), 10: (-9.55, -8.64),
        20: (-4.5, -4.3), 25: (-3.5, -3.4), 50: (-1.5, -1.5), 100: (-0.50, -0.50),
    }  # fmt: skip
    assert list(told) == list(expected)
    for leverage, (linear, inverse) in expected.items():
        assert told[leverage][0] == pytest.approx(linear, abs=0.05), leverage
        assert told[leverage][1] == pytest.approx(inverse, abs=0.05), leverage


def test_a_leverage_the_rate_does_not_allow_has_no_rung() -> None:
    rows = {row.leverage: row for row in climb(73_600.0, side=Side.LONG, rate=0.015, fee=0.0).rows}
    assert rows[100].linear is None
    assert rows[50].linear is not None


def test_bankruptcy_is_a_tenth_away_at_ten_times() -> None:
    assert bankruptcy(made(), 7_360.0) == pytest.approx(66_240.0)
    assert bankruptcy(made(side=Side.SHORT), 7_360.0) == pytest.approx(80_960.0)
    assert bankruptcy(made(kind=Kind.INVERSE, size=73_600.0), 0.1) == pytest.approx(73_600 / 1.1)


def test_to_hold_until_75_000() -> None:
    """By hand: long 1 at 90,076, 10x, 0.4 %, mark 85,000."""
    position = made(0.4, entry=90_076.0, mark=85_000.0)
    found = hold(position, position.own_margin, 75_000.0)
    assert found is not None
    assert found.cut is not None
    assert found.add == pytest.approx(6_368.40, abs=0.005)
    assert found.cut == pytest.approx(0.61829, abs=5e-6)
    assert at(replace(position, extra=round(found.add, 2))) == pytest.approx(75_000.00, abs=0.02)
    assert at(after_cut(position, found.cut)) == pytest.approx(75_000.00, abs=0.005)


def test_nothing_is_asked_for_what_holds_already() -> None:
    found = hold(made(), 7_360.0, 70_000.0)
    assert found is not None
    assert (found.add, found.cut) == (0.0, 0.0)
    assert hold(made(), 7_360.0, 80_000.0) is None


@pytest.mark.parametrize("leverage", [0.5, 1.0])
def test_what_is_paid_in_full_is_never_liquidated(leverage: float) -> None:
    assert liquidation(made(leverage=leverage), 73_600 / leverage) is None
    short = made(kind=Kind.INVERSE, side=Side.SHORT, size=73_600.0, leverage=leverage)
    assert liquidation(short, short.own_margin) is None
    # The other two can always fall.
    assert at(made(side=Side.SHORT, leverage=leverage)) > 73_600
    assert at(made(kind=Kind.INVERSE, size=73_600.0, leverage=leverage)) < 73_600


def test_a_silver_contract_is_called_where_the_account_report_says() -> None:
    """By hand: long 1 at 115 with 20 % equity: 103.37 (11 %), 108.24 (15 %), 112.20 (18 %)."""
    for rate, long, short in [(11, 103.37, 124.32), (15, 108.24, 120.00), (18, 112.20, 116.95)]:
        rule = Change(effective=None, known_at=None, basis=Basis.PERCENT, initial=rate, maintenance=rate)
        table, convention = futures_tiers(rule, PRODUCTS["SI"], 115.0)
        terms: dict[str, Any] = {
            "kind": Kind.FUTURES, "instrument": "SI", "entry": 115.0, "leverage": 5.0, "ounces": 5_000
        }  # fmt: skip
        position = replace(made(**terms), tiers=table, convention=convention)
        assert at(position) == pytest.approx(long, abs=0.005)
        assert at(replace(position, side=Side.SHORT)) == pytest.approx(short, abs=0.005)


def test_a_fixed_rule_asks_the_same_at_every_price() -> None:
    """P = P0 - (E0 - nM) / (nQ): 2 contracts at 60, 120,000 of equity, 32,500 each: 60 - 55,000 / 10,000."""
    rule = Change(effective=None, known_at=None, basis=Basis.FIXED, initial=32_500, maintenance=32_500)
    table, convention = futures_tiers(rule, PRODUCTS["SI"], 60.0)
    position = made(kind=Kind.FUTURES, instrument="SI", entry=60.0, size=2.0, leverage=5.0, ounces=5_000)
    position = replace(position, tiers=table, convention=convention)
    assert position.maintenance(100.0) == pytest.approx(65_000)
    assert at(position) == pytest.approx(54.5)
    # A contract sold frees 32,500: 54 is out of reach by 5,000, and contracts are sold whole.
    found = hold(position, position.own_margin, 54.0)
    assert found is not None
    assert found.add == pytest.approx(5_000)
    assert (found.cut, found.left) == (1.0, 1.0)


def test_deductions_are_the_documented_ones() -> None:
    """50 BTC x (5 % - 2.5 %) + 0.56 = 1.81 BTC (Binance), after brackets made so that 28 x 2 % is the 0.56."""
    table = tiers([(0.0, 0.004), (28.0, 0.024), (50.0, 0.049)])
    assert [tier.deduction for tier in table] == pytest.approx([0.0, 0.56, 1.81])
    assert tier_of(table, 49.9).rate == 0.024
    assert tier_of(table, 50.0).rate == 0.049


def test_the_bracket_is_that_of_the_liquidation_price_and_not_of_the_entry() -> None:
    """100 BTC at 10,000 are 1,000,000: the 2 % bracket; at the liquidation price it is the 1 % one.

    (1,000,000 - 100,000 - 0) / (100 x 0.99) = 9,090.91 lies at 909,091, below the border of 950,000.
    """
    position = made(entry=10_000.0, size=100.0, tiers=tiers([(0.0, 0.01), (950_000.0, 0.02)]))
    assert position.maintenance(10_000.0) == pytest.approx(1_000_000 * 0.02 - 9_500)
    assert at(position) == pytest.approx(900_000 / 99)


@pytest.mark.parametrize(
    ("given_", "sentence"),
    [
        ({"leverage": 150.0, "rate_pct": 1.0}, "At entry the margin would already be below maintenance"),
        (
            {"convention": Convention.BYBIT2026},
            "The convention bybit2026 is known for inverse contracts only.",
        ),
    ],
)
def test_what_no_venue_would_open_is_refused(given_: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        check(made(given_.pop("rate_pct", 0.5), **given_))


@pytest.mark.parametrize("steps", [[], [(1.0, 0.01)], [(0.0, 0.02), (5.0, 0.01)], [(0.0, 0.01), (0.0, 0.02)]])
def test_brackets_that_do_not_rise_are_refused(steps: list[tuple[float, float]]) -> None:
    with pytest.raises(UserError):
        tiers(steps)


# Laws


def positions(**fixed: Any) -> st.SearchStrategy[Position]:
    def build(kind: Kind, side: Side, entry: float, worth: float, leverage: float, rate: float) -> Position:
        size = worth if kind is Kind.INVERSE else worth / entry
        return made(rate, kind=kind, side=side, entry=entry, size=size, leverage=leverage, **fixed)

    return st.builds(
        build,
        st.sampled_from([Kind.LINEAR, Kind.INVERSE]),
        st.sampled_from(list(Side)),
        st.floats(0.01, 200_000),
        st.floats(10, 1e8),
        st.floats(1.5, 40),
        st.floats(0.1, 2.0),
    )


def away(position: Position) -> float:
    """How far the liquidation price is from the entry, as a share, where there is one."""
    found = liquidation(position, position.own_margin)
    return float("inf") if found is None else position.sign * (1 - found / position.entry)


@given(positions())
def test_more_leverage_or_a_higher_rate_is_nearer_and_more_margin_farther(position: Position) -> None:
    assert away(replace(position, leverage=position.leverage * 1.1)) < away(position)
    assert away(replace(position, tiers=(Tier(0.0, position.tiers[0].rate * 1.1),))) < away(position)
    more = replace(position, extra=0.01 * position.own_margin)
    assert away(more) > away(position) or away(position) == float("inf")


@given(positions(), st.floats(0.01, 0.99))
def test_what_is_printed_moves_the_price_where_it_was_asked(position: Position, share: float) -> None:
    """By the amount rounded as it is told: ten digits."""
    nearer = liquidation(position, position.own_margin)
    asked = (nearer or position.mark * 2) * (1 - position.sign * 0.2 * share)
    found = hold(position, position.own_margin, asked)
    if found is None:
        return
    add = float(f"{found.add:.10g}")
    assert at(replace(position, extra=add)) == pytest.approx(asked, rel=1e-8)
    if found.cut is not None:
        cut = float(f"{found.cut:.10g}")
        # What is left may be a hair of the position: then ten digits of the cut are few of it.
        if position.size - cut > 0.01 * position.size:
            assert at(after_cut(position, cut)) == pytest.approx(asked, rel=1e-6)


TABLE = ((0.0, 0.004), (50_000.0, 0.005), (600_000.0, 0.01), (3_000_000.0, 0.025), (12_000_000.0, 0.05))


def by_halves(many: Sequence[Position]) -> NDArray[np.float64]:
    """Another way to the same prices: equity and maintenance written out plainly, and halving; NaN for none."""
    long = np.array([one.side is Side.LONG for one in many])
    inverse = np.array([one.kind is Kind.INVERSE for one in many])
    q, entry, leverage, extra, fee = np.array(
        [(one.size, one.entry, one.leverage, one.extra, one.fee) for one in many]
    ).T
    floors = np.array([[tier.floor for tier in one.tiers] for one in many]).T
    rates = np.array([[tier.rate for tier in one.tiers] for one in many]).T
    margin = np.where(inverse, q / entry, q * entry) / leverage + extra

    def short_of(price: NDArray[np.float64]) -> NDArray[np.float64]:
        notional = np.where(inverse, q / price, q * price)
        gain = np.where(inverse, q / entry - q / price, q * (price - entry))
        needed = fee * notional
        for floor, top, rate in zip(floors, [*floors[1:], np.inf], rates, strict=True):
            # Bracket by bracket, each its own rate: what deductions are a short way of writing.
            needed += rate * np.clip(notional - floor, 0.0, top - floor)
        left: NDArray[np.float64] = margin + np.where(long, gain, -gain) - needed
        return left

    low, high = np.where(long, 1e-9 * entry, entry), np.where(long, entry, 1e9 * entry)
    none = short_of(np.where(long, low, high)) >= 0
    for _ in range(110):
        middle = np.sqrt(low * high)
        under = (short_of(middle) < 0) == long
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    price: NDArray[np.float64] = np.sqrt(low * high)
    price[none] = np.nan
    return price


def thrown(dice: random.Random) -> Position:
    kind = dice.choice([Kind.LINEAR, Kind.INVERSE])
    entry, worth = 10 ** dice.uniform(-1, 5.2), 10 ** dice.uniform(1, 7.8)
    floors = TABLE if kind is Kind.LINEAR else tuple((floor / entry, rate) for floor, rate in TABLE)
    return Position(
        kind=kind,
        side=dice.choice(list(Side)),
        instrument="BTC",
        entry=entry,
        size=worth if kind is Kind.INVERSE else worth / entry,
        leverage=dice.choice([1.0, 2.0, 3.0, 5.0, 10.0, dice.uniform(1.01, 12)]),
        mark=entry,
        tiers=tiers(floors),
        fee=dice.choice([0.0, 0.00055]),
        extra=dice.choice([0.0, 0.1]) * (worth / entry if kind is Kind.INVERSE else worth),
    )


def on_a_border(position: Position, price: float, dice: random.Random) -> Position:
    """The same with its notional at liquidation put on a border: everything scales with size."""
    scale = dice.choice(position.tiers[1:]).floor / position.notional(price)
    return replace(position, size=position.size * scale, extra=position.extra * scale)


def test_another_solver_agrees_on_100_000_random_positions() -> None:
    """A fifth of them has its notional at the liquidation price on the border of two tiers, or near it."""
    dice = random.Random(20260205)  # noqa: S311 -- no secret, and the same each time
    many = [thrown(dice) for _ in range(100_000)]
    for index in range(0, len(many), 5):
        price = liquidation(many[index], many[index].own_margin)
        if price is not None:
            many[index] = on_a_border(many[index], price, dice)
    found = np.array([liquidation(one, one.own_margin) or np.nan for one in many])
    other = by_halves(many)
    assert (np.isnan(found) == np.isnan(other)).all()
    told = ~np.isnan(found)
    assert 0.8 < told.mean() < 1
    assert np.abs(found[told] / other[told] - 1).max() < 1e-9
    for one, price in zip(many, found.tolist(), strict=True):
        if not np.isnan(price):
            equity, worth = one.own_margin + one.profit(price), one.notional(price)
            assert abs(equity - one.maintenance(price)) <= 1e-9 * max(worth, one.notional(one.entry))


# Several


def told(*holdings: Position | Holding, **asked: Any) -> Ladder:
    return assess(
        [one if isinstance(one, Holding) else Holding(position=one) for one in holdings],
        as_of=NOW,
        asked=Asked(**asked),
        markets={},
        floors=((77_000.0, "second"), (73_600.0, ""), (56_100.0, "")),
        floors_of="BTC",
    )


def test_under_cross_the_others_give_and_take() -> None:
    """WB - TMM of the others + their profit: 2,000 + 1,000 + 500 of free balance, the other short 100 up."""
    long = made(1.0, entry=10_000.0, size=1.0, leverage=5.0, extra=500.0, cross=True)
    short = made(
        1.0,
        entry=1_000.0,
        size=10.0,
        leverage=10.0,
        mark=990.0,
        side=Side.SHORT,
        instrument="ETH",
        cross=True,
    )
    first, second = told(long, short).rungs
    assert first.margin == pytest.approx(3_500 - 9_900 * 0.01 + 100)
    assert first.liquidation_price == pytest.approx((10_000 - 3_501) / 0.99)
    assert second.margin == pytest.approx(3_500 - 10_000 * 0.01 + 0)
    # Isolated each stands for itself.
    alone, _ = told(replace(long, cross=False), replace(short, cross=False)).rungs
    assert alone.margin == pytest.approx(2_500)


def test_what_is_left_at_every_floor_on_the_way_and_at_the_shock() -> None:
    rung = told(made(0.5, entry=80_000.0), shock_pct=-10.0).rungs[0]
    assert [(one.price, one.equity, one.stands) for one in rung.standings] == [
        (77_000.0, 5_000.0, True),
        (73_600.0, pytest.approx(1_600.0), True),
        (72_000.0, 0.0, False),
        (56_100.0, -15_900.0, False),
    ]
    assert told(made(0.5, entry=80_000.0, side=Side.SHORT)).rungs[0].standings == ()


def test_a_higher_rate_is_told() -> None:
    found = told(made(), new_rate=0.02).rungs[0].what_if
    assert found is not None
    assert found.liquidation_price == pytest.approx(73_600 * 0.9 / 0.98)


def test_the_next_rule_of_a_contract_moves_its_call_towards_the_price() -> None:
    """15 % to 18 % at 115 with 20 %: from 108.24 to 112.20; risk index 100 x 20 / 15."""
    rules = [
        Change(effective=None, known_at=None, basis=Basis.PERCENT, initial=rate, maintenance=rate)
        for rate in (15, 18)
    ]
    table, convention = futures_tiers(rules[0], PRODUCTS["SI"], 115.0)
    position = made(kind=Kind.FUTURES, instrument="SI", entry=115.0, leverage=5.0, ounces=5_000)
    holding = Holding(
        position=replace(position, tiers=table, convention=convention),
        contract=Contract(product=PRODUCTS["SI"], rule=rules[0], following=rules[1]),
    )
    rung = told(holding, next_rule=True, gauge=True).rungs[0]
    assert rung.liquidation_price == pytest.approx(108.24, abs=0.005)
    assert rung.what_if is not None
    assert rung.what_if.liquidation_price == pytest.approx(112.20, abs=0.005)
    assert rung.gauge is not None
    assert rung.gauge.index_pct == pytest.approx(100 * 20 / 15)
    # Equity is a quarter of 15 % of notional: 115 x 0.8 / (1 - 0.0375).
    assert rung.gauge.offset_price == pytest.approx(115 * 0.8 / 0.9625)


def sale_case() -> list[Position]:
    """Three positions, one pool, 10 % maintenance each; after -15 % it is short."""
    btc = made(10.0, entry=50_000.0, size=2.0, leverage=5.0, cross=True)
    eth = made(10.0, entry=2_000.0, size=20.0, leverage=5.0, cross=True, instrument="ETH", mark=1_800.0)
    silver = made(10.0, entry=100.0, size=100.0, leverage=5.0, cross=True, instrument="XAG", mark=110.0)
    return [btc, eth, silver]


def test_three_orders_of_sale_none_of_them_the_answer() -> None:
    """At -15 %: prices 42,500, 1,530 and 93.5; profit -15,000, -9,400, -650; equity 30,000 - 25,050 = 4,950.

    Maintenance 8,500 + 3,060 + 935 = 12,495, short of 7,545. Margin freed per dollar of loss: 0.567, 0.326,
    1.438: silver (all of it, 935), then bitcoin (6,610 of 8,500). Most liquid first: bitcoin alone, 7,545 of
    8,500. Pro rata: 7,545 / 12,495 of each.
    """
    [found] = told(*sale_case(), shock_pct=-15.0).pools
    assert [found.equity, found.maintenance] == pytest.approx([4_950, 12_495])
    released, liquid, pro_rata = found.orders
    assert [sale.index for sale in released.sales] == [2, 0]
    assert [sale.size for sale in released.sales] == pytest.approx([100.0, 2 * 6_610 / 8_500])
    assert released.loss == pytest.approx(650 + 15_000 * 6_610 / 8_500)
    assert [sale.index for sale in liquid.sales] == [0]
    assert [sale.size for sale in liquid.sales] == pytest.approx([2 * 7_545 / 8_500])
    share = 7_545 / 12_495
    assert [sale.size for sale in pro_rata.sales] == pytest.approx([2 * share, 20 * share, 100 * share])
    for order in found.orders:
        assert order.covered
        assert order.released == pytest.approx(7_545)
        assert order.remaining_requirement == pytest.approx(4_950)
    assert liquid.remaining_notional_usd == pytest.approx(85_000 * 955 / 8_500 + 30_600 + 9_350)


def test_without_want_nothing_is_sold() -> None:
    [found] = told(*sale_case()).pools
    assert (found.short, found.orders) == (0.0, ())


def test_what_no_sale_covers_is_said() -> None:
    [found] = told(*sale_case(), shock_pct=-30.0).pools
    assert found.equity < 0
    assert [order.covered for order in found.orders] == [False, False, False]
    assert all(order.remaining_notional_usd == pytest.approx(0) for order in found.orders)


@settings(max_examples=50)
@given(st.lists(positions(cross=True), min_size=2, max_size=6), st.floats(-60, 60))
def test_an_order_of_sale_frees_what_is_wanted(many: list[Position], shock: float) -> None:
    for pool in told(*many, shock_pct=shock).pools:
        for order in pool.orders:
            assert order.remaining_requirement == pytest.approx(pool.maintenance - order.released, abs=1e-3)
            assert order.covered == (pool.equity >= -1e-6)


def test_a_position_prints_nothing_of_itself() -> None:
    result = told(made(entry=81_234.5, size=3.21987, cross=True), hold=70_000.0, shock_pct=-40.0)
    shown = repr(result) + repr(result.rungs) + repr(result.rungs[0].holding) + repr(result.pools)
    assert "81234" not in shown
    assert "3.21987" not in shown
