"""What is kept about a person: found, handed over, and forgotten to the last byte of the file.

Every column that holds a user's id is declared in ``USER_COLUMNS``, and nowhere else; a test
walks the schema and fails for one that is not. A level or a setting is the server's, so what is
forgotten is who it was; an alert by direct message is the person's alone, and goes whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Column, Table, select, update

from analysis.errors import AlreadyDone
from storage import alerts, handled, schema
from storage.store import Db, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class UserColumn:
    """A column that holds user ids; ``kind`` names what its rows are, in exports and to readers."""

    kind: str
    table: Table
    column: str

    @property
    def of_table(self) -> Column[int | None]:
        return self.table.c[self.column]


USER_COLUMNS: Final = (
    UserColumn(kind="levels_added", table=schema.levels, column="added_by"),
    UserColumn(kind="data_entered", table=schema.entries, column="added_by"),
    UserColumn(kind="data_undone", table=schema.entries, column="withdrawn_by"),
    UserColumn(kind="settings_changed", table=schema.server_settings, column="changed_by"),
    UserColumn(kind="digests_added", table=schema.digest_schedules, column="created_by"),
    UserColumn(kind="digests_changed", table=schema.digest_schedules, column="changed_by"),
    UserColumn(kind="alerts_owned", table=schema.alerts, column="owner_id"),
    UserColumn(kind="alerts_added", table=schema.alerts, column="added_by"),
    UserColumn(kind="alerts_changed", table=schema.alerts, column="changed_by"),
)

Held = Mapping[str, Sequence[Mapping[str, object]]]
"""Rows by kind; a kind without rows is there too."""


async def held(db: Db, user_id: int) -> Held:
    """All rows that name the user, whole."""
    found: dict[str, list[Mapping[str, object]]] = {}
    for place in USER_COLUMNS:
        rows = (await db.execute(select(place.table).where(place.of_table == user_id))).mappings()
        found.setdefault(place.kind, []).extend(dict(row) for row in rows)
    return found


async def forget(store: Store, user_id: int, *, interaction_id: int, now: datetime) -> None:
    """Takes the user's id out of every row and out of the file. Raises AlreadyDone if this was done before.

    One transaction; then the journal is emptied, because a page as it was before may still
    stand in it. What SQLite frees it overwrites (``secure_delete``).
    """
    async with store.write() as db:
        if not await handled.first_time(db, interaction_id, now=now):
            raise AlreadyDone("This has been done already.")
        await alerts.forget_owner(db, user_id)
        for place in USER_COLUMNS:
            anonymous = update(place.table).where(place.of_table == user_id).values({place.column: None})
            await db.execute(anonymous)
    await store.empty_journal()
