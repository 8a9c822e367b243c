"""What moves with bitcoin, over the sessions that both of them closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from math import log

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from analysis.beta import Slope, beta, summed_beta
from analysis.correlation import Correlation, correlation
from analysis.dependence import Adjusted, Comparison, ewma, moves_more_with, volatility_adjusted
from analysis.sessions import INSTRUMENTS, Quotes

WINDOWS = (30, 90)
STORM, CALM, LEAST_CALM = WINDOWS[0], 250, 60
"""The last returns, and those before them that say how much bitcoin usually moves; of fewer nothing is said."""
FOLLOWED = ("ES", "GC", "DXY")
"""The markets whose correlation with bitcoin is followed over time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Bitcoin with one market over the last ``window`` sessions that both of them closed."""

    instrument: str
    window: int
    correlation: Correlation


@dataclass(frozen=True, slots=True, kw_only=True)
class Beta:
    """By how many percent bitcoin moved with one percent of a market, over the last ``window`` sessions.

    ``summed`` also counts what bitcoin did on the session before and after; null where too few
    sessions in a row were closed by both.
    """

    instrument: str
    window: int
    same_day: Slope
    summed: Slope | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The same weighted towards the last days, and of 30 days with bitcoin's storm taken out.

    ``adjusted`` takes bitcoin for the market the shock came from.
    """

    instrument: str
    ewma: Correlation | None
    adjusted: Adjusted | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Nearer:
    """Whether bitcoin moves with the S&P 500 more than with gold, over the same ``window`` sessions."""

    window: int
    comparison: Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolling:
    """Pearson's r with bitcoin over ``window`` pairs of returns, the last of them on each of ``dates``.

    ``beta``: bitcoin's slope on the market over the same.
    """

    instrument: str
    window: int
    dates: tuple[date, ...]
    r: tuple[float, ...]
    beta: tuple[float, ...]


def pairs(quotes: Quotes, sessions: Sequence[date]) -> tuple[Pair, ...]:
    """Returns from one session to the next; a pair with a close missing at either end is dropped."""
    found = []
    for code in INSTRUMENTS[1:]:
        _, (bitcoin, other) = returns(quotes, sessions, ("BTC", code))
        for window in WINDOWS:
            one = correlation(bitcoin[-window:], other[-window:])
            if one is not None:
                found.append(Pair(instrument=code, window=window, correlation=one))
    return tuple(found)


def betas(quotes: Quotes, sessions: Sequence[date]) -> tuple[Beta, ...]:
    """Of the same returns as ``pairs``. The first and the last of a window are only neighbours in the sum."""
    places = {day: place for place, day in enumerate(sessions)}
    found = []
    for code in INSTRUMENTS[1:]:
        dates, (bitcoin, other) = returns(quotes, sessions, ("BTC", code))
        at = [places[day] for day in dates]
        for window in WINDOWS:
            same_day = beta(bitcoin[-window:], other[-window:])
            if same_day is None:
                continue
            # Days beside which a close is missing are left out: their neighbours are not the next session's.
            whole = [
                place
                for place in range(max(0, len(at) - window) + 1, len(at) - 1)
                if at[place + 1] - at[place - 1] == 2
            ]
            summed = summed_beta(
                [bitcoin[place] for place in whole],
                *([other[place + shift] for place in whole] for shift in (-1, 0, 1)),
            )
            found.append(Beta(instrument=code, window=window, same_day=same_day, summed=summed))
    return tuple(found)


def links(quotes: Quotes, sessions: Sequence[date]) -> tuple[Link, ...]:
    found = []
    for code in INSTRUMENTS[1:]:
        _, (bitcoin, other) = returns(quotes, sessions, ("BTC", code))
        calm = bitcoin[-STORM - CALM : -STORM]
        enough = len(calm) >= LEAST_CALM
        one = Link(
            instrument=code,
            ewma=ewma(bitcoin, other),
            adjusted=volatility_adjusted(bitcoin[-STORM:], other[-STORM:], calm) if enough else None,
        )
        if one.ewma is not None:
            found.append(one)
    return tuple(found)


def nearer(quotes: Quotes, sessions: Sequence[date]) -> tuple[Nearer, ...]:
    """Over the sessions that all three closed."""
    _, (bitcoin, stocks, gold) = returns(quotes, sessions, ("BTC", "ES", "GC"))
    compared = [
        (window, moves_more_with(bitcoin[-window:], stocks[-window:], gold[-window:])) for window in WINDOWS
    ]
    return tuple(Nearer(window=window, comparison=found) for window, found in compared if found is not None)


def rolling(quotes: Quotes, sessions: Sequence[date], code: str, window: int = WINDOWS[-1]) -> Rolling:
    dates, columns = returns(quotes, sessions, ("BTC", code))
    if len(dates) < window:
        return Rolling(instrument=code, window=window, dates=(), r=(), beta=())
    views = sliding_window_view(np.array(columns), window, axis=1)
    x, y = views - views.mean(axis=2, keepdims=True)
    together, squares = (x * y).sum(axis=1), (y * y).sum(axis=1)
    below = np.sqrt((x * x).sum(axis=1) * squares)
    moved = below > 0
    r = np.clip(together[moved] / below[moved], -1.0, 1.0)
    slopes = together[moved] / squares[moved]
    ends = [day for day, one in zip(dates[window - 1 :], moved, strict=True) if one]
    return Rolling(
        instrument=code,
        window=window,
        dates=tuple(ends),
        r=tuple(r.tolist()),
        beta=tuple(slopes.tolist()),
    )


def returns(
    quotes: Quotes, sessions: Sequence[date], codes: Sequence[str]
) -> tuple[list[date], list[list[float]]]:
    """Log returns of several markets from one session to the next, dated by the later of the two.

    Where one of the markets lacks a close at either end, the return is left out for all.
    """
    whole = [
        (before, after)
        for before, after in pairwise(sessions)
        if all(day in quotes[code] for code in codes for day in (before, after))
    ]
    columns = [
        [log(quotes[code][after].price / quotes[code][before].price) for before, after in whole]
        for code in codes
    ]
    return [after for _, after in whole], columns
