from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from providers import sosovalue
from providers.errors import Malformed, Refused
from providers.shapes import FlowDay, FlowQuery

BTC = FlowQuery(asset="BTC")
NEXT_MORNING = datetime(2026, 2, 6, 9, 0, tzinfo=UTC)

# US$, newest first, as documented; the days as in the flows of 29 January to 5 February 2026.
DAYS: tuple[tuple[str, float | None], ...] = (
    ("2026-02-05", -434150000.0),
    ("2026-02-04", -544940000.0),
    ("2026-02-03", -272020000),
    ("2026-02-02", 561890000.0),
    ("2026-01-30", -509700000.0),
    ("2026-01-29", -817870000.0),
)


def rows(days: Sequence[tuple[str, float | None]]) -> list[dict[str, Any]]:
    return [
        {
            "date": day,
            "totalNetInflow": flow,
            "totalValueTraded": 8.1e9,
            "totalNetAssets": 9.3e10,
            "cumNetInflow": 5.47e10,
        }
        for day, flow in days
    ]


def answer(days: Sequence[tuple[str, float | None]] = DAYS, *, bare: bool = False, **other: Any) -> bytes:
    data = rows(days) if bare else {"list": rows(days)}
    return json.dumps({"code": 0, "msg": None, "traceId": "3f2a", "data": data, **other}).encode()


def read(body: bytes, now: datetime = NEXT_MORNING) -> list[FlowDay]:
    return list(sosovalue.parse(body, BTC, now).days)


def test_posts_the_kind_of_fund_with_the_key_in_a_header() -> None:
    request = sosovalue.request(FlowQuery(asset="ETH"), SecretStr("secret"))
    assert (request.host, request.path) == ("api.sosovalue.xyz", "/openapi/v2/etf/historicalInflowChart")
    assert request.json == {"type": "us-eth-spot"}
    assert dict(request.secret_headers) == {"x-soso-api-key": SecretStr("secret")}
    assert request.params == {}
    assert "secret" not in repr(request).replace("secret_", "")


def test_a_call_without_a_key_has_none() -> None:
    request = sosovalue.request(BTC)
    assert request.json == {"type": "us-btc-spot"}
    assert request.secret_headers == {}


@pytest.mark.parametrize("bare", [False, True])
def test_totals_in_million_oldest_first(bare: bool) -> None:
    days = read(answer(bare=bare))
    assert [(day.trade_date, day.total_musd) for day in days] == [
        (date(2026, 1, 29), -817.87),
        (date(2026, 1, 30), -509.7),
        (date(2026, 2, 2), 561.89),
        (date(2026, 2, 3), -272.02),
        (date(2026, 2, 4), -544.94),
        (date(2026, 2, 5), -434.15),
    ]
    assert all(day.final and not day.funds for day in days)


@pytest.mark.parametrize(
    ("now", "total"), [(datetime(2026, 2, 6, 8, 59, 59, tzinfo=UTC), None), (NEXT_MORNING, -434.15)]
)
def test_the_running_day_is_left_open_until_nine_of_the_next(now: datetime, total: float | None) -> None:
    days = read(answer(), now)
    assert (days[-1].final, days[-1].total_musd) == (total is not None, total)
    assert days[-2].final


def test_no_account_is_not_zero() -> None:
    days = read(answer([("2026-02-05", None), *DAYS[1:]]))
    assert (days[-1].final, days[-1].total_musd) == (False, None)
    days = read(answer([("2026-02-05", 0.0), *DAYS[1:]]))
    assert (days[-1].final, days[-1].total_musd) == (True, 0.0)


def test_a_closed_market_is_no_day() -> None:
    # Martin Luther King Day and a Saturday.
    closed: list[tuple[str, float | None]] = [("2026-01-19", 0.0), ("2026-01-17", None)]
    assert read(answer([*DAYS, *closed])) == read(answer())


def test_the_same_row_twice_is_one() -> None:
    assert read(answer([DAYS[0], *DAYS])) == read(answer())


def test_a_new_field_is_named_and_changes_nothing() -> None:
    more = json.loads(answer())
    more["version"] = 3
    more["data"]["list"][0]["totalBtc"] = 1.0
    found = sosovalue.parse(json.dumps(more).encode(), BTC, NEXT_MORNING)
    assert found.unknown == {"version", "totalBtc"}
    known = sosovalue.parse(answer(), BTC, NEXT_MORNING)
    assert (known.unknown, known.days) == (frozenset(), found.days)


def test_an_error_inside_a_200() -> None:
    with pytest.raises(Refused, match="error 40001: invalid api key"):
        read(b'{"code":40001,"msg":"invalid api key","data":null}')


@pytest.mark.parametrize(
    "body",
    [
        answer([("2026-02-05", -434150000.0), ("2026-02-05", -434160000.0)]),  # two accounts of one day
        answer([*DAYS, ("2024-01-01", 561890000.0)]),  # before there were any
        answer([*DAYS, ("2026-02-09", 1e8)]),  # a day that has not come
        answer([*DAYS, ("2026-01-19", 1e8)]),  # a flow on a holiday
        answer([*DAYS, ("2026-01-28", 3e9)]),  # out of bounds
        answer([(day, flow / 1e6) for day, flow in DAYS if flow]),  # in million
        answer([(day, flow * 100) for day, flow in DAYS if flow]),  # in cents
        answer([]),
        answer(data=None),
        answer(data={"list": [{"date": "2026-02-05"}]}),
        answer(data={"list": [{"date": "2026-02-05", "totalNetInflow": "-434150000"}]}),
        answer(data={"list": [{"date": "2026-02-05", "totalNetInflow": {"value": 1e8}}]}),
        answer(data={"list": [{"date": 1770249600000, "totalNetInflow": 1e8}]}),
        answer([("2026-02-05", float("nan"))]),
        answer(code="0"),
        answer()[:-30],
        b'{"msg":null,"data":[]}',
        b"<!DOCTYPE html><title>Error</title>",
        b"[]",
    ],
)
def test_nothing_of_another_shape_is_taken(body: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        read(body)
    assert caught.value.body == body
