"""The ladder as JSON and as rows of a CSV file. Prices in US dollars, margins in each position's currency."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from analysis.freshness import freshness
from analysis.ladder import Ladder, Rung, Standing
from analysis.ladder_sales import Pool
from analysis.ladder_tiers import Kept
from bot.language import iso


def figure(value: float | None) -> float | None:
    """To ten digits: cents of a dear coin, and what matters of a cheap one."""
    return None if value is None else float(f"{value:.10g}")


def percent(value: float | None) -> float | None:
    """A share as a percentage."""
    return None if value is None else figure(100 * value)


def as_json(result: Ladder, now: datetime) -> dict[str, Any]:
    market = result.market
    return {
        "as_of": iso(result.as_of),
        "instrument": result.instrument,
        "price": figure(result.price),
        "estimate": True,
        "positions": [_rung(rung, result.as_of) for rung in result.rungs],
        "leverages": None
        if result.steps is None
        else {
            "entry": figure(result.steps.entry),
            "side": result.steps.side.value,
            "mmr_pct": percent(result.steps.rate),
            "fee_pct": percent(result.steps.fee),
            "mmr_source": None if result.kept is None else _table(result.kept, result.as_of),
            "rows": [
                {
                    "leverage": row.leverage,
                    "linear_price": figure(row.linear),
                    "linear_pct": figure(row.linear_pct),
                    "inverse_price": figure(row.inverse),
                    "inverse_pct": figure(row.inverse_pct),
                }
                for row in result.steps.rows
            ],
        },
        "floors": [{"price": price, "label": label} for price, label in result.floors],
        "pools": [_pool(pool) for pool in result.pools],
        "market": None
        if market is None
        else {
            "price": market.price,
            "closed_at": iso(market.closed_at),
            "age_s": int((now - market.closed_at).total_seconds()),
            "freshness": freshness(market.closed_at, now, market.rhythm).value,
            "atr_1d": figure(market.atr_1d),
            "data_source": market.source,
            "source": "sample" if market.is_sample else market.source,
        },
    }


def _table(kept: Kept, now: datetime) -> dict[str, Any]:
    """Whose table a rate is from; ``freshness`` is null for one that is kept by hand."""
    fresh = kept.freshness(now)
    return {
        "source": kept.source,
        "read_on": kept.read_on.isoformat(),
        "seen_at": None if kept.seen_at is None else iso(kept.seen_at),
        # Null for a table read after the instant that is asked about.
        "age_s": age if (age := int(kept.age(now).total_seconds())) >= 0 else None,
        "freshness": None if fresh is None else fresh.value,
        "whole": kept.whole,
    }


def _rung(rung: Rung, now: datetime) -> dict[str, Any]:
    position, kept, contract = rung.position, rung.holding.kept, rung.holding.contract
    return {
        "kind": position.kind.value,
        "side": position.side.value,
        "instrument": position.instrument,
        "margin_mode": "cross" if position.cross else "isolated",
        "convention": position.convention.value,
        "currency": position.currency,
        "entry": figure(position.entry),
        "size": figure(position.size),
        "leverage": figure(position.leverage),
        "extra_margin": figure(position.extra),
        "mark": figure(position.mark),
        "margin": figure(rung.margin),
        "liquidation_price": figure(rung.liquidation_price),
        "never": None if rung.liquidation_price is not None else "no positive price liquidates it",
        "bankruptcy_price": figure(rung.bankruptcy_price),
        "distance_pct": figure(rung.distance_pct),
        "distance_atr": figure(rung.distance_atr),
        "mmr_pct": percent(rung.rate),
        "mmr_source": None if kept is None else _table(kept, now),
        "rule_source": None if contract is None else contract.rule.source,
        "fee_pct": percent(position.fee),
        "notional_released_usd": figure(rung.notional_usd),
        "now": _standing(rung.at_mark),
        "on_the_way": [_standing(standing) for standing in rung.standings],
        "hold": None
        if rung.hold is None
        else {
            "price": figure(rung.hold.price),
            "add": figure(rung.hold.add),
            "cut": figure(rung.hold.cut),
            "left": figure(rung.hold.left),
        },
        "what_if": None
        if rung.what_if is None
        else {
            "mmr_pct": percent(rung.what_if.rate),
            "effective": None
            if rung.what_if.following is None or rung.what_if.following.effective is None
            else iso(rung.what_if.following.effective),
            "liquidation_price": figure(rung.what_if.liquidation_price),
            "distance_pct": figure(rung.what_if.distance_pct),
            "stands": rung.what_if.stands,
        },
        "risk_index": None
        if rung.gauge is None
        else {
            "index_pct": figure(rung.gauge.index_pct),
            "offset_price": figure(rung.gauge.offset_price),
        },
    }


def _standing(standing: Standing) -> dict[str, Any]:
    return {
        "price": figure(standing.price),
        "label": standing.label,
        "equity": figure(standing.equity),
        "maintenance": figure(standing.maintenance),
        "stands": standing.stands,
    }


def _pool(pool: Pool) -> dict[str, Any]:
    return {
        "currency": pool.currency,
        "positions": list(pool.members),
        "equity": figure(pool.equity),
        "maintenance": figure(pool.maintenance),
        "short": figure(pool.short),
        "orders": [
            {
                "order": order.order.value,
                "covered": order.covered,
                "released": figure(order.released),
                "loss": figure(order.loss),
                "remaining_notional_usd": figure(order.remaining_notional_usd),
                "remaining_requirement": figure(order.remaining_requirement),
                "sales": [
                    {
                        "position": sale.index,
                        "size": figure(sale.size),
                        "released": figure(sale.released),
                        "loss": figure(sale.loss),
                        "left": figure(sale.left),
                    }
                    for sale in order.sales
                ],
            }
            for order in pool.orders
        ],
    }


def as_table(result: Ladder) -> Sequence[Sequence[object]]:
    """One row a position, or one a leverage."""
    if result.steps is not None:
        header: list[object] = [
            "leverage", "entry", "linear_price_usd", "linear_pct", "inverse_price_usd", "inverse_pct",
        ]  # fmt: skip
        return [
            header,
            *(
                [
                    row.leverage, figure(result.steps.entry), figure(row.linear), figure(row.linear_pct),
                    figure(row.inverse), figure(row.inverse_pct),
                ]
                for row in result.steps.rows
            ),
        ]  # fmt: skip
    columns: list[object] = [
        "kind", "side", "margin", "instrument", "entry", "size", "leverage", "extra", "mark", "currency",
        "margin_behind", "liquidation_price", "bankruptcy_price", "distance_pct", "distance_atr", "mmr_pct",
        "fee_pct", "convention", "notional_released_usd", "equity_now", "maintenance_now",
    ]  # fmt: skip
    rows: list[list[object]] = [columns]
    for rung in result.rungs:
        position = rung.position
        rows.append(
            [
                position.kind.value, position.side.value, "cross" if position.cross else "isolated",
                position.instrument, figure(position.entry), figure(position.size), figure(position.leverage),
                figure(position.extra), figure(position.mark), position.currency, figure(rung.margin),
                figure(rung.liquidation_price), figure(rung.bankruptcy_price), figure(rung.distance_pct),
                figure(rung.distance_atr), percent(rung.rate), percent(position.fee),
                position.convention.value, figure(rung.notional_usd), figure(rung.at_mark.equity),
                figure(rung.at_mark.maintenance),
            ]
        )  # fmt: skip
    return rows
