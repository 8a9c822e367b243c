"""One call for one feed: what to ask for, what of the answer is stored, and how far the feed has come.

Of every feed the store knows the span it has answered about. A poll asks from a little
before the end of that span on, so that rows that were missing the first time come along and a
changed one is noticed; after an outage it goes on from there, page by page. What lies
before the span is fetched backwards, until the feed's depth or the reach of its source.
Bars that are missing in between are noted and asked for again a few times (``storage/gaps.py``);
nothing is ever carried forward over a gap.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, Protocol

import structlog

from analysis.levels import Interval
from bot import spans
from bot.feeds import BarFeed, Feed, FlowFeed, MacroFeed, TierFeed
from providers.announced import CPI_RELEASED
from providers.errors import Malformed, Refused
from providers.shapes import Answer, Bar, BarQuery, Bars, FlowQuery, MacroQuery, Request
from storage import bars, feeds, flows, gaps, instruments, macro, new_bars, quarantine, tiers, unfinished
from storage.bars import BarRow
from storage.feeds import Progress, Registered
from storage.flows import FlowState, Reported
from storage.instants import epoch, flow_known, macro_known, utc
from storage.instruments import Series
from storage.store import Db, Store
from storage.versions import Stored

log = structlog.get_logger(__name__)

AGREES: Final = 0.05
"""How near another series' price must be to bear out a doubtful one."""
DAILY_JUMP: Final = 0.5
"""Silver has fallen by a third in a day: of a day only what is beyond this is doubtful, else 20 %."""
MACRO_AGAIN: Final = timedelta(days=400)
"""How far back macro values are read again: the seasonal factors of a year are revised in the next."""


class Withheld(Malformed):
    """Well formed, but not to be believed yet; kept aside like what is malformed."""


