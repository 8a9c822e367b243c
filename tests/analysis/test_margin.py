"""Silver margin on the real schedule of the winter 2025/26, and account arithmetic by hand."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import ceil, log
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.closes import Close
from analysis.errors import UserError
from analysis.margin import (
    PRODUCTS,
    Basis,
    Change,
    Margin,
    Position,
    Side,
    assess,
    call_price,
    compounding,
    cost,
    crossover_price,
)

NEW_YORK = ZoneInfo("America/New_York")
SI, SIC, GC = PRODUCTS["SI"], PRODUCTS["SIC"], PRODUCTS["GC"]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def session_end(day: str) -> datetime:
    """17:00 New York of a trade date: its close, and the instant at which a rule of that date starts."""
    return datetime.fromisoformat(f"{day}T17:00").replace(tzinfo=NEW_YORK).astimezone(UTC)


def change(effective: str, noticed: str, basis: str, initial: float, hrp: float | None = None) -> Change:
    midnight = datetime.fromisoformat(noticed).replace(tzinfo=NEW_YORK) + timedelta(days=1)
    return Change(
        effective=session_end(effective),
        known_at=midnight.astimezone(UTC),
        basis=Basis(basis),
        initial=initial,
        maintenance=initial,
        hrp_initial=hrp,
    )


def fixed(amount: float) -> Change:
    return Change(effective=None, known_at=None, basis=Basis.FIXED, initial=amount, maintenance=amount)


def percent(rate: float) -> Change:
    return Change(effective=None, known_at=None, basis=Basis.PERCENT, initial=rate, maintenance=rate)


SILVER = [
    fixed(20_000),
    change("2025-12-12", "2025-12-11", "fixed", 22_000, 24_200),
    change("2025-12-29", "2025-12-26", "fixed", 25_000, 27_500),
    change("2025-12-31", "2025-12-30", "fixed", 32_500, 35_750),
    change("2026-01-13", "2026-01-12", "percent", 9, 9.9),
    change("2026-01-28", "2026-01-27", "percent", 11, 12.1),
    change("2026-02-02", "2026-01-30", "percent", 15, 16.5),
    change("2026-02-06", "2026-02-05", "percent", 18),
]


@pytest.fixture(scope="module")
def closes() -> list[Close]:
    with (Path(__file__).parent / "data" / "si_front_1d.csv").open(newline="") as lines:
        return [
            Close(date.fromisoformat(row["date"]), session_end(row["date"]), float(row["close"]))
            for row in csv.DictReader(lines)
        ]


def ask(closes: list[Close], at: str, **options: Any) -> Margin:
    product = options.pop("product", SI)
    return assess(SILVER, closes, product=product, as_of=utc(at), source="test", **options)


def test_the_rule_in_force_on_5_february(closes: list[Close]) -> None:
    result = ask(closes, "2026-02-05T12:00", price=76.53)
    assert (result.basis, result.rate_pct) == (Basis.PERCENT, 15)
    assert result.cost.initial_usd == pytest.approx(57_397.50)
    assert result.cost.maintenance_usd == pytest.approx(57_397.50)
    assert result.cost.hrp_initial_usd == pytest.approx(63_137.25)
    assert result.leverage == pytest.approx(100 / 15)
    assert (result.next_step, result.next_cost) == (None, None)
    assert (result.price, result.price_date) == (76.53, None)


def test_the_next_rule_is_known_from_its_notice_and_stands_from_the_close(closes: list[Close]) -> None:
    # The notice of 5 February is out at midnight in New York, 05:00 UTC.
    assert ask(closes, "2026-02-06T04:59", price=76.53).next_step is None
    for at in ("2026-02-06T05:00", "2026-02-06T12:00", "2026-02-06T21:59"):
        result = ask(closes, at, price=76.53)
        assert result.cost.initial_usd == pytest.approx(57_397.50)
        assert result.next_step is not None
        assert (result.next_step.basis, result.next_step.value) == (Basis.PERCENT, 18)
        assert result.next_step.effective == utc("2026-02-06T22:00")
        assert not result.next_step.in_force
        assert result.next_cost is not None
        assert result.next_cost.initial_usd == pytest.approx(68_877.00)
    for at in ("2026-02-06T22:00", "2026-02-07T12:00"):
        result = ask(closes, at, price=76.53)
        assert result.cost.initial_usd == pytest.approx(68_877.00)
        assert result.cost.hrp_initial_usd == pytest.approx(0.198 * 5_000 * 76.53)
        assert result.next_step is None
        assert result.steps[-1].in_force


def test_the_last_close_is_the_price(closes: list[Close]) -> None:
    result = ask(closes, "2026-02-06T12:00")
    assert (result.price, result.price_date) == (76.529, date(2026, 2, 5))
    assert ask(closes, "2026-02-06T22:00").price_date == date(2026, 2, 6)


def test_each_rise_of_the_winter(closes: list[Close]) -> None:
    steps = ask(closes, "2026-02-07T12:00").steps
    assert [step.value for step in steps] == [20_000, 22_000, 25_000, 32_500, 9, 11, 15, 18]
    assert steps[0].change_pct is None
    # 9 % at the close of 13 January, 85.877, is 38,644.65.
    assert [step.change_pct for step in steps[1:]] == pytest.approx(
        [10.0, 13.636, 30.0, 18.907, 22.222, 36.364, 20.0], abs=0.001
    )
    assert [step.cut_pct for step in steps[1:]] == pytest.approx(
        [9.091, 12.0, 23.077, 15.900, 18.182, 26.667, 16.667], abs=0.001
    )
    assert steps[4].price == 85.877
    assert steps[4].initial_usd == pytest.approx(38_644.65)


def test_a_rise_is_split_into_rate_and_price(closes: list[Close]) -> None:
    steps = ask(closes, "2026-02-07T12:00").steps
    # From 9 % at 85.877 (13 January) to 11 % at 113.111 (28 January), and on to 15 % at 76.778.
    for step, before, m0, m1, p0, p1 in (
        (steps[5], steps[4], "0.09", "0.11", "85.877", "113.111"),
        (steps[6], steps[5], "0.11", "0.15", "113.111", "76.778"),
    ):
        q = Decimal(5_000)
        price_part = Decimal(m0) * q * (Decimal(p1) - Decimal(p0))
        rate_part = (Decimal(m1) - Decimal(m0)) * q * Decimal(p1)
        assert step.price_part is not None
        assert step.rate_part is not None
        assert step.price_part.usd == pytest.approx(float(price_part))
        assert step.rate_part.usd == pytest.approx(float(rate_part))
        assert step.rate_part.log == pytest.approx(log(float(m1) / float(m0)))
        assert step.price_part.log == pytest.approx(log(float(p1) / float(p0)))
        assert before.initial_usd is not None
        assert step.initial_usd is not None
        assert before.initial_usd + step.price_part.usd + step.rate_part.usd == pytest.approx(
            step.initial_usd
        )
    # Under a fixed rule the price has no part in it.
    assert [step.price_part.usd for step in steps[1:5] if step.price_part] == [0, 0, 0, 0]
    assert steps[0].price_part is None


def test_a_step_still_to_come_is_measured_at_the_asked_price(closes: list[Close]) -> None:
    step = ask(closes, "2026-02-06T12:00", price=80.0).steps[-1]
    assert step.price == 80.0
    assert step.initial_usd == pytest.approx(72_000)
    assert step.change_pct == pytest.approx(20.0)


def test_without_closes_the_schedule_still_stands() -> None:
    steps = assess(SILVER, [], product=SI, as_of=utc("2026-02-05T12:00"), source="test", price=80.0).steps
    assert [step.change_pct for step in steps[1:4]] == pytest.approx([10.0, 13.636, 30.0], abs=0.001)
    assert [step.change_pct for step in steps[4:]] == [None] * 3
    assert [step.value for step in steps] == [20_000, 22_000, 25_000, 32_500, 9, 11, 15]


@pytest.mark.parametrize(
    ("price", "dollars"),
    [
        (60, [27_000, 33_000, 45_000, 54_000]),
        (80, [36_000, 44_000, 60_000, 72_000]),
        (100, [45_000, 55_000, 75_000, 90_000]),
        (120, [54_000, 66_000, 90_000, 108_000]),
    ],
)
def test_dollars_per_contract(price: float, dollars: list[float]) -> None:
    asked = [cost(percent(rate), SI, price).initial_usd for rate in (9, 11, 15, 18)]
    assert asked == pytest.approx(dollars)


@pytest.mark.parametrize(
    ("code", "at_15_pct", "at_32500"),
    [("SI", 57_397.5, 32_500), ("QI", 28_698.75, 16_250), ("SIL", 11_479.5, 6_500), ("SIC", 1_147.95, 650)],
)
def test_smaller_contracts_follow_silver(
    closes: list[Close], code: str, at_15_pct: float, at_32500: float
) -> None:
    product = PRODUCTS[code]
    assert product.derived is (code != "SI")
    now = ask(closes, "2026-02-05T12:00", product=product, price=76.53)
    then = ask(closes, "2026-01-05T12:00", product=product, price=76.53)
    assert now.cost.initial_usd == pytest.approx(at_15_pct)
    assert (then.basis, then.rate_pct) == (Basis.FIXED, None)
    assert then.cost.initial_usd == pytest.approx(at_32500)
    assert then.steps[-1].value == pytest.approx(at_32500)
    assert now.leverage == pytest.approx(100 / 15)


def test_micro_gold_follows_gold() -> None:
    assert (PRODUCTS["MGC"].leader, PRODUCTS["MGC"].derived, GC.derived) == ("GC", True, False)
    assert cost(percent(8), PRODUCTS["MGC"], 4_900).initial_usd == pytest.approx(3_920)
    assert cost(fixed(24_000), PRODUCTS["MGC"], 4_900).initial_usd == pytest.approx(2_400)


@pytest.mark.parametrize(("price", "leverage"), [(60, 9.231), (100, 15.385)])
def test_under_a_fixed_rule_leverage_rises_with_the_price(
    closes: list[Close], price: float, leverage: float
) -> None:
    assert ask(closes, "2026-01-05T12:00", price=price).leverage == pytest.approx(leverage, abs=0.001)


def test_where_fixed_and_percent_cost_the_same(closes: list[Close]) -> None:
    assert crossover_price(32_500, 9, 5_000) == pytest.approx(72.22, abs=0.005)
    result = ask(closes, "2026-02-05T12:00")
    assert result.crossover is not None
    assert (result.crossover.fixed_usd, result.crossover.rate_pct) == (32_500, 15)
    assert result.crossover.price == pytest.approx(43.33, abs=0.005)
    small = ask(closes, "2026-02-05T12:00", product=SIC).crossover
    assert small is not None
    assert (small.fixed_usd, small.price) == pytest.approx((650, 43.333), abs=0.001)
    assert ask(closes, "2026-01-05T12:00").crossover is None


def test_a_date_inferred_is_marked(closes: list[Close]) -> None:
    gold = [
        Change(effective=None, known_at=None, basis=Basis.PERCENT, initial=5, maintenance=5),
        Change(
            effective=session_end("2026-01-30"),
            known_at=utc("2026-01-31T05:00"),
            basis=Basis.PERCENT,
            initial=6,
            maintenance=6,
            dated=False,
        ),
    ]
    early = assess(gold, [], product=GC, as_of=utc("2026-01-31T04:00"), source="test", price=4_900.0)
    late = assess(gold, [], product=GC, as_of=utc("2026-01-31T05:00"), source="test", price=4_900.0)
    assert (early.rate_pct, late.rate_pct) == (5, 6)
    assert [step.dated for step in late.steps] == [True, False]


def test_history_pays_the_old_rule_on_the_day_of_the_change(closes: list[Close]) -> None:
    days = {day.date: day.initial_usd for day in ask(closes, "2026-02-05T12:00").history}
    assert days[date(2025, 12, 1)] == 20_000
    assert days[date(2025, 12, 12)] == 20_000
    assert days[date(2025, 12, 15)] == 22_000
    assert days[date(2026, 1, 13)] == 32_500
    assert days[date(2026, 1, 14)] == pytest.approx(0.09 * 5_000 * 90.869)
    assert days[date(2026, 2, 4)] == pytest.approx(63_123.75)
    assert max(days) == date(2026, 2, 4)


def test_compounding_sentence(closes: list[Close]) -> None:
    result = compounding(
        SILVER,
        closes,
        product=SI,
        date_from=date(2026, 1, 29),
        date_to=date(2026, 2, 4),
        as_of=utc("2026-02-05T12:00"),
    )
    assert (result.value_from, result.value_to) == (11, 15)
    assert (result.initial_from, result.initial_to) == pytest.approx((62_720.35, 63_123.75))
    assert result.price_change_pct == pytest.approx(100 * (84.165 / 114.037 - 1))
    assert result.initial_change_pct == pytest.approx(100 * (63_123.75 / 62_720.35 - 1))
    assert result.rate_part.log == pytest.approx(log(15 / 11))
    assert result.price_part.log == pytest.approx(log(84.165 / 114.037))
    assert result.price_part.usd + result.rate_part.usd == pytest.approx(63_123.75 - 62_720.35)


@pytest.mark.parametrize(
    ("date_from", "date_to", "told"),
    [
        ("2026-01-31", "2026-02-04", r"on 2026-01-31; the one before is of 2026-01-30\."),
        ("2026-01-29", "2026-02-05", r"on 2026-02-05; the one before is of 2026-02-04\."),
        ("2025-11-03", "2026-02-04", r"on 2025-11-03\."),
    ],
)
def test_compounding_needs_two_known_closes(
    closes: list[Close], date_from: str, date_to: str, told: str
) -> None:
    with pytest.raises(UserError, match="There is no close of SI with a known margin " + told):
        compounding(
            SILVER,
            closes,
            product=SI,
            date_from=date.fromisoformat(date_from),
            date_to=date.fromisoformat(date_to),
            as_of=utc("2026-02-05T12:00"),
        )


@pytest.mark.parametrize(
    ("side", "rule", "expected"),
    [
        (Side.LONG, percent(11), 103.37),
        (Side.LONG, percent(15), 108.24),
        (Side.LONG, percent(18), 112.20),
        (Side.SHORT, percent(15), 120.00),
        (Side.SHORT, percent(11), 124.32),
        # 115 - (115,000 - 32,500) / 5,000 and its mirror
        (Side.LONG, fixed(32_500), 98.5),
        (Side.SHORT, fixed(32_500), 131.5),
    ],
)
def test_call_price_of_one_contract_at_115(side: Side, rule: Change, expected: float) -> None:
    # Equity is a fifth of the notional of 575,000.
    called = call_price(rule, SI, 115.0, Position(contracts=1, equity=115_000, side=side))
    assert called == pytest.approx(expected, abs=0.005)


def test_a_long_with_more_equity_than_it_can_lose_is_never_called() -> None:
    assert call_price(percent(15), SI, 80.0, Position(contracts=1, equity=400_000)) is None
    assert call_price(fixed(32_500), SI, 80.0, Position(contracts=1, equity=432_500)) is None


@settings(deadline=None)
@given(
    st.sampled_from(Side),
    st.sampled_from(sorted(PRODUCTS)),
    st.integers(1, 50),
    st.floats(10, 5_000),
    st.floats(0.01, 2),
    st.one_of(st.builds(percent, st.floats(1, 50)), st.builds(fixed, st.floats(1_000, 100_000))),
)
def test_at_the_call_price_equity_is_maintenance(
    side: Side, code: str, contracts: int, price: float, share: float, rule: Change
) -> None:
    product = PRODUCTS[code]
    notional = contracts * product.ounces * price
    position = Position(contracts=contracts, equity=share * notional, side=side)
    called = call_price(rule, product, price, position)
    sign = 1 if side is Side.LONG else -1

    def surplus(at: float) -> float:
        """Equity above maintenance with silver ``at``, part of the notional at entry."""
        assert position.equity is not None
        equity = position.equity + sign * contracts * product.ounces * (at - price)
        ratio = product.ounces / product.leader_ounces
        rate = rule.maintenance * ratio if rule.basis is Basis.FIXED else 0.0
        if rule.basis is Basis.PERCENT:
            rate = rule.maintenance / 100 * product.ounces * at
        return (equity - contracts * rate) / notional

    if called is None:
        assert side is Side.LONG or rule.basis is Basis.FIXED
        assert sign * surplus(0.0) >= 0
    else:
        assert surplus(called) == pytest.approx(0, abs=1e-9)


def test_the_account_of_a_called_member(closes: list[Close]) -> None:
    # Three contracts at 80 under 15 % need 180,000; 150,000 carry two.
    result = ask(closes, "2026-02-06T12:00", price=80.0, position=Position(contracts=3, equity=150_000))
    account, later = result.account, result.account_next
    assert account is not None
    assert later is not None
    assert account.called
    assert (account.initial_usd, account.maintenance_usd) == pytest.approx((180_000, 180_000))
    assert account.deposit_usd == pytest.approx(30_000)
    assert (account.contracts_carried, account.contracts_to_cut) == (2, 1)
    assert account.risk_index_pct == pytest.approx(100 * 150 / 180)
    # (15,000 ounces at 80 - 150,000) / (15,000 at 85 %), then at 82 % from the next rule on
    assert account.call_price == pytest.approx(1_050_000 / 12_750)
    assert later.call_price == pytest.approx(1_050_000 / 12_300)
    # 18 % of 400,000 is 72,000 a contract.
    assert later.deposit_usd == pytest.approx(66_000)
    assert (later.contracts_carried, later.contracts_to_cut) == (2, 1)


def test_without_a_call_nothing_is_asked(closes: list[Close]) -> None:
    result = ask(closes, "2026-02-05T12:00", price=80.0, position=Position(contracts=3, equity=180_000))
    account = result.account
    assert account is not None
    assert (account.called, account.deposit_usd, account.contracts_to_cut) == (False, 0, 0)
    assert account.ways == ()
    assert account.call_price == pytest.approx(80)  # exactly at it
    assert result.account_next is None


def test_half_a_position_is_told_as_far_as_it_goes(closes: list[Close]) -> None:
    options = {"price": 80.0}
    held = ask(closes, "2026-02-05T12:00", **options, position=Position(contracts=3)).account
    assert held is not None
    assert held.initial_usd == pytest.approx(180_000)
    assert held.contracts_carried is None
    owned = ask(closes, "2026-02-05T12:00", **options, position=Position(equity=150_000)).account
    assert owned is not None
    assert (owned.initial_usd, owned.contracts_carried) == (None, 2)
    for account in (held, owned):
        assert (account.called, account.call_price, account.deposit_usd) == (None, None, None)
        assert (account.contracts_to_cut, account.ways) == (None, ())
    # At 66,000 a contract 131,999.99 carry one.
    hrp = Position(equity=131_999.99, hrp=True)
    speculator = ask(closes, "2026-02-05T12:00", **options, position=hrp).account
    assert speculator is not None
    assert speculator.contracts_carried == 1


@settings(deadline=None)
@given(st.integers(1, 400), st.integers(-200_000, 3_000_000))
def test_every_way_meets_initial_and_none_more_than_that(contracts: int, equity: int) -> None:
    position = Position(contracts=contracts, equity=float(equity))
    account = assess(
        SILVER, [], product=SI, as_of=utc("2026-02-05T12:00"), source="test", price=80.0, position=position
    ).account
    assert account is not None
    assert bool(account.ways) == account.called
    assert len(account.ways) <= 5
    if account.called:
        assert account.contracts_to_cut is not None
        assert account.ways[0].contracts == 0
        assert account.ways[0].deposit_usd == pytest.approx(account.deposit_usd)
        assert account.ways[-1].contracts == account.contracts_to_cut
        assert [way.contracts for way in account.ways] == sorted({way.contracts for way in account.ways})
    for way in account.ways:
        needed = (contracts - way.contracts) * 60_000
        assert way.deposit_usd == pytest.approx(max(0, needed - equity))


def test_a_call_is_not_made_of_rounding(closes: list[Close]) -> None:
    # 15 % of 5,000 ounces at 50.09 is 37,567.50; as floats the product is a hair above it.
    position = Position(contracts=3, equity=3 * 37_567.5)
    account = ask(closes, "2026-02-05T12:00", price=50.09, position=position).account
    assert account is not None
    assert (account.called, account.deposit_usd, account.contracts_to_cut) == (False, 0, 0)
    # Nor is a contract lost to it: two are paid for in full.
    position = Position(contracts=3, equity=2 * 37_567.5)
    account = ask(closes, "2026-02-05T12:00", price=50.09, position=position).account
    assert account is not None
    assert account.contracts_to_cut == 1


def test_a_speculator_is_called_at_maintenance_up_to_the_higher_initial(closes: list[Close]) -> None:
    options = {"price": 80.0}
    # HRP initial is 66,000 a contract, maintenance 60,000: 125,000 for two is below the one, not the other.
    quiet = ask(
        closes, "2026-02-05T12:00", **options, position=Position(contracts=2, equity=125_000, hrp=True)
    ).account
    assert quiet is not None
    assert (quiet.called, quiet.deposit_usd, quiet.contracts_to_cut) == (False, 0, 0)
    called = ask(
        closes, "2026-02-05T12:00", **options, position=Position(contracts=2, equity=119_000, hrp=True)
    ).account
    assert called is not None
    assert called.called
    assert called.deposit_usd == pytest.approx(2 * 66_000 - 119_000)
    assert called.contracts_to_cut == 1
    assert quiet.call_price == pytest.approx((800_000 - 125_000) / 8_500)  # maintenance, not initial


@pytest.mark.parametrize(
    ("equity", "cut"), [(0.0, 4), (-5_000.0, 4), (57_397.49, 4), (57_397.5, 3), (172_192.5, 1)]
)
def test_contracts_to_cut(closes: list[Close], equity: float, cut: int) -> None:
    account = ask(
        closes, "2026-02-05T12:00", price=76.53, position=Position(contracts=4, equity=equity)
    ).account
    assert account is not None
    assert account.contracts_to_cut == cut


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(0, 3_000_000), st.integers(1_000, 15_000), st.booleans())
def test_the_account_in_exact_cents(contracts: int, equity: int, price_cents: int, hrp: bool) -> None:
    result = assess(
        SILVER,
        [],
        product=SI,
        as_of=utc("2026-02-05T12:00"),
        source="test",
        price=price_cents / 100,
        position=Position(contracts=contracts, equity=equity, hrp=hrp),
    ).account
    assert result is not None
    maintenance = Decimal("0.15") * 50 * price_cents
    initial = Decimal("0.165") * 50 * price_cents if hrp else maintenance
    called = equity < contracts * maintenance
    kept = int(Decimal(equity) / initial)
    assert result.contracts_to_cut == (max(0, contracts - kept) if called else 0)
    assert result.deposit_usd == pytest.approx(float(contracts * initial - equity) if called else 0.0)


def test_the_cut_in_contracts_is_the_cut_in_percent(closes: list[Close]) -> None:
    # Fully margined at 11 % with 1,000 contracts; at 15 % a 26.7 % cut is 267 of them.
    step = ask(closes, "2026-02-03T12:00").steps[6]
    equity = 1_000 * 0.11 * 5_000 * 80.0
    account = ask(
        closes, "2026-02-03T12:00", price=80.0, position=Position(contracts=1_000, equity=equity)
    ).account
    assert account is not None
    assert step.cut_pct is not None
    assert account.contracts_to_cut == ceil(1_000 * step.cut_pct / 100) == 267


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"price": 0.0}, "The price has to be above 0."),
        ({"price": float("nan")}, "The price has to be above 0."),
        ({"price": float("inf")}, "The price has to be above 0."),
        ({"position": Position(contracts=0, equity=1.0)}, "at least 1"),
        ({"position": Position(contracts=1, equity=float("nan"))}, "amount in US dollars"),
    ],
)
def test_figures_that_mean_nothing(closes: list[Close], options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        ask(closes, "2026-02-05T12:00", **options)


def test_what_is_not_known_is_said(closes: list[Close]) -> None:
    with pytest.raises(UserError, match="No price of SI"):
        ask(closes, "2025-11-30T00:00")
    with pytest.raises(UserError, match="No margin rule of SI"):
        assess(SILVER[1:], closes, product=SI, as_of=utc("2025-12-05T00:00"), source="test")


@settings(max_examples=40, deadline=None)
@given(st.datetimes(datetime(2025, 12, 2), datetime(2026, 2, 8)))  # noqa: DTZ001 - made aware below
def test_nothing_known_later_leaks(closes: list[Close], moment: datetime) -> None:
    at = moment.replace(tzinfo=UTC)
    rules = [rule for rule in SILVER if rule.known_at is None or rule.known_at <= at]
    past = [close for close in closes if close.closed_at <= at]
    options: dict[str, Any] = {"product": SI, "as_of": at, "source": "test"}
    assert assess(SILVER, closes, **options) == assess(rules, past, **options)
