"""Figures a publisher changed: shown as of when they were known, and never between two publishers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from analysis.flows import Flows
from bot.language import Speech
from bot.reports import flow_words, flows
from bot.reports.flows import FlowsQuery
from bot.reports.shapes import Asked
from storage import flows as stored
from storage.flows import Reported
from storage.store import Store

FIRST = date(2026, 6, 1)
DAY, NEXT = date(2026, 7, 1), date(2026, 7, 2)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def row(day: date, *values: float | None) -> Reported:
    return Reported(trade_date=day, funds=dict(zip(("IBIT", "FBTC"), values, strict=True)))


@pytest.fixture
async def revised(store: Store) -> Store:
    """A month of one publisher of which the last day came bit by bit and was then corrected; another's month."""
    weekdays = [day for n in range(30) if (day := FIRST + timedelta(days=n)).weekday() < 5]

    async def say(now: datetime, rows: list[Reported], source: str = "Farside") -> None:
        async with store.write() as db:
            await stored.store(db, "BTC", rows, source=source, now=now)

    await say(utc(2026, 7, 1, 12), [row(day, 10.0, 1.0) for day in weekdays])
    await say(utc(2026, 7, 1, 12), [row(day, 30.0, 1.0) for day in weekdays], source="Another")
    # A day of which some is known before the hour at which days count as told.
    early = Reported(
        trade_date=DAY, funds={"IBIT": -254.0, "FBTC": None}, known_at=_epoch(utc(2026, 7, 2, 2))
    )
    await say(utc(2026, 7, 2, 2), [early])
    await say(utc(2026, 7, 2, 7, 40), [row(DAY, -254.0, -18.0)])
    await say(utc(2026, 7, 3, 10, 5), [row(DAY, -254.0, -20.5)])
    # A fund's share of the same total is no revision of it.
    await say(utc(2026, 7, 3, 11), [row(DAY, -253.0, -21.5)])
    return store


def _epoch(at: datetime) -> int:
    return int(at.timestamp())


async def asked(store: Store, at: datetime) -> Flows:
    return await flows.answer(FlowsQuery(asset="BTC"), Asked(store=store, at=at))


async def told(store: Store, at: datetime) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = flows.as_json(await asked(store, at), at)["revisions"]
    return found


SOME = {
    "date": "2026-07-01",
    "before": -254.0,
    "after": -272.0,
    "known_at": "2026-07-02T07:40:00Z",
    "partial": True,
}
MENDED = {
    "date": "2026-07-01",
    "before": -272.0,
    "after": -274.5,
    "known_at": "2026-07-03T10:05:00Z",
    "partial": False,
}


async def test_they_are_told_newest_first_as_of_when_they_were_known(revised: Store) -> None:
    assert await told(revised, utc(2026, 7, 2, 7, 39)) == []
    assert await told(revised, utc(2026, 7, 2, 7, 40)) == [SOME]
    assert await told(revised, utc(2026, 7, 3, 10, 4, 59)) == [SOME]
    assert await told(revised, utc(2026, 7, 3, 18)) == [MENDED, SOME]


async def test_no_figure_but_the_last_counts(revised: Store) -> None:
    result = await asked(revised, utc(2026, 7, 3, 18))
    assert (result.source, result.last_date, result.last_musd) == ("Farside", DAY, -274.5)
    assert result.funds[0].last_musd == -253.0
    assert result.cumulative_musd == pytest.approx(22 * 11.0 - 274.5)


async def test_details_show_them(revised: Store) -> None:
    at = utc(2026, 7, 3, 18)
    result = await asked(revised, at)
    lines = flow_words.say(result, Speech("en", ZoneInfo("UTC")), at).details
    heading = lines.index("**Revised, newest first**")
    assert [line.replace("\N{NO-BREAK SPACE}", " ") for line in lines[heading + 1 : heading + 3]] == [
        "1 Jul: −272.0 → −274.5 US$ m, 3 Jul 10:05 UTC",
        "1 Jul: −254.0 (some funds) → −272.0 US$ m, 2 Jul 07:40 UTC",
    ]
    chinese = flow_words.say(result, Speech("zh-TW", ZoneInfo("Asia/Taipei")), at).details
    heading = chinese.index("**修正紀錄（由新到舊）**")
    assert (
        chinese[heading + 1].replace("\N{NO-BREAK SPACE}", " ")
        == "7/1：−2.72 → −2.75 億美元，7/3（五）18:05 台北"
    )


async def test_without_any_nothing_is_said(store: Store) -> None:
    at = utc(2026, 2, 5, 18)
    result = await asked(store, at)
    assert flows.as_json(result, at)["revisions"] == []
    assert (
        "**Revised, newest first**" not in flow_words.say(result, Speech("en", ZoneInfo("UTC")), at).details
    )
