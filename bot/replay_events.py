"""A replay as a list of events, each at the instant when it could first be told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from analysis.alerts import Kind
from analysis.margin_rules import PRODUCTS
from bot import replay as replaying
from bot.alerts import AlertWriter
from bot.answers import Answers
from bot.channels import Enclosed, Letter, Outcome, Said
from bot.digests import DigestWriter, NoticeWriter
from bot.errors import UserError
from bot.language import iso
from bot.news_alerts import News as Seen
from bot.outbox import Outbox
from bot.posts import Writer
from bot.replay import Replay
from bot.reports.levels import REPORT as LEVELS
from bot.reports.levels import LevelsQuery
from bot.reports.shapes import Asked
from storage import alert_watch, digests, outbox
from storage.alerts import Alert, Crossing
from storage.instants import utc
from storage.outbox import Post
from storage.replay import News

EVERY: Final = timedelta(days=1)
"""How much is judged, put in order and told at a time."""
SERVER = CHANNEL = 1
"""Of nobody: Discord has given out neither."""
_KINDS: Final = {
    Kind.FLOW_FINAL: "flow",
    Kind.FLOW_REGIME: "flow",
    Kind.MARGIN_RECORDED: "margin",
    Kind.MARGIN_TOMORROW: "margin",
    Kind.STRESS: "verdict",
}
_FLOWS: Final = frozenset({Kind.FLOW_FINAL, Kind.FLOW_REGIME})
_MARGINS: Final = frozenset({Kind.MARGIN_RECORDED, Kind.MARGIN_TOMORROW})


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """``kind`` is level, flow, margin, verdict, digest or alert; ``says`` is what only that kind has."""

    time: datetime
    kind: str
    says: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        return {"time": iso(self.time), "kind": self.kind, **self.says}

    def as_words(self) -> str:
        """One line, for people: what a post says begins with what matters."""
        if "text" in self.says:
            said = self.says["text"].split("\n", maxsplit=1)[0]
        else:
            said = " ".join(f"{name}={value}" for name, value in self.says.items() if value is not None)
        return f"{self.time:%Y-%m-%d %H:%M} {self.kind:<7} {said}"


class Nowhere:
    """Takes every post, as Discord would, and shows it to nobody."""

    def __init__(self) -> None:
        self._taken = 0

    async def post(
        self,
        channel_id: int,  # noqa: ARG002
        letter: Letter,  # noqa: ARG002
        pictures: Sequence[Enclosed],  # noqa: ARG002
        *,
        nonce: str,  # noqa: ARG002
    ) -> Outcome:
        self._taken += 1
        return Outcome(said=Said.DONE, messages=(self._taken,))

    async def find(
        self,
        server_id: int,  # noqa: ARG002
        channel_id: int,  # noqa: ARG002
        marker: str,  # noqa: ARG002
        *,
        since: datetime,  # noqa: ARG002
    ) -> Outcome:
        return Outcome(said=Said.DONE)

    async def delete(self, channel_id: int, message_id: int) -> Outcome:  # noqa: ARG002
        return Outcome(said=Said.DONE)


async def events(replay: Replay, answers: Answers, until: datetime) -> AsyncIterator[Event]:
    """Everything from the replay's clock to ``until``, in order of time; ``answers`` are of its store."""
    start = replay.clock.now()
    async with replay.store.write() as db:
        await replaying.demonstrate(db, server_id=SERVER, channel_id=CHANNEL, now=start)
    writers: dict[str, Writer] = {
        DigestWriter.kind: DigestWriter(answers, lambda _: None),
        NoticeWriter.kind: NoticeWriter(answers),
        AlertWriter.kind: AlertWriter(answers.store),
    }
    box = Outbox(replay.store, Nowhere(), replay.clock, writers)
    await box.catch_up()
    watch = _Watch(replay, start)
    await watch.look(None)
    told: list[Event] = []
    told_through = start
    while (news := await replay.step(until)) is not None:
        await box.catch_up()
        told += await watch.look(news)
        now = replay.clock.now()
        if now - told_through >= EVERY or now == until:
            told += await _of_levels(replay, told_through, now)
            told += await _of_posts(replay, told_through, now)
            for event in sorted(told, key=lambda event: event.time):
                yield event
            told, told_through = [], now


