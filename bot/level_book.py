"""A server's level book, changed by its moderators: what may stand in it and what they are told."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from analysis.levels import Interval, Level
from bot.errors import AlreadyDone, UserError
from bot.language import DEFAULT_LABELS, N_, Speech
from bot.plain_text import cleaned, quoted
from bot.reports import numbers, windows
from bot.reports.level_series import BOOK_INSTRUMENT
from storage import bars, handled, instruments, level_book
from storage.level_book import Added, Book
from storage.store import Db, Store

MOST: Final = 25
"""Levels in a book; as many as an autocomplete can offer, and more than a picture can tell."""
NEAR: Final = 0.002
"""Two prices closer than this share are one level: their bands (0.1 % on either side) would overlap."""
SAME: Final = 0.0001
"""A price typed to remove a level may be off by what rounding for display takes away."""
FURTHEST: Final = 10.0
"""Times the present price, up or down. A slip of a unit (736k or 736 for 73.6k) lies beyond it;
the highs and lows of one cycle do not."""
NEWEST: Final = 5
"""Of so many levels moderators are told who added them."""
LOWEST, HIGHEST = 0.01, 1_000_000_000
DEFAULT_SOURCES: Final = (
    N_("market analysis of 5 Feb 2026"),
    N_("73,777 was the high; market analysis of 5 Feb 2026"),
)
"""Of the level book every server starts with; a moderator's own stay as typed."""
_LISTED = 40, 24, 32
"""Characters of label, venue and source in the list: 25 full lines fit one message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What was done to a book. ``began`` where the server's own book began with it."""

    level: Level
    now_in_book: int
    began: bool
    default_again: bool = False


def drafted(price: str, *, label: str, venue: str, dated: str, source: str, now: datetime) -> Level:
    """A level as typed. Raises UserError for what is no price and no past day."""
    return Level(
        price=numbers.amount(price, low=LOWEST, high=HIGHEST),
        label=cleaned(label),
        venue=cleaned(venue) or None,
        dated=_day(dated, now) if dated.strip() else None,
        source=cleaned(source) or None,
    )


def _day(typed: str, now: datetime) -> date:
    try:
        return windows.start_date(typed, now)
    except UserError:
        raise UserError(
            "“{value}” is not a past day: write 2026-01-28 or 1/28.", value=cleaned(typed, 40)
        ) from None


async def add(
    store: Store, level: Level, *, server_id: int, user_id: int, interaction_id: int, now: datetime
) -> Change:
    """Put ``level`` into the server's book. Raises UserError if it may not stand there."""
    async with store.write() as db:
        await _once(db, interaction_id, now)
        book = await level_book.book(db, server_id)
        _room(book, level)
        in_range(level.price, await _present(db, now))
        began = await level_book.add(db, server_id, level, added_by=user_id, now=now)
    return Change(level=level, now_in_book=len(book.levels) + 1, began=began)


async def remove(store: Store, typed: str, *, server_id: int, interaction_id: int, now: datetime) -> Change:
    """Take the level at the typed price out of the server's book. Raises UserError if there is none."""
    price = numbers.amount(typed, low=LOWEST, high=HIGHEST)
    async with store.write() as db:
        await _once(db, interaction_id, now)
        book = await level_book.book(db, server_id)
        level = min(book.levels, key=lambda level: abs(level.price - price), default=None)
        if level is None or not within(level.price, price, SAME):
            raise UserError("There is no level at {price} in this server's book.", price=in_full(price))
        began = await level_book.remove(db, server_id, level.price)
        after = await level_book.book(db, server_id)
    return Change(level=level, now_in_book=len(after.levels), began=began, default_again=not after.is_own)


async def _once(db: Db, interaction_id: int, now: datetime) -> None:
    if not await handled.first_time(db, interaction_id, now=now):
        raise AlreadyDone("This has been done already.")


def _room(book: Book, level: Level) -> None:
    near = next((other for other in book.levels if within(other.price, level.price, NEAR)), None)
    if near is not None:
        raise UserError(
            "{price} is within {share} % of {existing} ({label}), which is in the book already.",
            price=in_full(level.price),
            share=f"{100 * NEAR:g}",
            existing=in_full(near.price),
            label=near.label or "–",
        )
    if len(book.levels) >= MOST:
        raise UserError("The book is full: it holds at most {most} levels. Remove one first.", most=MOST)


