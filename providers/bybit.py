"""Bybit: maintenance tiers of perpetuals, by the value of a position and with a deduction.

Rates have been sent as shares (0.005) and, in the documents, as percentages (0.5): which
it is, the leverage of the same row tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, TypeAdapter

from providers import gate
from providers.errors import Malformed, Refused, TooMany
from providers.shapes import Request, TierQuery, TierRow, Tiers
from providers.tier_tables import checked

NAME: Final = "Bybit"
HOST: Final = "api.bybit.com"

_TOO_MANY: Final = frozenset({10006, 10018, 10429})
_FIELDS: Final = frozenset({"retCode", "retMsg", "result", "retExtInfo", "time"})
_OFF: Final = 0.02
"""By how much of it a figure may differ from what others make it: leverages have two decimals."""


def _deduction(sent: object) -> object:
    # Of the lowest tier there is none, which is sent as nothing.
    return "0" if sent is None or sent == "" else sent


_Text = Annotated[str, Strict()]
_Share = Annotated[gate.Decimal | gate.Number, Field(union_mode="left_to_right")]
"""A rate: told to be a number, sent as text."""


class _Row(BaseModel):
    model_config = ConfigDict(extra="ignore")

    symbol: _Text
    up_to: gate.Decimal = Field(alias="riskLimitValue")
    maintenance: _Share = Field(alias="maintenanceMargin")
    initial: _Share = Field(alias="initialMargin")
    leverage: gate.Decimal = Field(alias="maxLeverage")
    deduction: Annotated[gate.Decimal, BeforeValidator(_deduction)] = Field(alias="mmDeduction")


class _Result(BaseModel):
    category: _Text
    list: list[_Row]


class _Status(BaseModel):
    retCode: gate.Whole  # noqa: N815 -- as it is sent
    retMsg: _Text = ""  # noqa: N815


class _Reply(BaseModel):
    result: _Result


_STATUS: Final = TypeAdapter(_Status)
_REPLY: Final = TypeAdapter(_Reply)


def requests(query: TierQuery) -> tuple[Request, ...]:
    params = {"category": _category(query), "symbol": _symbol(query)}
    return (Request(host=HOST, path="/v5/market/risk-limit", params=params),)


def parse(bodies: Sequence[bytes], query: TierQuery, now: datetime) -> Tiers:  # noqa: ARG001 -- as every parser has it
    [body] = bodies
    value = gate.read(body)
    status = gate.shaped(_STATUS, value, body=body)
    if status.retCode != 0:
        said = f"error {status.retCode}: {gate.words(status.retMsg)}"
        raise TooMany(said) if status.retCode in _TOO_MANY else Refused(said)
    result = gate.shaped(_REPLY, value, body=body).result
    if result.category != _category(query) or any(row.symbol != _symbol(query) for row in result.list):
        raise Malformed("tiers of another contract", body=body)
    rows = sorted(result.list, key=lambda row: row.up_to)
    if not rows:
        raise Malformed("no tiers", body=body)
    unit = _unit(rows, body)
    # A tier is told by where it ends: it begins where the one below it does.
    floors = [0.0, *(row.up_to for row in rows[:-1])]
    made = [
        TierRow(floor, round(float(row.maintenance) * unit, 12), row.deduction)
        for floor, row in zip(floors, rows, strict=True)
    ]
    _joined(made, body)
    return Tiers(rows=checked(made, body=body), by_size=False, unknown=gate.unknown(value, _FIELDS))


def _unit(rows: Sequence[_Row], body: bytes) -> float:
    """What a rate is to be multiplied by: initial margin and highest leverage are each other's inverse."""
    products = [float(row.initial) * row.leverage for row in rows]
    for unit in (1.0, 0.01):
        if all(abs(product * unit - 1) <= _OFF for product in products):
            return unit
    raise Malformed("rates in another unit", body=body)


def _joined(rows: Sequence[TierRow], body: bytes) -> None:
    """At the border of two tiers both ask for the same margin, or one of the figures is wrong."""
    for lower, higher in pairwise(rows):
        below = higher.floor * lower.rate - lower.deduction
        above = higher.floor * higher.rate - higher.deduction
        if not abs(above - below) <= _OFF * max(below, 1e-9):
            raise Malformed(f"the margin jumps at {higher.floor:g}", body=body)


def _category(query: TierQuery) -> str:
    return "inverse" if query.inverse else "linear"


def _symbol(query: TierQuery) -> str:
    return f"{query.code}USD" if query.inverse else f"{query.code}USDT"
