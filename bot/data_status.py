"""How old everything is: each series with its newest value, its state, when it is asked for again, what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from analysis import trading_days
from analysis.charts import freshness_words
from analysis.freshness import Freshness, Steps, freshness, of_bars
from analysis.levels import Interval
from bot import disk
from bot.data_entries import LEADERS, entry_words
from bot.language import N_, Speech
from bot.plain_text import inert
from bot.reports.flow_terms import RHYTHM as FLOWS
from storage import entries, feeds, held, sample
from storage.entries import Entry
from storage.feeds import FeedState
from storage.instants import epoch
from storage.store import Store

PAGES: Final[Mapping[str, str]] = {
    "all": N_("Overview"),
    "btc": N_("Bitcoin prices"),
    "eth": N_("Ether prices"),
    "metals": N_("Metals and oil"),
    "indices": N_("Indices and dollar"),
    "flows": N_("ETF flows"),
    "macro": N_("Macro figures and margins"),
}
SHOWN_ENTRIES: Final = 5
MACRO: Final = Steps(step=timedelta(hours=6))
"""Macro figures are asked for this often; a figure itself may rightly be weeks old."""
_TROUBLE: Final = frozenset({"late", "stale"})
_REASON: Final = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One series. ``state``: fresh, late, stale, closed, pending, none, or kept where nobody fetches it."""

    label: str
    page: str
    newest_at: datetime | None
    since: datetime | None
    state: str
    is_sample: bool = False
    last_success_at: datetime | None = None
    next_try_at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """All of it at ``at``. ``margins``: to which effective date the shared table of a product reaches;
    ``full``: nothing is fetched for want of room on the disk.
    """

    at: datetime
    fetches: bool
    full: bool
    lines: tuple[Line, ...]
    margins: Mapping[str, date | None]
    entered: tuple[Entry, ...]


async def status(store: Store, *, server_id: int, fetches: bool, at: datetime) -> Status:
    async with store.read() as db:
        fed = await feeds.status(db)
        kept = await held.series(db, at=at)
        margins = {code: await held.margins_to(db, code, at=at) for code in LEADERS}
        entered = await entries.standing(db, server_id)
    # In a thread: the calendar takes half a second when it is asked for the first time.
    lines = await asyncio.to_thread(_lines, fed, kept, at)
    full = fetches and await asyncio.to_thread(disk.nearly_full, str(store.engine.url))
    return Status(at=at, fetches=fetches, full=full, lines=lines, margins=margins, entered=tuple(entered))


def _lines(fed: Sequence[feeds.FeedStatus], kept: Sequence[held.Series], at: datetime) -> tuple[Line, ...]:
    """Every series that is fetched, then those that were only imported or came with the sample."""
    stored = {one.fills: one for one in kept}
    lines = [_fetched(feed, stored.get(feed.fills), at) for feed in fed]
    covered = {feed.fills for feed in fed}
    lines += [_only_kept(one, at) for one in kept if one.fills not in covered]
    return tuple(lines)


def _fetched(feed: feeds.FeedStatus, stored: held.Series | None, at: datetime) -> Line:
    rests = feed.name.startswith("yahoo:")
    newest_at = feed.newest_at if stored is None else stored.newest_at
    return Line(
        label=feed.label,
        page=_page(feed.label.split(" ", 1)[0], feed.interval, feed.asset),
        newest_at=newest_at,
        since=_since(newest_at, feed.asset),
        state=_state(newest_at, feed.interval, feed.asset, at, asked_at=feed.last_success_at, rests=rests),
        is_sample=stored is not None and stored.is_sample,
        last_success_at=feed.last_success_at,
        next_try_at=feed.next_try_at,
        reason=feed.reason if feed.state in {FeedState.FAILING, FeedState.STOPPED} else None,
    )


def _only_kept(one: held.Series, at: datetime) -> Line:
    rests = one.code not in {"BTC", "ETH"}
    return Line(
        label=one.label,
        page=_page(one.code, one.interval, one.asset),
        newest_at=one.newest_at,
        since=_since(one.newest_at, one.asset),
        state=_state(one.newest_at, one.interval, one.asset, at, asked_at=None, rests=rests),
        is_sample=one.is_sample,
    )


def _page(code: str, interval: str | None, asset: str | None) -> str:
    if asset is not None:
        return "flows"
    if interval is None:
        return "macro"
    named = {"BTC": "btc", "ETH": "eth", "SI": "metals", "GC": "metals", "CL": "metals"}
    return named.get(code, "indices")


def _since(newest_at: datetime | None, asset: str | None) -> datetime | None:
    """From when an age is counted: a day's flow is one of a session, which ended at its close."""
    if newest_at is None or asset is None:
        return newest_at
    return trading_days.closed_at(newest_at.date())


