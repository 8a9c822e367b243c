"""Binance USD-M perpetuals: metals, oil and US indices around the clock, in USDT.

Funding and basis set them apart from the futures whose names they resemble.
"""

from __future__ import annotations

from typing import Final

from providers import binance
from providers.shapes import BarQuery, Request

NAME: Final = "Binance USD-M"
HOST: Final = "fapi.binance.com"
INTERVALS: Final = binance.INTERVALS
# Below 500 rows a call weighs 2, from there on 5: so it brings the most rows for its weight.
LIMIT: Final = 499
REACH: Final[int | None] = None

parse = binance.parse


def request(query: BarQuery) -> Request:
    return binance.klines(query, host=HOST, path="/fapi/v1/klines", limit=LIMIT, cost=2)
