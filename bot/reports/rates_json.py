"""Base rates as JSON tells them: every share with its cases, its interval, its period and its source."""

from __future__ import annotations

from typing import Any, Final

from analysis.base_rates import Compared, walk_holds
from analysis.charts import stress_words
from analysis.flow_rates import AHEAD, FlowRates
from analysis.level_rates import LevelRates
from analysis.verdict_rates import VerdictRates
from bot.language import iso
from bot.reports.shapes import rounded

NOTE: Final = "base rate, not a forecast"


def of_levels(rates: LevelRates | None, source: str) -> dict[str, Any] | None:
    if rates is None:
        return None
    return {
        "note": NOTE,
        "source": source,
        "first": iso(rates.first),
        "last": iso(rates.last),
        "bars": rates.bars,
        "horizon_h": int(rates.horizon.total_seconds() // 3600),
        "levels": rates.levels,
        "arbitrary_levels": rates.arbitrary,
        "range": {"low": rates.lowest, "high": rates.highest},
        "holds": [
            {
                "closes": hold.closes,
                "stayed": _compared(hold.stayed),
                "walk_from_level_pct": rounded(100 * walk_holds(hold.closes)),
                "kept": _compared(hold.kept),
            }
            for hold in rates.holds
        ],
        "bounces": _compared(rates.bounces),
    }


def of_flows(rates: FlowRates | None, source: str) -> dict[str, Any] | None:
    if rates is None:
        return None
    return {
        "note": NOTE,
        "source": source,
        "first": rates.first.isoformat(),
        "last": rates.last.isoformat(),
        "final_days": rates.days,
        "days_ahead": AHEAD,
        "streaks": [
            {"streak": one.days, "went_on": _compared(one.went_on), "same_sum": _compared(one.same_sum)}
            for one in rates.followed
        ],
    }


def of_verdicts(rates: VerdictRates | None) -> dict[str, Any] | None:
    if rates is None:
        return None
    return {
        "note": NOTE,
        "source": stress_words.joined(rates.sources),
        "first": rates.first.isoformat(),
        "last": rates.last.isoformat(),
        "sessions": rates.sessions,
        "verdicts": [
            {
                "verdict": one.verdict.value,
                "began": one.began,
                "median_sessions": one.lasted,
                "later": [
                    {
                        "sessions": later.sessions,
                        "still": _compared(later.still),
                        "bitcoin_lower": _compared(later.lower),
                    }
                    for later in one.later
                ],
            }
            for one in rates.followed
        ],
    }


def _compared(found: Compared) -> dict[str, Any] | None:
    """Null where there was no case: there is no share to tell."""
    rate, chance = found.rate, found.chance
    if rate is None:
        return None
    return {
        "times": rate.times,
        "cases": rate.cases,
        "pct": rounded(100 * rate.share),
        "low_pct": rounded(100 * rate.low),
        "high_pct": rounded(100 * rate.high),
        "chance": None
        if chance is None
        else {
            "pct": rounded(100 * chance.share),
            "low_pct": rounded(100 * chance.low),
            "high_pct": rounded(100 * chance.high),
            "draws": chance.draws,
            "p_value": rounded(chance.p_value),
        },
    }
