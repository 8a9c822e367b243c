"""Which commands Discord has been told about: told when they change, remembered with their numbers.

What Discord was told last is a mark in the store, one for all servers and one for each server
told by itself, so that a start says nothing new when nothing is. ``bot/client.py`` keeps it so
at every start, ``leadline sync`` does it at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import discord
import structlog
from discord import app_commands

from storage import marks
from storage.store import Store

log = structlog.get_logger(__name__)

Commands = app_commands.CommandTree[Any]

START_SECONDS: Final = 5.0
"""How long a start waits for Discord to take the commands; discord.py would repeat for half a minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A hash of all Discord was told, and the number it gave each command, by name."""

    payload: str
    ids: Mapping[str, int] = field(default_factory=dict)


async def keep_told(
    tree: Commands, translator: app_commands.Translator, store: Store, guild: discord.abc.Snowflake | None
) -> Mapping[str, int]:
    """Tells Discord about the commands if they changed since it took them last; returns their numbers.

    Never fails: whatever goes wrong, the old commands still work and the next start tries again.
    """
    before = await _last_told(tree, store, guild)
    payload = await _payload(tree, translator, guild)
    if before.payload == payload:
        log.info("commands unchanged")
        return before.ids
    try:
        async with asyncio.timeout(START_SECONDS):
            told = await _tell(tree, store, guild, payload)
    except Exception as error:
        # Refused, limited, late, cut off.
        log.warning("commands not synced", reason=str(error) or type(error).__name__)
        return before.ids
    log.info("commands synced", count=len(told.ids))
    return told.ids


async def tell(
    tree: Commands, translator: app_commands.Translator, store: Store, guild: discord.abc.Snowflake | None
) -> Told:
    """Tells Discord about the commands of the tree, whatever it knew; raises what discord.py raises."""
    return await _tell(tree, store, guild, await _payload(tree, translator, guild))


async def _tell(tree: Commands, store: Store, guild: discord.abc.Snowflake | None, payload: str) -> Told:
    synced = await tree.sync(guild=guild)
    told = Told(payload=payload, ids={command.name: command.id for command in synced})
    async with store.write() as db:
        await marks.write(db, _mark(tree, guild), json.dumps({"payload": payload, "ids": told.ids}))
    return told


async def _last_told(tree: Commands, store: Store, guild: discord.abc.Snowflake | None) -> Told:
    async with store.read() as db:
        text = await marks.read(db, _mark(tree, guild))
    # Before commands had their numbers kept, the mark was the hash alone.
    if text is None or not text.startswith("{"):
        return Told(payload="")
    return Told(**json.loads(text))


def _mark(tree: Commands, guild: discord.abc.Snowflake | None) -> str:
    return f"commands:{tree.client.application_id}:{guild.id if guild else 'global'}"


async def _payload(
    tree: Commands, translator: app_commands.Translator, guild: discord.abc.Snowflake | None
) -> str:
    """A hash of all that Discord would be told."""
    known = tree.get_commands(guild=guild)
    payload = [await command.get_translated_payload(tree, translator) for command in known]
    return hashlib.sha256(json.dumps(payload, sort_keys=True, default=str).encode()).hexdigest()
