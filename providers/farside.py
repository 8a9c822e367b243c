"""Farside Investors: net flows of the US spot ETFs by fund, an HTML page for people.

The page is filled in through the night, fund by fund, and its total is the sum of what
is there so far. A cell of ``-`` is not reported yet; ``0.0`` is a reported zero.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final

import lxml.etree
import lxml.html

from providers.errors import Blocked, Malformed
from providers.flow_days import all_reported_by, checked
from providers.shapes import FlowDay, FlowDays, FlowQuery, Request

NAME: Final = "Farside Investors"

_PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {"BTC": "/bitcoin-etf-flow-all-data/", "ETH": "/ethereum-etf-flow-all-data/"}
)
# The page of another asset, or one that lost its columns, is not taken for this one's.
_ALWAYS_LISTED: Final[Mapping[str, str]] = MappingProxyType({"BTC": "IBIT", "ETH": "ETHA"})
_FEWEST_FUNDS: Final[Mapping[str, int]] = MappingProxyType({"BTC": 10, "ETH": 9})

_WAITED_ROWS: Final = 10
"""A fund with a number in that many sessions before a day is waited for on that day."""

_ROUNDING_MUSD: Final = 2.0
"""How far a total may be from the sum of its row: each cell is rounded to 0.1, and seeds are restated."""

_CHALLENGE_BYTES: Final = 5_000
"""A page without the table that is shorter than this is a challenge, not a page that changed."""

_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE: Final = re.compile(rf"([0-9]{{1,2}}) ({'|'.join(_MONTHS)}) (20[0-9]{{2}})")
_TICKER: Final = re.compile(r"[A-Z]{2,6}")
_AMOUNT: Final = re.compile(r"-?((?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?)\*?")
_NOT_REPORTED: Final = frozenset({"", "-"})

_Row = Sequence[str]


def request(query: FlowQuery) -> Request:
    """All days at once: a revision of an old one is seen as well."""
    return Request(host="farside.co.uk", path=_PATHS[query.asset], headers={"Accept": "text/html"})


def parse(body: bytes, query: FlowQuery, now: datetime) -> FlowDays:
    """A day is final when every fund that is waited for has a number and it is 09:00 UTC of the next day.

    The total of a day that is not final grows from hour to hour and is left out.
    """
    asset = query.asset
    for rows in _tables(body):
        header = next((row for row in rows if _is_header(row, asset)), None)
        if header is not None:
            days = checked(_days(header, rows, body), asset=asset, now=now, body=body)
            return FlowDays(days=_settled(days, now))
    raise Malformed("no table with the tickers", body=body)


def _tables(body: bytes) -> list[list[_Row]]:
    """The text of every cell of every table of flows, row by row."""
    try:
        page = lxml.html.document_fromstring(body, parser=lxml.html.HTMLParser(encoding="utf-8"))
    except (lxml.etree.LxmlError, ValueError) as error:
        raise Malformed("not a page", body=body) from error
    tables = page.xpath("//table[contains(concat(' ', normalize-space(@class), ' '), ' etf ')]")
    if not tables and len(body) < _CHALLENGE_BYTES and body.lstrip()[:1] == b"<":
        raise Blocked("a short page without the table: a challenge")
    return [[_texts(row) for row in table.iter("tr")] for table in tables]


def _texts(row: Any) -> _Row:
    """The cells of a row; a hard space is a space."""
    return [" ".join(cell.text_content().split()) for cell in row if cell.tag in {"td", "th"}]


def _is_header(row: _Row, asset: str) -> bool:
    """Whether a row names the funds. Others above the days name issuers and fees."""
    tickers = [cell for cell in row[1:-1] if _TICKER.fullmatch(cell)]
    return len(tickers) >= _FEWEST_FUNDS[asset] and _ALWAYS_LISTED[asset] in tickers


def _days(header: _Row, rows: Sequence[_Row], body: bytes) -> list[FlowDay]:
    """Columns are told by name, so that a new fund is one more; the last one is the total, named or not."""
    tickers = header[1:-1]
    if not all(_TICKER.fullmatch(ticker) for ticker in tickers) or len(set(tickers)) != len(tickers):
        raise Malformed("a column without a name of its own", body=body)
    if header[-1] not in {"", "Total"}:
        raise Malformed("the last column is not the total", body=body)
    days: list[FlowDay] = []
    for row in rows:
        trade_date = _date(row[0] if row else "", body)
        if trade_date is None:
            continue
        if len(row) != len(header):
            raise Malformed(f"{len(row)} cells on {trade_date}, {len(header)} columns", body=body)
        *flows, total = (_amount(cell, body) for cell in row[1:])
        day_s_sum = sum(flow for flow in flows if flow is not None)
        if total is not None and not abs(day_s_sum - total) <= _ROUNDING_MUSD:
            raise Malformed(f"the total of {trade_date} is not the sum of its funds", body=body)
        funds = dict(zip(tickers, flows, strict=True))
        days.append(FlowDay(trade_date=trade_date, total_musd=total, funds=funds, final=False))
    return days


def _date(text: str, body: bytes) -> date | None:
    """None for what is no day: a header, a fee, a seed, a sum, a mean, a footnote.

    Raises Malformed for a date in another form, which would be a day lost without a word.
    """
    found = _DATE.fullmatch(text)
    if found is None:
        if text[:1].isdigit():
            raise Malformed(f"not a date as agreed: {text[:20]}", body=body)
        return None
    day, month, year = found.groups()
    try:
        return date(int(year), _MONTHS.index(month) + 1, int(day))
    except ValueError as error:
        raise Malformed(f"not a day: {text}", body=body) from error


def _amount(text: str, body: bytes) -> float | None:
    """US$ million; negative ones stand in parentheses, seeds have a ``*``."""
    if text in _NOT_REPORTED:
        return None
    bracketed = text.startswith("(") and text.endswith(")")
    found = _AMOUNT.fullmatch(text[1:-1] if bracketed else text)
    if found is None or (bracketed and text[1] == "-"):
        raise Malformed(f"not an amount: {text[:20]}", body=body)
    amount = float(found[1].replace(",", ""))
    return -amount if amount and (bracketed or text[0] == "-") else amount


def _settled(days: Sequence[FlowDay], now: datetime) -> tuple[FlowDay, ...]:
    last_reported = {
        fund: at for at, day in enumerate(days) for fund, flow in day.funds.items() if flow is not None
    }
    settled: list[FlowDay] = []
    for at, day in enumerate(days):
        lately = days[max(0, at - _WAITED_ROWS) : at]
        waited = {
            fund
            for fund, last in last_reported.items()
            # A fund silent for as long at the end of the table is gone: its last days are closed too.
            if (last >= at or last >= len(days) - _WAITED_ROWS)
            and any(before.funds[fund] is not None for before in lately)
        }
        reported = {fund for fund, flow in day.funds.items() if flow is not None}
        final = bool(reported) and waited <= reported and now >= all_reported_by(day.trade_date)
        settled.append(replace(day, final=final, total_musd=day.total_musd if final else None))
    return tuple(settled)
