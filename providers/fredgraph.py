"""FRED without a key: the CSV behind the chart of a series on its site.

Columns go by position: the first one has had two names. An unknown series is answered
with a page.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter

from providers import fred, gate
from providers.errors import Malformed
from providers.shapes import MacroQuery, Observation, Observations, Request

NAME: Final = fred.NAME
HOST: Final = "fred.stlouisfed.org"

_ROW: Final = TypeAdapter(tuple[gate.Day, fred.Value])


def request(query: MacroQuery) -> Request:
    since = {} if query.since is None else {"cosd": query.since.isoformat()}
    return Request(host=HOST, path="/graph/fredgraph.csv", params={"id": query.series, **since})


def parse(body: bytes, query: MacroQuery, now: datetime) -> Observations:
    return fred.checked(_rows(body, query.series), query, now, body=body)


def _rows(body: bytes, series: str) -> Iterator[Observation]:
    try:
        # What follows the last end of a line may be half a number: it waits for the next time.
        header, *lines = body.decode("utf-8-sig").replace("\r\n", "\n").split("\n")[:-1]
    except ValueError as error:
        raise Malformed("not a table", body=body) from error
    # The series stands over its own values; a page, a challenge and another series do not pass.
    if header.split(",")[1:] != [series]:
        raise Malformed("not a table of the series", body=body)
    for line in lines:
        day, value = gate.shaped(_ROW, line.split(","), body=body)
        yield Observation(date=day, value=value)
