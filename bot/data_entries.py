"""A margin or a day's flow as a moderator types it: checked, and what it would change, in words."""

from __future__ import annotations

import asyncio
import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from analysis import trading_days
from analysis.closes import Close
from analysis.margin import PRODUCTS, Basis, Change, cost
from analysis.margin_rules import in_force_before
from bot.data_drafts import Draft
from bot.errors import UserError
from bot.language import Speech
from bot.plain_text import cleaned, quoted
from bot.reports import numbers
from bot.reports.margin_words import rule as rule_words
from bot.reports.silver_margin import rules
from storage import entered_flows, flows
from storage.entered_flows import FIRST_DAY, MOST_MUSD, EnteredFlow
from storage.entries import Entry, Kind
from storage.flows import FlowState
from storage.instants import margin_effective, utc
from storage.margins import Announced, MarginRule
from storage.store import Db, Store

ASSETS: Final = ("BTC", "ETH")
LEADERS: Final = ("SI", "GC")
LEAST_FIXED, MOST_FIXED = 100, 1_000_000
LEAST_PERCENT, MOST_PERCENT = 0.1, 100
AHEAD: Final = timedelta(days=90)
"""How far ahead of its notice a change is taken to be possible."""
UNLIKELY: Final = 2.0
"""A rule that asks for so many times as much as the one before, or so small a part, may be a slip."""
_DAY: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})", re.ASCII)
_LINK: Final = re.compile(r"https://[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,6}(?:[/?#][!-~]*)?", re.IGNORECASE)
_NEW_YORK: Final = ZoneInfo("America/New_York")


def margin(  # noqa: PLR0917 -- the fields of the form, in its order
    product: str,
    rule: MarginRule,
    effective: str,
    value: str,
    notice: str,
    number: str,
    link: str,
    *,
    server_id: int,
    now: datetime,
) -> Draft:
    """A change of a leader's margin. Raises UserError for the first field that cannot be used."""
    if product not in LEADERS:
        raise UserError(
            "{product} is not entered by hand: choose one of {known}.",
            product=product,
            known=tuple(LEADERS),
        )
    low, high = (LEAST_PERCENT, MOST_PERCENT) if rule == "percent" else (LEAST_FIXED, MOST_FIXED)
    amount = numbers.amount(value.strip().removesuffix("%"), low=low, high=high)
    noticed, from_day = _day(notice), _day(effective)
    if noticed > now.astimezone(_NEW_YORK).date():
        raise UserError("The notice date {value} lies in the future.", value=noticed.isoformat())
    if not noticed <= from_day <= noticed + AHEAD:
        raise UserError(
            "The effective date {value} has to be the notice date or one of the {days} days after it.",
            value=from_day.isoformat(),
            days=AHEAD.days,
        )
    address = _link(link)
    row = Announced(
        product=product,
        effective_date=from_day,
        effective_note=None,
        notice_date=noticed,
        notice_number=cleaned(number, 40) or None,
        rule=rule,
        initial=amount,
        # Without a heightened risk profile the two are the same in every notice so far.
        maintenance=amount,
        hrp_initial=None,
        hrp_maintenance=None,
        previous=None,
        previous_rule=None,
        confidence=None,
        citation=address,
    )
    return Draft(server_id=server_id, made_at=now, margins=(row,), origin=address)


def possible(row: Announced, now: datetime) -> bool:
    """Whether a change that was read from a file is one the form would take, or one of unknown date."""
    low, high = (LEAST_PERCENT, MOST_PERCENT) if row.rule == "percent" else (LEAST_FIXED, MOST_FIXED)
    told = (row.initial, row.maintenance, row.hrp_initial, row.hrp_maintenance)
    if not all(low <= value <= high for value in told if value is not None):
        return False
    if row.notice_date is None or row.effective_date is None:
        return True
    today = now.astimezone(_NEW_YORK).date()
    return row.notice_date <= today and row.effective_date <= row.notice_date + AHEAD


