"""What a moderator has been shown and not yet confirmed: in memory only, for a quarter of an hour."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.errors import AlreadyDone, UserError
from storage import entered_flows, entries, handled, margins
from storage.entered_flows import EnteredFlow
from storage.entries import Entry, Kind
from storage.margins import Announced
from storage.store import Store

KEPT: Final = timedelta(minutes=15)
MOST: Final = 100
"""Drafts at a time, of all servers; the oldest goes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Checked rows of one kind for one server. ``origin``: the link, words or file they come from."""

    server_id: int
    made_at: datetime
    margins: tuple[Announced, ...] = ()
    flows: tuple[EnteredFlow, ...] = ()
    origin: str | None = None

    @property
    def kind(self) -> Kind:
        return Kind.MARGINS if self.margins else Kind.FLOWS

    @property
    def size(self) -> int:
        return len(self.margins) or len(self.flows)


class Drafts:
    """By a token nobody can guess, which stands in the buttons' custom_id.

    ``reading`` is held while a file is read: one at a time, because each may take much memory.
    """

    def __init__(self) -> None:
        self.reading = asyncio.Semaphore(1)
        self._kept: OrderedDict[str, Draft] = OrderedDict()

    def put(self, draft: Draft) -> str:
        token = secrets.token_urlsafe(12)
        self._kept[token] = draft
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return token

    def take(self, token: str, server_id: int, now: datetime) -> Draft:
        """The draft, once. Raises UserError where it is gone or another server's."""
        draft = self._kept.get(token)
        if draft is None or draft.server_id != server_id or now - draft.made_at > KEPT:
            raise UserError(
                "This preview is gone: it was answered already, is older than {minutes} minutes, or Leadline was "
                "restarted. Nothing was changed by this press: enter it again if it is still needed.",
                minutes=int(KEPT.total_seconds() // 60),
            )
        return self._kept.pop(token)


async def keep(
    store: Store,
    drafts: Drafts,
    token: str,
    *,
    server_id: int,
    user_id: int,
    interaction_id: int,
    now: datetime,
) -> tuple[int, Draft]:
    """Make a draft an entry of its server; returns the entry's id.

    Raises AlreadyDone for an interaction that came before, UserError where the draft is gone
    or the server has too many entries.
    """
    async with store.write() as db:
        if not await handled.first_time(db, interaction_id, now=now):
            raise AlreadyDone("This has been done already.")
        if len(await entries.standing(db, server_id)) >= entries.MOST:
            raise UserError(
                "This server has {most} entries already. Undo one that is no longer needed first.",
                most=entries.MOST,
            )
        draft = drafts.take(token, server_id, now)
        entry_id = await entries.begin(
            db,
            server_id,
            draft.kind,
            size=draft.size,
            origin=draft.origin,
            added_by=user_id,
            now=now,
        )
        if draft.margins:
            await margins.enter(db, entry_id, draft.margins)
        else:
            await entered_flows.keep(db, entry_id, draft.flows)
    return entry_id, draft


async def undo(
    store: Store, entry_id: int, *, server_id: int, user_id: int, interaction_id: int, now: datetime
) -> Entry:
    """Withdraw an entry of the server. Raises AlreadyDone or UserError where there is nothing to undo."""
    async with store.write() as db:
        if not await handled.first_time(db, interaction_id, now=now):
            raise AlreadyDone("This has been done already.")
        gone = await entries.withdraw(db, server_id, entry_id, withdrawn_by=user_id, now=now)
        if gone is None:
            raise UserError("There is nothing to undo: it was undone already, or is not this server's.")
    return gone
