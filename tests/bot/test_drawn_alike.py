"""Whatever process draws it, a picture is the same: no chart draws what the process is not told."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import pytest

from analysis.charts import CHARTS
from analysis.charts.look import Look
from bot.answers import Answers
from bot.language import catalogue
from bot.reports import REPORTS


@pytest.mark.parametrize("name", list(REPORTS))
@pytest.mark.parametrize("locale", ["en", "zh-TW"])
async def test_the_bot_and_the_command_line_draw_the_same(answers: Answers, name: str, locale: str) -> None:
    report, look = REPORTS[name], Look(locale=locale)
    answered = await answers.answer(report, report.read({}, answers.clock.now()), server_id=0)
    drawn = await answers.picture(report, answered, look)
    directly = import_module(f"analysis.charts.{report.chart}").draw(
        answered.result, look, catalogue(locale).gettext
    )
    assert drawn is not None
    assert drawn.alt == directly.alt
    assert drawn.png == directly.png


def test_every_chart_is_there_to_be_loaded_beforehand() -> None:
    assert tuple(report.chart for report in REPORTS.values()) == CHARTS
    assert [chart for chart in CHARTS if find_spec(f"analysis.charts.{chart}") is None] == []