class Fetches(Protocol):
    """Brings answers: ``providers.client.Client``."""

    async def fetch(self, request: Request) -> Answer: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """``older`` asks for what lies before the known span, back to ``since`` or the feed's depth;
    ``again`` for bars that are missing within it. ``next_try_at`` is noted with a success.
    """

    now: datetime
    next_try_at: datetime
    older: bool = False
    again: bool = False
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one call brought. ``newest``: the present is reached; ``older``: there is more before the span.

    ``again_at``: when bars that are missing in between are to be asked for again. ``share`` of all
    that is wanted is there now, by time. ``made_at``: the answer's time by the source's own clock.
    """

    stored: Stored
    newest: bool
    older: bool
    again_at: datetime | None = None
    share: float = 1.0
    made_at: datetime | None = None


class Fetching:
    """Calls sources and stores what they answer; each answer whole, in one short transaction, or not at all."""

    def __init__(self, store: Store, client: Fetches) -> None:
        self._store = store
        self._client = client
        # Prices not believed yet, by feed: two venues that fall alike bear each other out.
        self._doubtful: dict[str, tuple[str, Bar]] = {}

    async def register(self, every: tuple[Feed, ...]) -> dict[str, Progress]:
        """Make the feeds known to the store; how far each has come."""
        async with self._store.read() as db:
            rows = [await registered(db, feed) for feed in every]
        async with self._store.write() as db:
            await feeds.register(db, rows)
            return await feeds.progress(db)

    async def page(self, feed: Feed, call: Call) -> Page:
        """One call, stored. Raises only ``providers.errors`` and what the store raises."""
        match feed:
            case BarFeed():
                return await self._bars(feed, call)
            case FlowFeed():
                return await self._flows(feed, call)
            case MacroFeed():
                return await self._macro(feed, call)
            case TierFeed():
                return await self._tiers(feed, call)

    async def quarantine(self, feed: Feed, refused: Malformed, *, now: datetime) -> None:
        async with self._store.write() as db:
            await quarantine.keep(db, feed.name, refused.body, refused.reason, now=now)

    # --- bars ----------------------------------------------------------------

    async def _bars(self, feed: BarFeed, call: Call) -> Page:
        now = call.now
        lowest = spans.floor(feed, now, call.since)
        async with self._store.read() as db:
            series = await instruments.at_venue(db, feed.venue, feed.symbol, feed.interval)
            known = (await feeds.progress(db))[feed.name]
            before = known.covered_since
            oldest = None if before is None else await bars.oldest_opening(db, series, since=before)
        if call.again:
            return await self._missing_bars(feed, series, known, call)
        back = call.older and oldest is not None
        if call.older and oldest is not None:
            start, end = spans.older(feed, oldest, lowest=lowest)
        else:
            start, end = spans.newest(feed, known, now)
        answer, found = await self._asked(feed, start, end, now)
        if not found.closed and not found.unfinished:
            raise Refused("an answer without a single bar")
        present = int(now.timestamp()) // feed.step * feed.step
        newest = not back and end > present
        if back:
            # Nothing before the bar that was known: this source has no more.
            ended = bool(found.closed) and found.closed[0].opened_at == oldest
            covered = lowest if ended else start, known.covered_until or 0
        else:
            covered = (
                start if before is None else min(start, before),
                spans.covered_until(known, found, end, is_newest=newest),
            )
        async with self._store.write() as db:
            stored = await self._kept(db, feed, series, found, answer.body, now=now, newest=not back)
            again_at = await _noted(db, feed, series, (start, end), now)
            if newest:
                running = found.unfinished
                seen_at = answer.at(now)
                await unfinished.keep(db, series, running and BarRow._make(running), now=seen_at)
            await feeds.succeeded(
                db,
                feed.name,
                now=now,
                next_try_at=call.next_try_at,
                resting=feed.resting(now),
                covered_since=covered[0],
                covered_until=covered[1],
            )
        _tell(feed, stored, found)
        return Page(
            stored=stored,
            newest=newest or back,
            # Without a single closed bar there is nothing yet to go back from.
            older=spans.reaches_on(covered[0], lowest) and (back or bool(found.closed)),
            again_at=again_at,
            share=spans.share(covered, lowest, now),
            made_at=answer.made_at,
        )

    async def _missing_bars(self, feed: BarFeed, series: Series, known: Progress, call: Call) -> Page:
        """A page in which bars are missing, once more. Where they are missing still, that is no error."""
        now = call.now
        # All that is known, as far as the source reaches: more than a first start asks for.
        lowest = spans.floor(feed, now, utc(known.covered_since or 0))
        nothing = Stored(added=0, unchanged=0, revised=0)
        async with self._store.write() as db:
            await gaps.forget(db, feed.name, before=lowest)
            missing = await gaps.newest_due(db, feed.name, since=lowest, now=now)
            again_at = (await gaps.next_tries(db, [feed.name])).get(feed.name)
        older = spans.reaches_on(known.covered_since, spans.floor(feed, now, call.since))
        if missing is None:
            return Page(stored=nothing, newest=True, older=older, again_at=again_at)
        start, end = spans.again(feed, missing, lowest=lowest)
        answer, found = await self._asked(feed, start, end, now)
        async with self._store.write() as db:
            stored = await self._kept(db, feed, series, found, answer.body, now=now, newest=False)
            await gaps.tried(db, feed.name, since=start, until=end, now=now)
            again_at = await _noted(db, feed, series, (start, end), now)
            await feeds.succeeded(
                db,
                feed.name,
                now=now,
                next_try_at=call.next_try_at,
                resting=feed.resting(now),
                covered_since=known.covered_since,
                covered_until=known.covered_until,
            )
        if stored.added:
            log.info("bars that were missing came", feed=feed.name, bars=stored.added)
        _tell(feed, stored, found)
        return Page(stored=stored, newest=True, older=older, again_at=again_at, made_at=answer.made_at)

    async def _asked(self, feed: BarFeed, start: int, end: int, now: datetime) -> tuple[Answer, Bars]:
        query = BarQuery(symbol=feed.asked, interval=feed.interval, since=utc(start), until=utc(end))
        answer = await self._client.fetch(feed.source.request(query))
        return answer, await asyncio.to_thread(feed.source.parse, answer.body, query, answer.at(now))

    async def _kept(
        self, db: Db, feed: BarFeed, series: Series, found: Bars, body: bytes, *, now: datetime, newest: bool
    ) -> Stored:
        believed = await self._believed(db, feed, series, found, body, newest=newest)
        rows = (BarRow._make(bar) for bar in believed)
        return await new_bars.store(db, series, rows, source=feed.published_by, now=now)

    def reaches_on(
        self, feed: Feed, known: Progress, *, now: datetime, since: datetime | None = None
    ) -> bool:
        """Whether there is anything to fetch from before the known span."""
        return isinstance(feed, BarFeed) and spans.reaches_on(
            known.covered_since, spans.floor(feed, now, since)
        )

    async def _believed(
        self, db: Db, feed: BarFeed, series: Series, found: Bars, body: bytes, *, newest: bool
    ) -> list[Bar]:
        """The closed bars without those that jump and nobody else tells of.

        While such a bar is new, or others contradict it, nothing after it is stored either, and the whole
        answer waits; in older pages, and where nobody else has anything to say, it is left out alone.
        """
        jumps = _jumps(feed, found)
        known = await bars.openings(db, series, [bar.opened_at for bar in jumps])
        left_out = set()
        for bar in jumps:
            if bar.opened_at in known:
                continue
            elsewhere = await self._elsewhere(db, feed, series, bar)
            if any(abs(price / bar.close - 1) <= AGREES for price in elsewhere):
                continue
            is_new = bar.opened_at > found.closed[-1].opened_at - spans.OVERLAP * feed.step
            if newest and (elsewhere or is_new):
                self._doubtful[feed.name] = (feed.code, bar)
                raise Withheld(
                    f"a jump at {utc(bar.opened_at):%Y-%m-%d %H:%M} that no other source tells of", body=body
                )
            left_out.add(bar.opened_at)
        self._doubtful.pop(feed.name, None)
        return [bar for bar in found.closed if bar.opened_at not in left_out]

    async def _elsewhere(self, db: Db, feed: BarFeed, series: Series, bar: Bar) -> list[float]:
        """What other series say of that time, stored or waiting like this one."""
        until = bar.closed_at + feed.step
        stored = await bars.prices_elsewhere(db, series, since=bar.opened_at, until=until)
        return stored + [
            other.close
            for name, (code, other) in self._doubtful.items()
            if name != feed.name and code == feed.code and bar.opened_at < other.closed_at <= until
        ]

    # --- flows and macro -------------------------------------------------------

    async def _flows(self, feed: FlowFeed, call: Call) -> Page:
        now = call.now
        query = FlowQuery(asset=feed.asset)
        answer = await self._client.fetch(feed.source.request(query))
        found = await asyncio.to_thread(feed.source.parse, answer.body, query, answer.at(now))
        if not found.days:
            raise Refused("an answer without a single day")
        days = sorted(found.days, key=lambda day: day.trade_date)
        given = {day.trade_date: day for day in days}
        rows = [
            Reported(
                trade_date=day.trade_date,
                funds=day.funds,
                total_musd=day.total_musd,
                # Seen before the hour at which a day counts as told: known from now.
                known_at=epoch(now) if epoch(now) < flow_known(day.trade_date) else None,
                final=day.final,
            )
            for day in days
        ]
        async with self._store.write() as db:
            before = await flows.known(
                db, feed.asset, at=now, since=days[0].trade_date, source=feed.published_by
            )
            for day in before:
                if day.is_sample or day.state is not FlowState.FINAL or not day.total_musd:
                    continue
                again = given.get(day.trade_date)
                if again is None or not again.final:
                    raise Withheld(f"{day.trade_date} was final and is not any more", body=answer.body)
            stored = await flows.store(db, feed.asset, rows, source=feed.published_by, now=now)
            await feeds.succeeded(db, feed.name, now=now, next_try_at=call.next_try_at)
        if stored.revised:
            log.info("flows were revised", feed=feed.name, days=stored.revised)
        return Page(stored=stored, newest=True, older=False, made_at=answer.made_at)

    async def _macro(self, feed: MacroFeed, call: Call) -> Page:
        now = call.now
        async with self._store.read() as db:
            known = (await feeds.progress(db))[feed.name]
        again = None if known.last_success_at is None else (now - MACRO_AGAIN).astimezone(UTC).date()
        query = MacroQuery(series=feed.series, since=again)
        answer = await self._client.fetch(feed.source.request(query))
        found = await asyncio.to_thread(feed.source.parse, answer.body, query, answer.at(now))
        rows = [
            macro.Published(
                dated=row.date,
                value=row.value,
                released=_released(feed.series, row.date),
                known_at=_seen(feed.series, row.date, now),
            )
            for row in found.rows
            if row.value is not None
        ]
        if not rows:
            raise Refused("an answer without a single value")
        async with self._store.write() as db:
            stored = await macro.store(db, feed.series, rows, source=feed.published_by, now=now)
            await feeds.succeeded(db, feed.name, now=now, next_try_at=call.next_try_at)
        return Page(stored=stored, newest=True, older=False, made_at=answer.made_at)

    async def _tiers(self, feed: TierFeed, call: Call) -> Page:
        now = call.now
        answers = [await self._client.fetch(request) for request in feed.source.requests(feed.query)]
        bodies = [answer.body for answer in answers]
        found = await asyncio.to_thread(feed.source.parse, bodies, feed.query, now)
        contract = tiers.Contract(venue=feed.key, code=feed.query.code, kind=feed.kind)
        rows = [tiers.TierRow._make(row) for row in found.rows]
        async with self._store.write() as db:
            stored = await tiers.store(
                db, contract, rows, by_size=found.by_size, source=feed.published_by, now=now
            )
            await feeds.succeeded(db, feed.name, now=now, next_try_at=call.next_try_at)
        if stored.revised:
            log.info("maintenance tiers were changed", feed=feed.name)
        return Page(stored=stored, newest=True, older=False, made_at=answers[-1].made_at)


def _seen(series: str, dated: date, now: datetime) -> int | None:
    """Now, for a value seen earlier than the calendar expects it."""
    return epoch(now) if epoch(now) < macro_known(series, dated, _released(series, dated)) else None


def _released(series: str, dated: date) -> date | None:
    """The day of release where the kept table has one: a shutdown can move it past its usual day."""
    return CPI_RELEASED.get(dated) if series == "CPIAUCSL" else None


async def registered(db: Db, feed: Feed) -> Registered:
    """The feed as the store keeps it."""
    match feed:
        case BarFeed():
            series = await instruments.at_venue(db, feed.venue, feed.symbol, feed.interval)
            label = f"{feed.code} {feed.interval} · {series.label}"
            return Registered(
                name=feed.name,
                host=feed.host,
                source=feed.published_by,
                label=label,
                instrument_id=series.id,
                interval=str(feed.interval),
            )
        case FlowFeed():
            label = f"{feed.asset} ETF flows · {feed.published_by}"
            return Registered(
                name=feed.name, host=feed.host, source=feed.published_by, label=label, asset=feed.asset
            )
        case MacroFeed():
            label = f"{feed.series} · {feed.published_by}"
            return Registered(
                name=feed.name, host=feed.host, source=feed.published_by, label=label, series=feed.series
            )
        case TierFeed():
            label = f"{feed.query.code} {feed.kind} · {feed.published_by} maintenance tiers"
            return Registered(
                name=feed.name, host=feed.host, source=feed.published_by, label=label, series=feed.name
            )


async def _noted(
    db: Db, feed: BarFeed, series: Series, span: tuple[int, int], now: datetime
) -> datetime | None:
    """Notes what of a page that was stored is missing; when the feed is to ask again for anything that is."""
    since, until = span
    there = await bars.openings_between(db, series, since=since, until=until)
    await gaps.note(db, feed.name, spans.missing(feed, there), since=since, until=until, now=now)
    return (await gaps.next_tries(db, [feed.name])).get(feed.name)


def _tell(feed: BarFeed, stored: Stored, found: Bars) -> None:
    if stored.revised:
        log.info("closed bars came again with other values", feed=feed.name, bars=stored.revised)
    if found.unknown:
        log.debug("fields nobody told us of", feed=feed.name, fields=sorted(found.unknown))


def _jumps(feed: BarFeed, found: Bars) -> list[Bar]:
    marked = [bar for bar in found.closed if bar.opened_at in set(found.jumps)]
    if feed.interval is not Interval.D1:
        return marked
    before = {later.opened_at: bar.close for bar, later in zip(found.closed, found.closed[1:], strict=False)}
    return [
        bar
        for bar in marked
        if bar.high > (base := before.get(bar.opened_at, bar.open)) * (1 + DAILY_JUMP)
        or bar.low < base * (1 - DAILY_JUMP)
    ]