class _Watch:
    """Flows, margins and the verdict, by the rules of the alerts of that name: what turns is told once."""

    def __init__(self, replay: Replay, since: datetime) -> None:
        self._replay = replay
        leaders = sorted({product.leader for product in PRODUCTS.values()})
        subjects = {
            **dict.fromkeys(_FLOWS, ("BTC", "ETH")),
            **dict.fromkeys(_MARGINS, tuple(leaders)),
            Kind.STRESS: ("stress",),
        }
        self._waiting = [
            Alert(
                server_id=0,
                channel_id=0,
                kind=kind,
                subject=subject,
                since=since,
                added_by=None,
                added_at=since,
            )
            for kind in _KINDS
            for subject in subjects[kind]
        ]

    async def look(self, news: News | None) -> list[Event]:
        now = self._replay.clock.now()
        seen, found, waiting = Seen(self._replay.store, now), [], []
        for alert in self._waiting:
            looks = news is None or _is_about(alert, news)
            look = await seen.look(alert) if looks else None
            if look is not None:
                found += [_event(alert, crossing, now) for crossing in look.happened]
            waiting.append(alert if look is None else replace(alert, seen=look.seen))
        self._waiting = waiting
        return found


def _is_about(alert: Alert, news: News) -> bool:
    """Whether it may have turned something; what is in force tomorrow comes with the hour alone."""
    if alert.kind in _FLOWS:
        return news.has_flows
    if alert.kind in _MARGINS:
        return news.has_margins or news.at.minute == 0
    return news.has_long_bars


def _event(alert: Alert, crossing: Crossing, now: datetime) -> Event:
    """At ``now``, when it could be known, whatever day it is about."""
    figures = dict(crossing.figures)
    if figures.get("in_force_from") is not None:
        figures["in_force_from"] = iso(utc(figures["in_force_from"]))
    subject = "product" if alert.kind in _MARGINS else "asset"
    named = {} if alert.kind is Kind.STRESS else {subject: alert.subject}
    what = "regime" if alert.kind is Kind.FLOW_REGIME else crossing.what
    turned = {"now": crossing.what} if alert.kind in {Kind.FLOW_REGIME, Kind.STRESS} else {}
    return Event(
        time=now,
        kind=_KINDS[alert.kind],
        says={**named, "what": "verdict" if alert.kind is Kind.STRESS else what, **turned, **figures},
    )


async def _of_levels(replay: Replay, after: datetime, until: datetime) -> list[Event]:
    """What closed bars have done to the default book, as the card tells it."""
    try:
        result = await LEVELS.answer(LevelsQuery(), Asked(store=replay.store, at=until))
    except UserError:
        return []
    return [
        Event(
            time=event.time,
            kind="level",
            says={
                "instrument": result.instrument,
                "interval": result.interval.value,
                "level": state.level.price,
                "label": state.level.label,
                "from": event.before.value,
                "to": event.after.value,
            },
        )
        for state in result.levels
        for event in state.events
        if after < event.time <= until
    ]


async def _of_posts(replay: Replay, after: datetime, until: datetime) -> list[Event]:
    async with replay.store.read() as db:
        posts = await outbox.done_between(db, after, until)
        said = [await _said(db, post) for post in posts]
    return [
        Event(time=post.settled_at or post.due_at, kind=post.kind, says=says)
        for post, says in zip(posts, said, strict=True)
        if post.kind != NoticeWriter.kind
    ]


async def _said(db: Any, post: Post) -> dict[str, Any]:
    text = Letter.of(post.payload or "").content
    if post.kind == DigestWriter.kind:
        schedule = await digests.find(db, post.subject or 0)
        reports = [] if schedule is None else [part.report for part in schedule.parts]
        return {"due": iso(post.due_at), "reports": reports, "text": text}
    crossings = await alert_watch.told_by(db, post.subject or 0, post.key)
    [alert] = await alert_watch.by_id(db, [post.subject or 0])
    return {
        "instrument": alert.subject,
        "interval": None if alert.interval is None else alert.interval.value,
        "level": alert.price,
        "crossings": [
            {"time": iso(each.at), "what": each.what, "close": each.figures.get("close")}
            for each in crossings
        ],
        "text": text,
    }
