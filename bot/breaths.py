"""Discord's messages are read in breaths, so that a burst of them does not hold up what else there is to do."""

from __future__ import annotations

import asyncio
from typing import Final

import discord
from aiohttp import WSMessage, WSMsgType
from discord.gateway import DiscordClientWebSocketResponse

BREATH: Final = 0.005
"""Seconds of reading from Discord after which everything else has its turn."""


def take() -> None:
    """Let every connection to Discord be read so from now on."""
    # discord.py lets nobody choose the class; this is the name under which it looks for it.
    vars(discord.http)[DiscordClientWebSocketResponse.__name__] = InBreaths


class InBreaths(DiscordClientWebSocketResponse):
    """discord.py reads on without a pause while anything has arrived: of a burst, everything before the loop turns.

    A goodbye that is read a turn late meets a socket that is gone, which has a code of its own: discord.py
    would take it for a lost connection and come back. So its code is kept, and pauses are few.
    """

    _began: float | None = None
    _goodbye: int | None = None

    @property
    def close_code(self) -> int | None:
        return self._goodbye or super().close_code

    async def receive(self, timeout: float | None = None) -> WSMessage:  # noqa: ASYNC109 -- aiohttp's signature
        loop = asyncio.get_running_loop()
        if self._began is None:
            self._began = loop.time()
            loop.call_soon(self._turned)
        elif loop.time() - self._began > BREATH:
            await asyncio.sleep(0)
        message = await super().receive(timeout)
        if message.type is WSMsgType.CLOSE:
            self._goodbye = message.data
        return message

    def _turned(self) -> None:
        self._began = None
