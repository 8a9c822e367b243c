"""Changes of alerts: each once for an interaction, by whoever they belong to, checked again where it is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from bot.alert_draft import refuse
from bot.errors import AlreadyDone, NotAllowed, UserError
from storage import alerts, handled
from storage.alerts import Acting, Alert, Crossing
from storage.store import Db, Store


async def visible(store: Store, acting: Acting) -> list[Alert]:
    async with store.read() as db:
        return await alerts.visible(db, acting)


async def one_of(store: Store, alert_id: int, acting: Acting) -> tuple[Alert, list[Crossing]]:
    """An alert of theirs with the last things that happened; anybody else's does not exist here."""
    async with store.read() as db:
        found = await alerts.find(db, alert_id, acting=acting)
        if found is None:
            raise no_such()
        return found, await alerts.crossings(db, alert_id, acting=acting)


def no_such() -> UserError:
    return UserError("There is no such alert here: see /alerts list.")


def in_place_of(known: Sequence[Alert], owner_id: int | None) -> list[Alert]:
    """Those of one person, or of the server's channels."""
    return [each for each in known if each.owner_id == owner_id]


@asynccontextmanager
async def _changing(store: Store, interaction_id: int, now: datetime) -> AsyncIterator[Db]:
    """One transaction that notes the interaction."""
    async with store.write() as db:
        if not await handled.first_time(db, interaction_id, now=now):
            raise AlreadyDone("This has been done already.")
        yield db


async def save(store: Store, draft: Alert, *, acting: Acting, interaction_id: int, now: datetime) -> Alert:
    """Keeps a draft: a new alert, or what was chosen for one there is. Returns it as it is kept."""
    if draft.server_id != acting.server_id or draft.owner_id not in {None, acting.user_id}:
        raise no_such()
    if draft.owner_id is None and not acting.moderates:
        raise NotAllowed("Only moderators change the alerts of channels.")
    async with _changing(store, interaction_id, now) as db:
        before = await alerts.find(db, draft.id, acting=acting) if draft.id else None
        # Nobody's direct message becomes a channel's, nor the other way round.
        if draft.id and (before is None or before.owner_id != draft.owner_id):
            raise no_such()
        refuse(draft, await alerts.visible(db, acting))
        if before is None:
            number = await alerts.add(db, replace(draft, since=now, added_at=now))
            return replace(draft, id=number, since=now, added_at=now)
        await alerts.edit(db, draft, acting=acting, now=now)
        return await alerts.find(db, draft.id, acting=acting) or draft


async def mute(
    store: Store, alert_id: int, until: datetime | None, *, acting: Acting, interaction_id: int, now: datetime
) -> None:
    """Tells nothing until then; None ends it."""
    async with _changing(store, interaction_id, now) as db:
        if not await alerts.mute(db, alert_id, until, acting=acting, now=now):
            raise no_such()


async def remove(store: Store, alert_id: int, *, acting: Acting, interaction_id: int, now: datetime) -> None:
    async with _changing(store, interaction_id, now) as db:
        if not await alerts.remove(db, alert_id, acting=acting):
            raise no_such()
