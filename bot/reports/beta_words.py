"""What ``stress`` says of bitcoin's beta: by how much it moved when a market moved."""

from __future__ import annotations

from analysis.beta import Slope
from analysis.charts import stress_words
from analysis.links import WINDOWS, Beta
from analysis.sessions import INSTRUMENTS
from analysis.stress import Stress
from bot.language import Speech


def details(result: Stress, speech: Speech) -> list[str]:
    _ = speech._
    betas = {(one.instrument, one.window): one for one in result.betas}
    told = []
    for code in INSTRUMENTS[1:]:
        shown = [_windowed(betas[code, window], speech) for window in WINDOWS if (code, window) in betas]
        if shown:
            told.append(_("{name}: {parts}").format(name=stress_words.name(code, _), parts=" · ".join(shown)))
    if not told:
        return []
    return [
        "**" + _("Beta: by how many percent bitcoin moved with 1 % of a market, 95 % interval") + "**",
        *told,
        *(
            "-# " + sentence
            for sentence in (
                _(
                    "With neighbours: bitcoin's moves a session earlier and later added (Dimson), as not all closes are of "
                    "one hour. Far from the first figure, the two closes hide part of what went together."
                ),
                _(
                    "The intervals take days for independent and alike; in a storm they are too narrow. What moved together "
                    "need not cause one another."
                ),
            )
        ),
    ]


def _windowed(one: Beta, speech: Speech) -> str:
    _ = speech._
    told = _interval(one.same_day, speech)
    if one.summed is None:
        return _("{n} days {r}").format(n=one.same_day.n, r=told)
    return _("{n} days {r}, with neighbours {summed}").format(
        n=one.same_day.n, r=told, summed=_interval(one.summed, speech)
    )


def _interval(one: Slope, speech: Speech) -> str:
    beta, low, high = (speech.signed(value, decimals=2) for value in (one.beta, one.low, one.high))
    return f"{beta} [{low}, {high}]"
