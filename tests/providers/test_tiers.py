"""Maintenance tiers: units, borders, and what a table may not be."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from providers import bybit, okx
from providers.errors import Malformed
from providers.shapes import TierQuery, Tiers
from tests.providers.all_subjects import BTC_LINEAR, BYBIT, OKX, OKX_CONTRACT
from tests.providers.subjects import NOW

BTC_INVERSE = TierQuery(code="BTC", inverse=True)


def of_bybit(change: Callable[[list[dict[str, Any]]], object] = lambda _: None) -> Tiers:
    answer = json.loads(BYBIT)
    change(answer["result"]["list"])
    return bybit.parse([json.dumps(answer).encode()], BTC_LINEAR, NOW)


def of_okx(change: Callable[[list[dict[str, Any]]], object] = lambda _: None) -> Tiers:
    answer = json.loads(OKX)
    change(answer["data"])
    return okx.parse([json.dumps(answer).encode(), OKX_CONTRACT], BTC_LINEAR, NOW)


def test_a_tier_begins_where_the_one_below_it_ends() -> None:
    found = of_bybit()
    # 510 = 300,000 x (0.5 % - 0.33 %); 1,710 = 2,000,000 x (0.56 % - 0.5 %) + 510.
    assert list(map(tuple, found.rows)) == [(0, 0.0033, 0), (300_000, 0.005, 510), (2_000_000, 0.0056, 1_710)]
    assert not found.by_size
    assert of_bybit(list.reverse) == found


def test_percentages_are_told_from_shares_by_the_leverage() -> None:
    """As the venue's own documents have them: 0.5 and 1 at a leverage of 100."""

    def in_percent(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            for name in ("maintenanceMargin", "initialMargin"):
                row[name] = str(round(float(row[name]) * 100, 6))

    assert of_bybit(in_percent) == of_bybit()

    def one_of_them(rows: list[dict[str, Any]]) -> None:
        in_percent(rows[:1])

    with pytest.raises(Malformed, match="another unit"):
        of_bybit(one_of_them)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda rows: rows.pop(0), id="the lowest tier is missing"),
        pytest.param(lambda rows: rows.pop(1), id="one in the middle is missing"),
        pytest.param(lambda rows: rows[1].update(mmDeduction="5100"), id="a deduction ten times too large"),
        pytest.param(lambda rows: rows[1].update(mmDeduction=""), id="a deduction that is not there"),
        pytest.param(lambda rows: rows[2].update(maintenanceMargin="0.004"), id="a rate that falls"),
        pytest.param(lambda rows: rows[0].update(symbol="ETHUSDT"), id="a row of another contract"),
        pytest.param(lambda rows: rows[1].pop("maintenanceMargin"), id="a field that is not there"),
    ],
)
def test_a_table_of_bybit_that_cannot_be(change: Callable[[list[dict[str, Any]]], object]) -> None:
    with pytest.raises(Malformed):
        of_bybit(change)


def test_contracts_become_coins_and_the_rate_holds_for_all_of_a_position() -> None:
    found = of_okx()
    # A contract is 0.01 BTC: 1,000 contracts are 10 BTC.
    assert [(row.floor, row.rate) for row in found.rows] == [
        (0, 0.004), (10, 0.005), (50, 0.0075), (200, 0.0125), (400, 0.0175),
    ]  # fmt: skip
    assert {row.deduction for row in found.rows} == {0}
    assert found.by_size


def test_inverse_contracts_are_of_dollars() -> None:
    contract = json.loads(OKX_CONTRACT)
    contract["data"][0] |= {
        "instId": "BTC-USD-SWAP", "ctType": "inverse", "ctVal": "100", "ctValCcy": "USD",
    }  # fmt: skip
    tiers = OKX.replace(b"BTC-USDT", b"BTC-USD")
    found = okx.parse([tiers, json.dumps(contract).encode()], BTC_INVERSE, NOW)
    assert [row.floor for row in found.rows] == [0, 100_000, 500_000, 2_000_000, 4_000_000]
    # The contract of one with the tiers of the other is neither.
    with pytest.raises(Malformed, match="another contract"):
        okx.parse([tiers, OKX_CONTRACT], BTC_INVERSE, NOW)
    with pytest.raises(Malformed, match="another contract"):
        okx.parse([OKX, json.dumps(contract).encode()], BTC_INVERSE, NOW)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda rows: rows.pop(0), id="the lowest tier is missing"),
        pytest.param(lambda rows: rows.pop(2), id="one in the middle is missing"),
        pytest.param(lambda rows: rows[1].update(minSz="1500"), id="a gap between two"),
        pytest.param(lambda rows: rows[1].update(maxSz="900"), id="an end before its beginning"),
        pytest.param(lambda rows: rows[3].update(mmr="0.001"), id="a rate that falls"),
        pytest.param(lambda rows: rows[3].update(mmr="0.03"), id="maintenance above the initial margin"),
        pytest.param(lambda rows: rows.append(dict(rows[0])), id="a tier twice"),
    ],
)
def test_a_table_of_okx_that_cannot_be(change: Callable[[list[dict[str, Any]]], object]) -> None:
    with pytest.raises(Malformed):
        of_okx(change)
