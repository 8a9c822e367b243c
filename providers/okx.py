"""OKX: maintenance tiers of perpetuals, by the size of a position; the rate of a tier is that of all of it.

Sizes are told in contracts: what one of them is worth is asked for as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, Strict, TypeAdapter

from providers import gate
from providers.errors import Malformed, Refused, TooMany
from providers.shapes import Request, TierQuery, TierRow, Tiers
from providers.tier_tables import checked

NAME: Final = "OKX"
HOST: Final = "www.okx.com"

_TOO_MANY: Final = frozenset({"50011", "50040", "50061"})
_FIELDS: Final = frozenset({"code", "msg", "data"})
_WIDEST_STEP: Final = 1.0
"""Contracts between the end of a tier and the beginning of the next: the smallest order, never more."""

_Text = Annotated[str, Strict()]


class _Tier(BaseModel):
    model_config = ConfigDict(extra="ignore")

    family: _Text = Field(alias="instFamily")
    tier: gate.Digits
    begins: gate.Decimal = Field(alias="minSz")
    ends: gate.Decimal = Field(alias="maxSz")
    maintenance: gate.Decimal = Field(alias="mmr")
    initial: gate.Decimal = Field(alias="imr")


class _Instrument(BaseModel):
    model_config = ConfigDict(extra="ignore")

    name: _Text = Field(alias="instId")
    kind: _Text = Field(alias="ctType")
    value: gate.Decimal = Field(alias="ctVal")
    currency: _Text = Field(alias="ctValCcy")
    multiplier: gate.Decimal = Field(alias="ctMult")


class _Status(BaseModel):
    code: _Text
    msg: _Text = ""


class _Tiers(BaseModel):
    data: list[_Tier]


class _Instruments(BaseModel):
    data: list[_Instrument]


_STATUS: Final = TypeAdapter(_Status)
_TIERS: Final = TypeAdapter(_Tiers)
_INSTRUMENTS: Final = TypeAdapter(_Instruments)


def requests(query: TierQuery) -> tuple[Request, ...]:
    return (
        Request(
            host=HOST,
            path="/api/v5/public/position-tiers",
            params={"instType": "SWAP", "tdMode": "isolated", "instFamily": _family(query)},
        ),
        Request(
            host=HOST,
            path="/api/v5/public/instruments",
            params={"instType": "SWAP", "instId": f"{_family(query)}-SWAP"},
        ),
    )


def parse(bodies: Sequence[bytes], query: TierQuery, now: datetime) -> Tiers:  # noqa: ARG001 -- as every parser has it
    tiers, instruments = bodies
    size = _contract(instruments, query)
    value = _answer(tiers)
    rows = sorted(gate.shaped(_TIERS, value, body=tiers).data, key=lambda row: row.tier)
    if any(row.family != _family(query) for row in rows):
        raise Malformed("tiers of another contract", body=tiers)
    if not rows or [row.tier for row in rows] != list(range(1, len(rows) + 1)) or rows[0].begins != 0:
        raise Malformed("not all of the tiers", body=tiers)
    for lower, higher in pairwise(rows):
        if not lower.begins < lower.ends <= higher.begins <= lower.ends + _WIDEST_STEP:
            raise Malformed(f"a gap below tier {higher.tier}", body=tiers)
    if any(row.maintenance >= row.initial for row in rows):
        raise Malformed("maintenance above the initial margin", body=tiers)
    # A tier holds for more than the one below it ends with.
    floors = [0.0, *(row.ends for row in rows[:-1])]
    made = [
        TierRow(round(floor * size, 9), row.maintenance, 0.0) for floor, row in zip(floors, rows, strict=True)
    ]
    return Tiers(rows=checked(made, body=tiers), by_size=True, unknown=gate.unknown(value, _FIELDS))


def _contract(body: bytes, query: TierQuery) -> float:
    """How much one contract is: coins, or US dollars if inverse."""
    listed = gate.shaped(_INSTRUMENTS, _answer(body), body=body).data
    kind, currency = ("inverse", "USD") if query.inverse else ("linear", query.code)
    if len(listed) != 1 or (listed[0].name, listed[0].kind, listed[0].currency) != (
        f"{_family(query)}-SWAP",
        kind,
        currency,
    ):
        raise Malformed("another contract", body=body)
    size = listed[0].value * listed[0].multiplier
    # From a hundred-thousandth of a coin to a thousand dollars.
    if not 1e-5 <= size <= 1_000:
        raise Malformed(f"a contract of {size:g}", body=body)
    return size


def _answer(body: bytes) -> object:
    """What is in the body. Raises Refused for an error, which comes with status 200."""
    value = gate.read(body)
    status = gate.shaped(_STATUS, value, body=body)
    if status.code != "0":
        said = f"error {gate.words(status.code)}: {gate.words(status.msg)}"
        raise TooMany(said) if status.code in _TOO_MANY else Refused(said)
    return value


def _family(query: TierQuery) -> str:
    return f"{query.code}-USD" if query.inverse else f"{query.code}-USDT"
