"""A CSV file a moderator attached: looked at from outside, read by a child, made a draft."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from bot import data_parsing
from bot.data_drafts import Draft
from bot.data_entries import LEADERS, not_traded, possible
from bot.errors import UserError
from bot.plain_text import cleaned
from storage.entered_flows import EnteredFlow
from storage.entries import Kind
from storage.margins import Announced

if TYPE_CHECKING:
    import discord

MOST_BYTES: Final = data_parsing.LIMITS.bytes
HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
"""Where Discord keeps attachments; nothing is fetched from anywhere else."""
MOST_CHANGES: Final = 1_000
"""Changes in a file; CME made seven of silver in its wildest winter."""
_DATES: Final = ("effective_date", "notice_date")


def acceptable(file: discord.Attachment) -> str:
    """The file's name as it may be shown. Raises UserError for a file that is not even fetched."""
    name = cleaned(file.filename, 60)
    if not name.lower().endswith(".csv"):
        raise UserError(
            "{file} is not a CSV file: its name has to end in .csv. Packed files are not read.", file=name
        )
    if file.size > MOST_BYTES:
        raise UserError("{file} is too large: at most {limit} MiB.", file=name, limit=MOST_BYTES // 2**20)
    address = urlsplit(file.url)
    if address.scheme != "https" or address.hostname not in HOSTS or address.port not in {None, 443}:
        raise UserError("{file} does not lie with Discord.", file=name)
    return name


async def draft(
    file: discord.Attachment, name: str, kind: Kind, asset: str, *, server_id: int, now: datetime
) -> Draft:
    """The rows of an acceptable file. Raises UserError with one sentence for a bad one."""
    body = await file.read()
    if len(body) > MOST_BYTES:
        raise UserError("{file} is too large: at most {limit} MiB.", file=name, limit=MOST_BYTES // 2**20)
    rows = await asyncio.to_thread(data_parsing.parse, kind, body, name=name, today=now.date())
    if kind is Kind.MARGINS:
        return Draft(server_id=server_id, made_at=now, origin=name, margins=_margins(rows, name, now))
    days = [date.fromisoformat(row["trade_date"]) for row in rows]
    wrong = await not_traded(days, now)
    if wrong is not None:
        raise UserError(
            "{file}, row {row}: {value} is no US trading day that is over.",
            file=name,
            row=rows[days.index(wrong)]["row"],
            value=wrong.isoformat(),
        )
    flows = tuple(
        EnteredFlow(asset=asset, trade_date=day, total_musd=float(row["total_musd"]))
        for day, row in zip(days, rows, strict=True)
    )
    return Draft(server_id=server_id, made_at=now, origin=name, flows=flows)


def _margins(rows: list[dict[str, Any]], name: str, now: datetime) -> tuple[Announced, ...]:
    """The same bounds as in the form hold for every row."""
    if len(rows) > MOST_CHANGES:
        raise UserError("{file}: more than {limit} rows.", file=name, limit=MOST_CHANGES)
    names = {field.name for field in fields(Announced)}
    changes = []
    for row in rows:
        if row["product"] not in LEADERS:
            raise UserError(
                "{file}, row {row}: margins of {product} are not used; known are {known}.",
                file=name,
                row=row["row"],
                product=row["product"],
                known=tuple(LEADERS),
            )
        dates = {key: date.fromisoformat(row[key]) if row[key] else None for key in _DATES}
        change = Announced(**{key: value for key, value in row.items() if key in names} | dates)
        if not possible(change, now):
            raise UserError("{file}, row {row}: such a margin or date cannot be.", file=name, row=row["row"])
        changes.append(change)
    return tuple(changes)