def in_range(price: float, present: float | None) -> None:
    """Raises UserError for a price so far from the present one that it is a slip."""
    if present is None or present / FURTHEST <= price <= present * FURTHEST:
        return
    raise UserError(
        "{price} is more than {times} times away from the present price of {present}. Check the unit.",
        price=in_full(price),
        times=f"{FURTHEST:g}",
        present=in_full(present),
    )


async def _present(db: Db, now: datetime) -> float | None:
    for interval in (Interval.M30, Interval.D1):
        series = await instruments.find(db, BOOK_INSTRUMENT, interval, at=now)
        close = None if series is None else await bars.last_close(db, series, at=now)
        if close is not None and math.isfinite(close) and close > 0:
            return close
    return None


def within(one: float, other: float, share: float) -> bool:
    return abs(one - other) <= share * max(one, other)


def in_full(price: float) -> str:
    """A price in full, as it was understood: no decimals are lost."""
    return f"{price:,.9f}".rstrip("0").rstrip(".")


def added_words(change: Change, speech: Speech) -> str:
    _ = speech._
    lines = [_("Added: {level}").format(level=_line(change.level, speech)), *_book_lines(change, speech)]
    return "\n".join((*lines, "-# " + _("/levels judges it from now on. To undo: /level-book remove.")))


def removed_words(change: Change, speech: Speech) -> str:
    _ = speech._
    lines = [_("Removed: {level}").format(level=_line(change.level, speech)), *_book_lines(change, speech)]
    return "\n".join((*lines, "-# " + _("To undo: /level-book add.")))


def _book_lines(change: Change, speech: Speech) -> list[str]:
    _ = speech._
    if change.default_again:
        return [_("That was the last one: this server has the default book again.")]
    lines = [
        _("This server's book now holds {n} of at most {most} levels.").format(
            n=change.now_in_book, most=MOST
        )
    ]
    if change.began:
        lines.append(_("Until now the default book was shown here; this server's own began as a copy of it."))
    return lines


def list_words(book: Book, speech: Speech) -> str:
    _ = speech._
    if not book.levels:
        return _("There is no level in the book.")
    title = _("This server's level book") if book.is_own else _("The default level book")
    lines = [f"- {_line(level, speech, _LISTED)}" for level in book.levels]
    note = _("{n} of at most {most} levels").format(n=len(book.levels), most=MOST)
    if not book.is_own:
        note = _("The first change makes a copy of it for this server.")
    return "\n".join((f"**{title}**", *lines, f"-# {note}"))


def added_by_words(added: Sequence[Added], speech: Speech) -> str:
    """Whom moderators may ask about the newest levels; a mention in a message of ours calls nobody."""
    return "\n".join(
        "-# "
        + speech._("{price}: added by {who}, {time}").format(
            price=in_full(level.price), who=f"<@{level.by}>", time=speech.instant(level.at)
        )
        for level in added
    )


def _line(level: Level, speech: Speech, most: tuple[int, int, int] = (80, 80, 80)) -> str:
    """Price · label · venue · day · source, without what is not known."""
    label, venue, source = most
    parts = [f"**{in_full(level.price)}**"]
    if level.label:
        parts.append(
            speech.label(level.label) if level.label in DEFAULT_LABELS else _shortened(level.label, label)
        )
    parts += [] if level.venue is None else [_shortened(level.venue, venue)]
    parts += [] if level.dated is None else [speech.day(level.dated)]
    if level.source is not None:
        ours = level.source in DEFAULT_SOURCES
        parts.append(speech._(level.source) if ours else _shortened(level.source, source))
    return " · ".join(parts)


def _shortened(text: str, most: int) -> str:
    """``text`` in a code span; where it is cut, that shows."""
    kept = cleaned(text)
    return quoted(kept if len(kept) <= most else kept[: most - 1].rstrip() + "…")


def offered(book: Book, typed: str, speech: Speech) -> list[tuple[str, str]]:
    """Levels to choose from while somebody types: what is shown, and the price behind it."""
    found = []
    for level in book.levels:
        label = speech._(level.label) if level.label in DEFAULT_LABELS else cleaned(level.label)
        shown = f"{in_full(level.price)} · {label}" if label else in_full(level.price)
        if typed.strip().lower() in f"{shown.lower()} {level.price!r}":
            found.append((shown[:100], in_full(level.price)))
    return found[:MOST]
