"""``stress`` as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.beta import Slope
from analysis.depth import MARKETS, History
from analysis.links import WINDOWS, Beta, Pair
from analysis.sessions import INSTRUMENTS
from analysis.stress import Move, Stress, View
from analysis.stress_index import SEGMENTS
from analysis.verdict import VOTERS
from bot.reports.shapes import rounded


def as_table(result: Stress) -> Sequence[Sequence[object]]:
    """The numbers behind the picture of the view that was asked for."""
    history = result.depth.history if result.depth else None
    if result.view is View.BOARD or history is None:
        return _board(result)
    if result.view is View.CORRELATION:
        return _rolling(history)
    return _measures(history)


def _measures(history: History) -> list[list[object]]:
    """One row a close: index, turbulence and absorption, with what adds up to each."""
    header: list[object] = ["date", "index", *(f"index_{segment}" for segment in SEGMENTS), "index_together"]
    header += ["turbulence", *(f"turbulence_{code}" for code in MARKETS)]
    header += ["magnitude_surprise", "correlation_surprise", "odds"]
    header += ["absorption", *(f"absorption_{code}" for code in MARKETS), "absorption_shift"]
    index = {one.date: one for one in history.index}
    turbulence = {one.date: one for one in history.turbulence}
    absorption = {one.date: one for one in history.absorption}
    rows = [header]
    for day, _mark in history.chain:
        one, two, three = index.get(day), turbulence.get(day), absorption.get(day)
        if not (one or two or three):
            continue
        cells: list[float | None] = [None] * 7 if one is None else [one.value, *one.parts, one.together]
        if two is None:
            cells += [None] * 10
        else:
            cells += [two.ratio, *two.parts, two.magnitude, two.correlation, two.odds]
        cells += [None] * 8 if three is None else [three.ratio, *three.parts, three.shift]
        rows.append([day.isoformat(), *(rounded(cell) for cell in cells)])
    return rows


def _rolling(history: History) -> list[list[object]]:
    """One row a close: bitcoin's correlations and betas over the days that end with it."""
    known = [
        (name, one, dict(zip(one.dates, values, strict=True)))
        for one in history.rolling
        for name, values in (("r", one.r), ("beta", one.beta))
    ]
    header: list[object] = ["date", *(f"{name}_{one.instrument}_{one.window}" for name, one, _ in known)]
    days = sorted({day for _, _, values in known for day in values})
    rows: list[list[object]] = [
        [day.isoformat(), *(rounded(values.get(day)) for _, _, values in known)] for day in days
    ]
    return [header, *rows]


def _board(result: Stress) -> list[list[object]]:
    """One row a market: move, sigmas, vote, its correlations with bitcoin and bitcoin's betas on it."""
    header = ["instrument", "from_date", "from_price", "to_date", "to_price", "move_pct", "move_sigma"]
    header += ["z5_sigma", "votes"]
    header += [f"{name}_{window}" for window in WINDOWS for name in ("r", "low", "high", "n")]
    slopes = ("beta", "beta_low", "beta_high", "beta_n")
    header += [
        f"{name}_{window}"
        for window in WINDOWS
        for name in (*slopes, *(f"neighbours_{slope}" for slope in slopes))
    ]
    moves = {move.instrument: move for move in result.moves}
    weeks = {one.instrument: one for one in result.contributions}
    pairs = {(pair.instrument, pair.window): pair for pair in result.correlations}
    betas = {(one.instrument, one.window): one for one in result.betas}
    rows: list[list[object]] = [[*header]]
    for code in INSTRUMENTS:
        move, week = moves.get(code), weeks.get(code)
        row: list[object] = [code, *([None] * 6 if move is None else _move_cells(move))]
        row += [week and rounded(week.z5), "yes" if code in VOTERS else "no"]
        for window in WINDOWS:
            row += _pair_cells(pairs.get((code, window)))
        for window in WINDOWS:
            row += _beta_cells(betas.get((code, window)))
        rows.append(row)
    return rows


def _move_cells(move: Move) -> list[object]:
    start, end = move.start, move.end
    dated = [start.date.isoformat(), start.price, end.date.isoformat(), end.price]
    return [*dated, rounded(move.pct), rounded(move.sigma)]


def _pair_cells(pair: Pair | None) -> list[object]:
    if pair is None:
        return [None] * 4
    found = pair.correlation
    return [rounded(found.r), rounded(found.low), rounded(found.high), found.n]


def _beta_cells(one: Beta | None) -> list[object]:
    return [None] * 8 if one is None else [*_slope_cells(one.same_day), *_slope_cells(one.summed)]


def _slope_cells(one: Slope | None) -> list[object]:
    return [None] * 4 if one is None else [rounded(one.beta), rounded(one.low), rounded(one.high), one.n]