def flow(asset: str, day: str, total: str, source: str, *, server_id: int, now: datetime) -> Draft:
    """The total of a trade date. Raises UserError for what cannot be one."""
    if asset not in ASSETS:
        raise UserError("{asset} is not known; known are {known}.", asset=asset, known=tuple(ASSETS))
    amount = numbers.amount(total, low=-MOST_MUSD, high=MOST_MUSD)
    row = EnteredFlow(asset=asset, trade_date=_day(day), total_musd=amount)
    return Draft(server_id=server_id, made_at=now, flows=(row,), origin=cleaned(source) or None)


async def not_traded(days: Sequence[date], now: datetime) -> date | None:
    """The first of these days that was no US session, or whose session is not over; None without any."""
    # In a thread: the calendar takes half a second when it is asked for the first time.
    over = set(await asyncio.to_thread(trading_days.sessions, min(days), now))
    return next((day for day in days if day not in over), None)


async def traded(draft: Draft, now: datetime) -> None:
    """Raises UserError for a flow of a day on which nothing was traded, or whose session is not over."""
    wrong = await not_traded([row.trade_date for row in draft.flows], now)
    if wrong is not None:
        raise UserError("{value} is no US trading day that is over.", value=wrong.isoformat())


def _day(typed: str) -> date:
    """A whole date; without its year it would not be sure which was meant."""
    match = _DAY.fullmatch(unicodedata.normalize("NFKC", typed[:40]).strip())
    try:
        day = None if match is None else date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        day = None
    if day is None or not FIRST_DAY <= day < date(2200, 1, 1):
        raise UserError("“{value}” is not a whole date: write 2026-02-06.", value=cleaned(typed, 40))
    return day


def _link(typed: str) -> str | None:
    kept = typed.strip()
    if not kept:
        return None
    if len(kept) > 200 or _LINK.fullmatch(kept) is None:
        raise UserError("The link has to begin with https:// and lead to a public page.")
    return kept


async def preview(store: Store, draft: Draft, speech: Speech, now: datetime) -> str:
    """What keeping the draft would change. Nothing is kept by asking."""
    _ = speech._
    lines = ["**" + _("Preview: nothing is kept yet") + "**"]
    async with store.read() as db:
        if draft.margins:
            lines += await _margin_lines(db, draft, speech, now)
        else:
            lines += await _flow_lines(db, draft, speech, now)
    if draft.origin:
        lines.append(_("From {origin}").format(origin=quoted(draft.origin, 200)))
    lines.append(
        "-# "
        + _("It will answer in this server alone, and be called entered by a moderator wherever it counts.")
    )
    return "\n".join(lines)


async def _margin_lines(db: Db, draft: Draft, speech: Speech, now: datetime) -> list[str]:
    _ = speech._
    lines = []
    if draft.size > 1:
        dates = [row.effective_date for row in draft.margins if row.effective_date is not None]
        lines.append(
            _("{n} margin changes of {products}, {first} to {last}").format(
                n=draft.size,
                products=_(", ").join(sorted({row.product for row in draft.margins})),
                first=speech.day(min(dates)),
                last=speech.day(max(dates)),
            )
        )
    # Of a file the last change of each product: the one that may stand now.
    newest = {row.product: row for row in draft.margins if row.effective_date is not None}
    for code in (code for code in LEADERS if code in newest):
        changes, close = await rules(db, code, now, server_id=draft.server_id)
        lines += effect(newest[code], changes, close, speech)
    return lines


