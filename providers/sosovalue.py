"""SoSoValue: daily net flows of all US spot ETFs together, in US$; the last 300 days.

Its figures differ from Farside's by rounding and now and then by a day: they are another
publisher's, never part of one sum with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr, Strict, TypeAdapter

from providers import gate
from providers.errors import Malformed, Refused
from providers.flow_days import all_reported_by, checked
from providers.shapes import FlowDay, FlowDays, FlowQuery, Request

NAME: Final = "SoSoValue"
HOST: Final = "api.sosovalue.xyz"

_TYPES: Final[Mapping[str, str]] = MappingProxyType({"BTC": "us-btc-spot", "ETH": "us-eth-spot"})

_FIELDS: Final = frozenset({"code", "msg", "traceId", "data"})
_FIELDS_OF_A_DAY: Final = frozenset({"totalValueTraded", "totalNetAssets", "cumNetInflow"})

_MILLION: Final = 1_000_000
_FEW_DAYS: Final = 5
"""In more days than these a flow of a million or more is certain, or they are not in dollars."""


class _Status(BaseModel):
    code: gate.Whole
    msg: Annotated[str, Strict()] | None = None


class _Day(BaseModel):
    model_config = ConfigDict(extra="allow")

    date: gate.Day
    # Null is a day without an account. A day without the field at all is another shape.
    total_net_inflow: gate.Number | None = Field(alias="totalNetInflow")


class _Listed(BaseModel):
    list: list[_Day]


class _Reply(BaseModel):
    # Documented as an object with a list; some were sent the bare list.
    data: _Listed | list[_Day]


_STATUS: Final = TypeAdapter(_Status)
_REPLY: Final = TypeAdapter(_Reply)


def request(query: FlowQuery, key: SecretStr | None = None) -> Request:
    """A key is documented as needed; calls without one have been answered."""
    return Request(
        host=HOST,
        path="/openapi/v2/etf/historicalInflowChart",
        secret_headers={} if key is None else {"x-soso-api-key": key},
        json={"type": _TYPES[query.asset]},
    )


def parse(body: bytes, query: FlowQuery, now: datetime) -> FlowDays:
    """A day is final from 09:00 UTC of the next day on; before, its total grows and is left out."""
    answer = gate.read(body)
    status = gate.shaped(_STATUS, answer, body=body)
    if status.code != 0:
        raise Refused(f"error {status.code}: {gate.words(status.msg or '')}")
    data = gate.shaped(_REPLY, answer, body=body).data
    listed = data.list if isinstance(data, _Listed) else data
    days = checked((_flow_day(day) for day in listed), asset=query.asset, now=now, body=body)
    if len(days) > _FEW_DAYS and all(abs(day.total_musd or 0.0) < 1 for day in days):
        raise Malformed("flows in another unit", body=body)
    unknown = gate.unknown(answer, _FIELDS) | gate.unknown(listed[0].model_extra, _FIELDS_OF_A_DAY)
    return FlowDays(days=tuple(_settled(day, now) for day in days), unknown=unknown)


def _flow_day(day: _Day) -> FlowDay:
    usd = day.total_net_inflow
    total = None if usd is None else round(usd / _MILLION, 6)
    return FlowDay(trade_date=day.date, total_musd=total, funds={}, final=False)


def _settled(day: FlowDay, now: datetime) -> FlowDay:
    final = day.total_musd is not None and now >= all_reported_by(day.trade_date)
    return replace(day, final=final, total_musd=day.total_musd if final else None)