def _state(
    newest_at: datetime | None,
    interval: str | None,
    asset: str | None,
    at: datetime,
    *,
    asked_at: datetime | None,
    rests: bool,
) -> str:
    if newest_at is None:
        return "none"
    if asset is not None:
        return freshness(trading_days.closed_at(newest_at.date()), at, FLOWS).value
    if interval is None:
        return "kept" if asked_at is None else freshness(asked_at, at, MACRO).value
    return freshness(newest_at, at, of_bars(Interval(interval).length, rests=rests)).value


def words(found: Status, page: str, speech: Speech) -> str:
    """One page. The overview counts, and names what is in trouble; the others list every series."""
    _ = speech._
    lines = ["### " + _("Data") + " · " + _(PAGES[page])]
    if not found.fetches:
        lines.append(
            _("Nothing is fetched here (FETCH=false, or a preview): figures stay as old as they are.")
        )
    if found.full:
        lines.append(
            _(
                "The disk is nearly full: nothing is fetched until there is room, and figures stay as old as they are."
            )
        )
    if any(one.is_sample for one in found.lines):
        lines.append(
            _("What is marked as sample came with Leadline and ends {date}.").format(
                date=speech.day(sample.ENDS)
            )
        )
    lines += _overview(found, speech) if page == "all" else _listed(found, page, speech)
    return "\n".join(lines)


def _overview(found: Status, speech: Speech) -> list[str]:
    _ = speech._
    lines = []
    for page, title in PAGES.items():
        ours = [one for one in found.lines if one.page == page]
        if ours:
            lines.append(_("**{page}**: {states}").format(page=_(title), states=_counts(ours, speech)))
    lines += _margins(found, speech)
    failing = [one for one in found.lines if one.reason is not None]
    if failing:
        lines.append("**" + _("Not answering") + "**")
        lines += [_line(one, found.at, speech) for one in failing[:8]]
        if len(failing) > 8:
            lines.append(_("… and {n} more, on the other pages").format(n=len(failing) - 8))
    if found.entered:
        lines.append("**" + _("Entered by this server's moderators, newest first") + "**")
        lines += [
            f"{number}. {entry_words(entry, speech)}"
            for number, entry in enumerate(found.entered[:SHOWN_ENTRIES], start=1)
        ]
        if len(found.entered) > SHOWN_ENTRIES:
            lines.append(_("… and {n} older ones").format(n=len(found.entered) - SHOWN_ENTRIES))
    return lines


def _counts(ours: Sequence[Line], speech: Speech) -> str:
    """How many series are in which state, and how old the newest value of all is."""
    _ = speech._
    parts = [_("series: {n}").format(n=len(ours))]
    for state in ("fresh", "closed", "pending", "kept", "late", "stale", "none"):
        n = sum(one.state == state for one in ours)
        if n:
            parts.append(f"{_state_words(state, speech)} {n}")
    failing = sum(one.reason is not None for one in ours)
    if failing:
        parts.append(_("not answering {n}").format(n=failing))
    return " · ".join(parts)


def _listed(found: Status, page: str, speech: Speech) -> list[str]:
    _ = speech._
    lines = [_line(one, found.at, speech) for one in found.lines if one.page == page]
    if page == "macro":
        lines += _margins(found, speech)
    return lines or [_("There is no series here yet.")]


def _line(one: Line, at: datetime, speech: Speech) -> str:
    """Discord shows instants in the reader's own clock."""
    _ = speech._
    parts = [f"**{_state_words(one.state, speech)}**"]
    if one.newest_at is not None and one.since is not None:
        is_day = one.newest_at.astimezone(UTC).hour == 0 and one.page in {"flows", "macro"}
        newest = speech.day(one.newest_at.date()) if is_day else _stamp(one.newest_at, "f")
        parts += [newest, speech.age(at - one.since)]
    if one.is_sample:
        parts.append(_("sample"))
    if one.last_success_at is not None:
        parts.append(_("answered {when}").format(when=_stamp(one.last_success_at, "R")))
    if one.next_try_at is not None:
        parts.append(_("next {when}").format(when=_stamp(one.next_try_at, "R")))
    if one.reason is not None:
        parts.append(_("fails: {reason}").format(reason=inert(one.reason[:_REASON])))
    return f"- {one.label} · " + " · ".join(parts)


def _margins(found: Status, speech: Speech) -> list[str]:
    """CME's margins are not fetched: notices are kept in a table."""
    _ = speech._
    told = [
        f"{code} {speech.day(day)}" if day is not None else f"{code} –" for code, day in found.margins.items()
    ]
    return [
        _("**CME margins**: kept by hand, newest change in force from {days}").format(days=" · ".join(told))
    ]


def _stamp(when: datetime, form: str) -> str:
    return f"<t:{epoch(when)}:{form}>"


def _state_words(state: str, speech: Speech) -> str:
    _ = speech._
    named: Mapping[str, Callable[[], str]] = {
        "none": lambda: _("no value yet"),
        "kept": lambda: _("imported"),
    }
    return named[state]() if state in named else freshness_words.word(Freshness(state), _)
