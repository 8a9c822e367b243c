"""Many rows at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, insert

from storage.store import Db


async def insert_rows(db: Db, table: Table, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert tuples in the order of ``columns``; in the table's own order they need no rearranging.

    The statement is compiled once and the tuples go to the driver as they are: building
    SQLAlchemy's parameters for each row costs five times as much as the insertion.
    """
    if not rows:
        return
    compiled = insert(table).compile(dialect=db.dialect, column_keys=list(columns))
    if compiled.positiontup is None:
        await db.execute(insert(table), [dict(zip(columns, row, strict=True)) for row in rows])
        return
    order = [columns.index(name) for name in compiled.positiontup]
    if order != list(range(len(columns))):
        rows = [tuple(row[place] for place in order) for row in rows]
    await db.exec_driver_sql(str(compiled), list(rows), table=table)
