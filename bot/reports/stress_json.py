"""``stress`` as one JSON object."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from analysis.absorption import FRAGILE
from analysis.beta import Slope
from analysis.charts import stress_words
from analysis.closes import Alignment
from analysis.correlation import Correlation, distinguishable
from analysis.depth import MARKETS, Depth, History
from analysis.freshness import Rhythm, freshness
from analysis.links import WINDOWS, Beta, Link, Nearer
from analysis.standing import Standing
from analysis.stress import Input, Stress
from analysis.stress_index import SEGMENTS
from analysis.turbulence import UNUSUAL
from bot.language import iso
from bot.reports import rates_json
from bot.reports.shapes import rounded


def as_json(result: Stress, now: datetime) -> dict[str, Any]:
    rhythm = result.alignment.rhythm
    pairs = {(pair.instrument, pair.window): pair for pair in result.correlations}
    return {
        "as_of": iso(result.as_of),
        "since": result.since.isoformat(),
        "session": result.session.isoformat(),
        "alignment": result.alignment.value,
        "source": "sample" if result.is_sample else stress_words.publishers(result),
        "data_source": stress_words.publishers(result),
        "age_s": int((now - result.closed_at).total_seconds()),
        "freshness": freshness(result.closed_at, now, rhythm).value,
        "moves": [
            {
                "instrument": move.instrument,
                "from": {"date": move.start.date.isoformat(), "price": move.start.price},
                "to": {"date": move.end.date.isoformat(), "price": move.end.price},
                "pct": round(move.pct, 4),
                "sigma": rounded(move.sigma),
            }
            for move in result.moves
        ],
        "verdict": result.verdict.value,
        "verdict_since": result.verdict_since.isoformat(),
        "last_close_alone": result.latest.value,
        "confidence": rounded(result.confidence),
        "contributions": [
            {"instrument": one.instrument, "z5": round(one.z5, 4), "votes": one.votes}
            for one in result.contributions
        ],
        "quantities": {
            "R": rounded(result.quantities.risk),
            "M": rounded(result.quantities.metal),
            "H": rounded(result.quantities.hedge),
            "D": rounded(result.quantities.dollar),
            "dispersion": rounded(result.quantities.dispersion),
        },
        "rules": [
            {
                "verdict": rule.value,
                "fits": all(check.met for check in checks),
                "conditions": [
                    {
                        "measure": check.measure.value,
                        "sign": check.sign,
                        "border": check.border,
                        "value": rounded(check.value),
                        "met": check.met,
                    }
                    for check in checks
                ],
            }
            for rule, checks in result.rules
        ],
        "skipped": [
            {"verdict": skip.verdict.value, "measure": skip.measure.value} for skip in result.skipped
        ],
        "flips": [
            {
                "instrument": turn.flip.instrument,
                "z5": round(turn.flip.z5, 4),
                "border": round(turn.flip.border, 4),
                "price": round(turn.price, 4),
                "verdict": turn.flip.verdict.value,
            }
            for turn in result.turns
        ],
        "base_rates": rates_json.of_verdicts(result.base_rates),
        "missing": [missing.instrument for missing in result.missing],
        "reasons": stress_words.reasons(result, date.isoformat, str),
        "inputs": [_input(one, rhythm, now) for one in result.inputs],
        "view": result.view.value,
        **_depth(result),
        "betas": [_beta(one) for one in result.betas],
        "links": [_link(one) for one in result.links],
        "more_with_stocks_than_gold": {str(one.window): _nearer(one) for one in result.nearer},
        "correlations": [
            {
                "instrument": pair.instrument,
                "window": pair.window,
                "r": round(pair.correlation.r, 4),
                "low": round(pair.correlation.low, 4),
                "high": round(pair.correlation.high, 4),
                "n": pair.correlation.n,
            }
            for pair in result.correlations
        ],
        "es_and_gc_distinguishable": {
            str(window): distinguishable(one.correlation, other.correlation)
            for window in WINDOWS
            if (one := pairs.get(("ES", window))) and (other := pairs.get(("GC", window)))
        },
        "inverse_to_dollar": {
            str(window): pair.correlation.high < 0
            for window in WINDOWS
            if (pair := pairs.get(("DXY", window)))
        },
    }


def _input(one: Input, rhythm: Rhythm, now: datetime) -> dict[str, Any]:
    last = one.last
    return {
        "instrument": one.instrument,
        "source": one.source or None,
        "date": last.date.isoformat() if last else None,
        "closed_at": iso(last.closed_at) if last else None,
        "price": last.price if last else None,
        "age_s": int((now - last.closed_at).total_seconds()) if last else None,
        "freshness": freshness(last.closed_at, now, rhythm).value if last else "missing",
    }


def _depth(result: Stress) -> dict[str, Any]:
    """The three measures of daily closes; null where the last close has none."""
    one = result.depth
    if one is None:
        return {"depth": None, "index": None, "turbulence": None, "absorption": None}
    told: dict[str, Any] = {
        "depth": {
            "alignment": Alignment.DAILY.value,
            "session": one.session.isoformat(),
            "sessions": one.sessions,
        },
        "index": _index(one),
        "turbulence": _turbulence(one),
        "absorption": _absorption(one),
    }
    return told if one.history is None else told | {"history": _history(one.history)}


def _index(one: Depth) -> dict[str, Any] | None:
    point = one.index
    if point is None:
        return None
    return {
        "date": point.date.isoformat(),
        "value": rounded(point.value),
        **_standing(one.index_standing),
        "parts": _named(SEGMENTS, point.parts),
        "stresses": _named(SEGMENTS, point.stresses),
        "together": rounded(point.together),
    }


def _turbulence(one: Depth) -> dict[str, Any] | None:
    point, standing = one.turbulence, one.turbulence_standing
    if point is None or standing is None:
        return None
    return {
        "date": point.date.isoformat(),
        "ratio": rounded(point.ratio),
        **_standing(standing),
        "turbulent": standing.percentile > UNUSUAL,
        "parts": _named(MARKETS, point.parts),
        "magnitude_surprise": rounded(point.magnitude),
        "correlation_surprise": rounded(point.correlation),
        "odds": None if point.odds is None else float(f"{point.odds:.4g}"),
        "days": point.days,
    }


def _absorption(one: Depth) -> dict[str, Any] | None:
    point = one.absorption
    if point is None:
        return None
    return {
        "date": point.date.isoformat(),
        "ratio": rounded(point.ratio),
        **_standing(one.absorption_standing),
        "shift": rounded(point.shift),
        "fragile": None if point.shift is None else point.shift > FRAGILE,
        "parts": _named(MARKETS, point.parts),
    }


def _standing(one: Standing | None) -> dict[str, Any]:
    return {} if one is None else {"percentile": round(one.percentile, 2), "n": one.n}


def _named(names: Iterable[str], values: Sequence[float]) -> dict[str, float | None]:
    return {str(name): rounded(value) for name, value in zip(names, values, strict=True)}


def _history(found: History) -> dict[str, Any]:
    """Pairs of date and value, oldest first."""
    return {
        "index": [[one.date.isoformat(), rounded(one.value)] for one in found.index],
        "turbulence": [[one.date.isoformat(), rounded(one.ratio)] for one in found.turbulence],
        "absorption": [[one.date.isoformat(), rounded(one.ratio)] for one in found.absorption],
        "correlations": [
            {
                "instrument": one.instrument,
                "window": one.window,
                "values": [[day.isoformat(), rounded(r)] for day, r in zip(one.dates, one.r, strict=True)],
                "betas": [
                    [day.isoformat(), rounded(beta)] for day, beta in zip(one.dates, one.beta, strict=True)
                ],
            }
            for one in found.rolling
        ],
    }


def _beta(one: Beta) -> dict[str, Any]:
    return {
        "instrument": one.instrument,
        "window": one.window,
        **_slope(one.same_day),
        "with_neighbours": None if one.summed is None else _slope(one.summed),
    }


def _slope(one: Slope) -> dict[str, Any]:
    return {"beta": rounded(one.beta), "low": rounded(one.low), "high": rounded(one.high), "n": one.n}


def _link(one: Link) -> dict[str, Any]:
    return {
        "instrument": one.instrument,
        "ewma": None if one.ewma is None else _correlation(one.ewma),
        "volatility_adjusted": None
        if one.adjusted is None
        else {
            "raw": rounded(one.adjusted.raw),
            "r": rounded(one.adjusted.r),
            "delta": rounded(one.adjusted.delta),
        },
    }


def _correlation(one: Correlation) -> dict[str, Any]:
    return {"r": rounded(one.r), "low": rounded(one.low), "high": rounded(one.high), "n": one.n}


def _nearer(one: Nearer) -> dict[str, Any]:
    found = one.comparison
    return {
        "answer": found.answer.value,
        "es": rounded(found.first),
        "gc": rounded(found.second),
        "t": rounded(found.t),
        "p": rounded(found.p),
        "n": found.n,
    }
