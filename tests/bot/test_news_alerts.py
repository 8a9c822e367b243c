"""Alerts of no price, on the sample: what was published, recorded and judged between 29 January and 7 February 2026."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from analysis.alerts import Kind, Phase
from analysis.flows import Day, DayState
from bot import alert_posts, news_alerts
from bot.alerts import NEWS_EVERY, AlertWriter
from bot.news_alerts import News
from storage import alerts, entries, margins
from storage.alerts import Acting, Alert, Crossing
from storage.margins import Announced
from storage.store import Store

BEGIN = datetime(2026, 1, 29, 12, tzinfo=UTC)
LOOKS = [
    datetime(2026, 1, 30, 18, tzinfo=UTC),
    datetime(2026, 1, 31, 18, tzinfo=UTC),
    datetime(2026, 2, 2, 2, tzinfo=UTC),
    datetime(2026, 2, 3, 18, tzinfo=UTC),
    datetime(2026, 2, 5, 18, tzinfo=UTC),
    datetime(2026, 2, 6, 6, tzinfo=UTC),
    datetime(2026, 2, 7, 18, tzinfo=UTC),
]
NEWS = Alert(
    server_id=7,
    channel_id=70,
    kind=Kind.FLOW_FINAL,
    subject="BTC",
    since=BEGIN,
    added_by=1,
    added_at=BEGIN,
)
THEIRS = Acting(server_id=7, user_id=1, moderates=True)
SILVER = replace(NEWS, subject="SI")
# What, and by which look it was to be told.
EXPECTED = {
    replace(NEWS, kind=Kind.FLOW_FINAL): [
        ("2026-01-29", 0), ("2026-01-30", 1), ("2026-02-02", 3), ("2026-02-03", 4), ("2026-02-04", 4),
        ("2026-02-05", 6),
    ],
    replace(NEWS, kind=Kind.FLOW_REGIME): [("DISTRIBUTION", 0)],
    replace(SILVER, kind=Kind.MARGIN_RECORDED): [(15.0, 1), (18.0, 5)],
    replace(SILVER, kind=Kind.MARGIN_TOMORROW): [(15.0, 2), (18.0, 5)],
    replace(NEWS, kind=Kind.STRESS, subject="stress"): [("CALM / MIXED", 3), ("DELEVERAGING", 4)],
    replace(NEWS, kind=Kind.STALE): [("stale", 6)],
    replace(NEWS, kind=Kind.STALE, subject="BTC flows"): [],
}  # fmt: skip


async def added(store: Store, alert: Alert) -> int:
    async with store.write() as db:
        return await alerts.add(db, alert)


async def happened(store: Store, number: int, acting: Acting = THEIRS) -> list[Crossing]:
    async with store.read() as db:
        return (await alerts.crossings(db, number, acting=acting, most=99))[::-1]


def brief(alert: Alert, found: Crossing) -> object:
    if alert.kind is Kind.FLOW_FINAL:
        return found.figures["day"]
    return found.figures["initial"] if alert.subject == "SI" else found.what


async def test_every_kind_is_told_once_when_it_is_known(store: Store) -> None:
    numbers = {await added(store, alert): alert for alert in EXPECTED}
    await AlertWriter(store).plan(BEGIN)
    assert [await happened(store, number) for number in numbers] == [[]] * len(EXPECTED)
    found: dict[int, list[tuple[object, int]]] = {number: [] for number in numbers}
    for look, now in enumerate(LOOKS):
        # Each a process of its own, and each looks twice.
        await AlertWriter(store).plan(now)
        await AlertWriter(store).plan(now + NEWS_EVERY)
        for number, alert in numbers.items():
            every = await happened(store, number)
            found[number] += [(brief(alert, one), look) for one in every[len(found[number]) :]]
    assert {numbers[number]: told for number, told in found.items()} == EXPECTED
    async with store.read() as db:
        assert {one.phase for one in await alerts.visible(db, THEIRS)} == {Phase.WATCHING}


async def test_days_without_the_bot_are_told_together(store: Store) -> None:
    number = await added(store, NEWS)
    await AlertWriter(store).plan(BEGIN)
    await AlertWriter(store).plan(LOOKS[4])
    found = await happened(store, number)
    assert [(one.figures["day"], one.figures["total_musd"]) for one in found] == [
        ("2026-01-29", -817.8), ("2026-01-30", -509.7), ("2026-02-02", 561.8), ("2026-02-03", -272.0),
        ("2026-02-04", -544.9),
    ]  # fmt: skip
    assert len({one.post_key for one in found}) == 1


async def test_they_are_looked_at_every_five_minutes(store: Store) -> None:
    number = await added(store, NEWS)
    writer = AlertWriter(store)
    final = datetime(2026, 1, 30, 9, tzinfo=UTC)
    await writer.plan(final - timedelta(minutes=1))
    await writer.plan(final + timedelta(minutes=3))
    assert await happened(store, number) == []
    await writer.plan(final + timedelta(minutes=4))
    assert [one.figures["day"] for one in await happened(store, number)] == ["2026-01-29"]


async def test_what_one_server_entered_is_told_there_alone(store: Store) -> None:
    now = datetime(2026, 2, 3, 18, tzinfo=UTC)
    recorded = replace(SILVER, kind=Kind.MARGIN_RECORDED, since=now)
    here, there = await added(store, recorded), await added(store, replace(recorded, server_id=8))
    await AlertWriter(store).plan(now)
    row = Announced(
        product="SI", effective_date=date(2026, 2, 10), effective_note=None, notice_date=date(2026, 2, 3),
        notice_number=None, rule="percent", initial=21.5, maintenance=21.5, hrp_initial=None,
        hrp_maintenance=None, previous=None, previous_rule=None, confidence=None, citation=None,
    )  # fmt: skip
    async with store.write() as db:
        entry = await entries.begin(db, 7, entries.Kind.MARGINS, size=1, origin=None, added_by=1, now=now)
        await margins.enter(db, entry, [row])
    await AlertWriter(store).plan(now + NEWS_EVERY)
    assert [one.figures["initial"] for one in await happened(store, here)] == [21.5]
    elsewhere = Acting(server_id=8, user_id=1, moderates=True)
    assert await happened(store, there, elsewhere) == []


async def test_a_day_that_was_waited_for_is_told_though_later_ones_are_final(store: Store) -> None:
    flows = await News(store, LOOKS[4])._flows("BTC", 7)
    assert flows is not None

    def seen(days: list[Day], before: str | None) -> news_alerts.Look:
        return news_alerts.final_days(replace(NEWS, seen=before), replace(flows, days=tuple(days)))

    open_ = [
        replace(day, state=DayState.PARTIAL) if day.date == date(2026, 2, 3) else day for day in flows.days
    ]
    first = seen(open_, None)
    assert json.loads(first.seen) == ["2026-02-04", "2026-02-03"]
    assert seen(open_, first.seen).happened == ()
    typed = [replace(day, state=DayState.FINAL, manual=day.date == date(2026, 2, 3)) for day in open_]
    assert seen(typed, first.seen).happened == ()
    assert [one.name for one in seen(list(flows.days), first.seen).happened] == ["2026-02-03"]


async def test_a_source_has_to_speak_before_its_silence_is_told_again(store: Store) -> None:
    now, silent = LOOKS[6], replace(NEWS, kind=Kind.STALE)
    look = news_alerts.stale(silent, now, is_stale=True)
    assert (look.seen, look.happened) == ("stale", ())
    for seen, is_stale, told in (("stale", True, 0), ("stale", False, 0), ("fresh", True, 1)):
        look = news_alerts.stale(replace(silent, seen=seen), now, is_stale=is_stale)
        assert len(look.happened) == told


async def test_where_there_is_nothing_to_know_nothing_is_said(store: Store) -> None:
    number = await added(store, replace(NEWS, kind=Kind.STALE, subject="NOSUCH"))
    await AlertWriter(store).plan(LOOKS[6])
    assert await happened(store, number) == []


HEADLINES = [
    (
        replace(NEWS, kind=Kind.FLOW_FINAL),
        Crossing(name="a", at=BEGIN, what="final", figures={"day": "2026-02-04", "total_musd": -544.9}),
        "**BTC spot ETFs −544.9 US$ m** · Wed 4 Feb · final",
        "**BTC 現貨 ETF −5.45 億美元** · 2/4（三） · 已確認",
    ),
    (
        replace(NEWS, kind=Kind.FLOW_REGIME),
        Crossing(name="a", at=BEGIN, what="DISTRIBUTION", figures={"day": "2026-01-29", "before": "NEUTRAL"}),
        "**BTC ETF flows: DISTRIBUTION**, before that NEUTRAL · Thu 29 Jan",
        "**BTC ETF 資金流：持續流出**，先前為中性 · 1/29（四）",
    ),
    (
        replace(NEWS, kind=Kind.STRESS),
        Crossing(
            name="a", at=BEGIN, what="DELEVERAGING", figures={"day": "2026-02-04", "before": "CALM / MIXED"}
        ),
        "**Market stress: DELEVERAGING**, before that CALM / MIXED · Wed 4 Feb",
        "**市場壓力：去槓桿**，先前為平靜或分歧 · 2/4（三）",
    ),
    (
        replace(SILVER, kind=Kind.MARGIN_TOMORROW),
        Crossing(
            name="a", at=BEGIN, what="tomorrow",
            figures={
                "basis": "percent", "initial": 18.0, "previous": 15.0, "in_force_from": 1_770_415_200,
                "dated": True,
            },
        ),
        "**SI initial margin tomorrow: 18 %** · in force from 6 Feb 22:00 UTC · before that 15 %",
        "**SI 原始保證金明日：18 %** · 2/6（五）22:00 UTC 起生效 · 先前為 15 %",
    ),
    (
        replace(SILVER, kind=Kind.MARGIN_RECORDED),
        Crossing(
            name="a", at=BEGIN, what="recorded",
            figures={
                "basis": "fixed", "initial": 32_500.0, "previous": None, "in_force_from": 1_770_415_200,
                "dated": True,
            },
        ),
        "**SI initial margin: 32,500 USD** · recorded · in force from 6 Feb 22:00 UTC",
        "**SI 原始保證金：32,500 美元** · 已登錄 · 2/6（五）22:00 UTC 起生效",
    ),
    (
        replace(SILVER, kind=Kind.MARGIN_RECORDED),
        Crossing(
            name="a", at=BEGIN, what="recorded",
            figures={
                "basis": "fixed", "initial": 22_000.0, "previous": 20_000.0, "in_force_from": 1_770_415_200,
                "dated": False,
            },
        ),
        "**SI initial margin: 22,000 USD** · recorded · at the latest from 6 Feb 22:00 UTC · before that 20,000 USD",
        "**SI 原始保證金：22,000 美元** · 已登錄 · 最遲 2/6（五）22:00 UTC 起生效 · 先前為 20,000 美元",
    ),
    (
        replace(NEWS, kind=Kind.STALE),
        Crossing(name="a", at=BEGIN, what="stale"),
        "**BTC: no new data**, the newest is of 29 Jan 12:00 UTC",
        "**BTC：沒有新資料**，最新一筆為 1/29（四）12:00 UTC",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("alert", "crossing", "english", "chinese"), HEADLINES)
def test_the_first_lines_say_all_of_it_in_both_languages(
    alert: Alert, crossing: Crossing, english: str, chinese: str
) -> None:
    letter = alert_posts.letter(replace(alert, language="both"), [crossing], BEGIN)
    lines = [line.replace("\N{NO-BREAK SPACE}", " ") for line in letter.content.splitlines()]
    assert lines[:2] == [chinese, english]
    assert letter.role is None
