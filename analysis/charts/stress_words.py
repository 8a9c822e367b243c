"""What ``/stress`` calls its markets, its verdicts and its reasons, in the reader's language.

The picture and the card share these; no matplotlib here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from analysis.dependence import Answer
from analysis.stress_index import Segment
from analysis.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from analysis.charts.look import Gettext
    from analysis.standing import Standing
    from analysis.stress import Stress

    DayWords = Callable[[date], str]


def name(code: str, _: Gettext) -> str:
    """A market as a reader calls it; its code if it is none of ours."""
    return {
        "BTC": _("Bitcoin"),
        "SI": _("Silver"),
        "GC": _("Gold"),
        "ES": _("S&P 500"),
        "NQ": _("Nasdaq 100"),
        "DXY": _("Dollar index"),
        "CL": _("WTI oil"),
    }.get(code, code)


def verdict(value: Verdict, _: Gettext) -> str:
    return {
        Verdict.UNKNOWN: _("UNKNOWN"),
        Verdict.DELEVERAGING: _("DELEVERAGING"),
        Verdict.FLIGHT_TO_SAFETY: _("FLIGHT TO SAFETY"),
        Verdict.RISK_OFF_UNCLEAR: _("RISK-OFF, UNCLEAR"),
        Verdict.ROTATION: _("ROTATION"),
        Verdict.IDIOSYNCRATIC: _("IDIOSYNCRATIC"),
        Verdict.RISK_ON: _("RISK-ON"),
        Verdict.CALM_MIXED: _("CALM / MIXED"),
    }[value]


def segment(value: Segment, _: Gettext) -> str:
    return {
        Segment.CRYPTO: _("crypto"),
        Segment.EQUITY: _("shares"),
        Segment.METALS: _("metals"),
        Segment.DOLLAR: _("dollar"),
        Segment.ENERGY: _("energy"),
    }[value]


def standing(one: Standing, _: Gettext) -> str:
    return _("percentile {percentile} of {n} closes").format(percentile=round(one.percentile), n=one.n)


def answer(value: Answer, _: Gettext) -> str:
    return {
        Answer.YES: _("yes"),
        Answer.NO: _("no"),
        Answer.UNTOLD: _("not distinguishable"),
    }[value]


def reasons(result: Stress, day: DayWords, _: Gettext) -> list[str]:
    """Why there is no verdict, or what was judged without; empty where all seven are there."""
    if result.stale:
        return [
            _("the last New York closes are of {date}, too old to judge").format(date=day(result.session))
        ]
    never: list[str] = []
    few: list[str] = []
    gone: list[str] = []
    for missing in result.missing:
        market = name(missing.instrument, _)
        if missing.last is None:
            never.append(market)
        elif missing.last == result.session:
            few.append(market)
        else:
            gone.append(_("{market} (last {date})").format(market=market, date=day(missing.last)))
    date, comma = day(result.session), _(", ")
    told = [
        (gone, _("no {date} close of {markets}").format(date=date, markets=comma.join(gone))),
        (never, _("no close of {markets}").format(markets=comma.join(never))),
        (few, _("too few closes of {markets}").format(markets=comma.join(few))),
    ]
    return [words for markets, words in told if markets]


def publishers(result: Stress) -> str:
    """Who published the closes."""
    return joined([one.source for one in result.inputs if one.source])


def joined(sources: Sequence[str]) -> str:
    """Each publisher once; symbols of one publisher are left to the details."""
    heads = Counter(source.rpartition(" ")[0] for source in sources)
    named = ((head if heads[head := source.rpartition(" ")[0]] > 1 else source) for source in sources)
    return " · ".join(dict.fromkeys(named))
