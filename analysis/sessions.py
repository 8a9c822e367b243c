"""The New York sessions of several markets: which days count, and each market's returns on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from math import fsum, log, sqrt

from analysis.closes import Close, known
from analysis.freshness import ARRIVING
from analysis.verdict import LEAST_VOTERS, REQUIRED, VOTERS

INSTRUMENTS = ("BTC", "SI", "GC", "ES", "NQ", "DXY", "CL")
WEEK = 5

LAMBDA = 0.94
SEED = 20
"""RiskMetrics (J.P. Morgan 1996): daily decay; the first variance is the mean square of 20 returns."""

Quotes = Mapping[str, Mapping[date, Close]]
"""Closes by instrument code and New York trade date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One market on the sessions it closed: prices, log returns, and sigma known before each.

    ``returns[i]`` leads to ``prices[i + 1]``; ``sigmas[i]`` was known before it, null for
    the first 20.
    """

    dates: tuple[date, ...]
    prices: tuple[float, ...]
    returns: tuple[float, ...]
    sigmas: tuple[float | None, ...]

    def z5(self, position: int) -> float | None:
        """Z of the five returns up to ``prices[position]``: sum r / (sigma sqrt 5)."""
        sigma = self.sigmas[position - 1] if position >= WEEK else None
        if not sigma:
            return None
        return fsum(self.returns[position - WEEK : position]) / (sigma * sqrt(WEEK))


def ewma_sigmas(returns: Sequence[float]) -> list[float | None]:
    """Volatility of one return, as known before each of them; null before there are 20.

    v_t = 0.94 v_(t-1) + 0.06 r_(t-1)^2, the first v the mean square of the first 20.
    """
    sigmas: list[float | None] = [None] * min(SEED, len(returns))
    if len(returns) <= SEED:
        return sigmas
    variance = fsum(one * one for one in returns[:SEED]) / SEED
    for one in returns[SEED:]:
        sigmas.append(sqrt(variance))
        variance = LAMBDA * variance + (1 - LAMBDA) * one * one
    return sigmas


def quotes_of(closes: Mapping[str, Sequence[Close]], as_of: datetime) -> dict[str, dict[date, Close]]:
    """Those of ``closes`` (oldest first) that had been made by ``as_of``; every instrument is there."""
    return {code: {close.date: close for close in known(closes.get(code, ()), as_of)} for code in INSTRUMENTS}


def sessions_of(quotes: Quotes, as_of: datetime) -> list[date]:
    """Dates on which three of the four exchange-traded voters closed, oldest first.

    The last one is left out while its closes are still arriving.
    """
    exchange = [code for code in VOTERS if code != "BTC"]
    dates = sorted({day for code in exchange for day in quotes[code]})
    sessions = [day for day in dates if sum(day in quotes[code] for code in exchange) >= LEAST_VOTERS - 1]
    if len(sessions) > 1:
        last = [quotes[code][sessions[-1]] for code in exchange if sessions[-1] in quotes[code]]
        young = as_of - min(close.closed_at for close in last) < ARRIVING
        if young and not all(sessions[-1] in quotes[code] for code in REQUIRED):
            sessions.pop()
    return sessions


def series_of(quotes: Mapping[date, Close], sessions: Sequence[date]) -> Series:
    dates = tuple(day for day in sessions if day in quotes)
    prices = tuple(quotes[day].price for day in dates)
    returns = tuple(log(after / before) for before, after in pairwise(prices))
    return Series(dates=dates, prices=prices, returns=returns, sigmas=tuple(ewma_sigmas(returns)))