def effect(row: Announced, changes: Sequence[Change], close: Close | None, speech: Speech) -> list[str]:
    """One change: the rule, and what a contract costs before and after at the last close."""
    _, product = speech._, PRODUCTS[row.product]
    if row.effective_date is None:
        return []
    moment = utc(margin_effective(row.effective_date))
    new = Change(
        effective=moment,
        known_at=None,
        basis=Basis(row.rule),
        initial=row.initial,
        maintenance=row.maintenance,
        hrp_initial=row.hrp_initial,
    )
    after = rule_words(new.basis, new.initial, speech)
    place = in_force_before(changes, moment)
    old = changes[place] if place >= 0 else None
    before = _("unknown") if old is None else rule_words(old.basis, old.initial, speech)
    lines = [
        _("{product}: {before} → **{after}** from {time} (17:00 New York)").format(
            product=row.product, before=before, after=after, time=speech.instant(moment, year=True)
        )
    ]
    stands = next((change for change in changes if change.effective == moment), None)
    if stands is not None:
        lines.append(
            _("It takes the place of {rule}, known for the same instant.").format(
                rule=rule_words(stands.basis, stands.initial, speech)
            )
        )
    if close is None:
        return [*lines, _("No close is known, so what it does to a contract is not shown.")]
    dollars = cost(new, product, close.price).initial_usd
    values = {
        "price": f"{close.price:,.3f}",
        "day": speech.day(close.date),
        "after": speech.dollars(dollars),
    }
    if old is None:
        told = _("A contract at the close of {day}, {price} USD/oz: **{after} USD**").format(**values)
        return [*lines, told]
    was = cost(old, product, close.price).initial_usd
    lines.append(
        _("A contract at the close of {day}, {price} USD/oz: {before} → **{after} USD** ({change})").format(
            before=speech.dollars(was), change=speech.percent(100 * (dollars / was - 1)), **values
        )
    )
    if not 1 / UNLIKELY < dollars / was < UNLIKELY:
        lines.append("**" + _("That is a large step: check the rule and the unit.") + "**")
    if row.notice_date is not None and row.notice_number is not None:
        lines.append(
            _("Notice {number} of {day}").format(
                number=quoted(row.notice_number, 40), day=speech.day(row.notice_date)
            )
        )
    return lines


async def _flow_lines(db: Db, draft: Draft, speech: Speech, now: datetime) -> list[str]:
    _, rows = speech._, draft.flows
    asset, first, last = rows[0].asset, rows[0].trade_date, rows[-1].trade_date
    known = await flows.known(db, asset, at=now, since=first)
    said = {day.trade_date for day in known if day.state is not FlowState.PENDING}
    typed = {
        row.trade_date: row for row, _at in await entered_flows.known(db, draft.server_id, asset, at=now)
    }
    lines = []
    if len(rows) == 1:
        lines.append(
            _("{asset} spot ETFs · {day}: **{money}**").format(
                asset=asset, day=speech.day(first), money=speech.money(rows[0].total_musd)
            )
        )
        if first in typed:
            lines.append(
                _("It takes the place of {money}, entered before.").format(
                    money=speech.money(typed[first].total_musd)
                )
            )
    else:
        lines.append(
            _("{n} days of {asset} spot ETF flows, {first} to {last}, sum {money}").format(
                n=len(rows),
                asset=asset,
                first=speech.day(first),
                last=speech.day(last),
                money=speech.money(sum(row.total_musd for row in rows)),
            )
        )
    there = sum(row.trade_date in said for row in rows)
    if there:
        lines.append(
            _(
                "Days of it that a publisher has reported: {n}. Wherever that publisher answers, its own figure stands."
            ).format(n=there)
        )
    lines.append(_("It counts until the publisher has reported the day itself."))
    return lines


def kept_words(draft: Draft, speech: Speech) -> str:
    _ = speech._
    if draft.margins:
        told = _("Kept. /silver-margin answers with it in this server from now on.")
    else:
        told = _("Kept. /flows counts it in this server until the publisher has reported the day itself.")
    return told + "\n-# " + _("To undo it later: /data status.")


def undone_words(gone: Entry, speech: Speech) -> str:
    _ = speech._
    return "\n".join(
        (
            _("Undone: {entry}").format(entry=entry_words(gone, speech)),
            "-# " + _("Answers about earlier instants still know it, as they did then."),
        )
    )


def entry_words(entry: Entry, speech: Speech) -> str:
    """What was entered, how much of it, from where, when and by whom."""
    _ = speech._
    if entry.kind is Kind.MARGINS:
        parts = [_("margin changes: {n}").format(n=entry.size)]
    else:
        parts = [_("days of ETF flows: {n}").format(n=entry.size)]
    if entry.origin:
        parts.append(quoted(entry.origin, 60))
    parts.append(f"<t:{int(entry.added_at.timestamp())}:f>")
    if entry.added_by is not None:
        parts.append(f"<@{entry.added_by}>")
    return " · ".join(parts)
