"""A question about rows that are not there: the reader learns which, and when they are asked for again."""

from __future__ import annotations

from datetime import timedelta

from people import Server, bot_of, sent
from simcord import assert_error

from bot.errors import NoData
from storage import feeds
from storage.feeds import Registered
from tests.conftest import SELL_OFF


async def test_the_next_try_is_in_the_readers_own_time(server: Server) -> None:
    store = bot_of(server).answers.store
    next_try = SELL_OFF + timedelta(minutes=4)
    async with store.write() as db:
        row = Registered(name="kraken:ETH:30m", host="kraken", source="Kraken", label="ETH 30m · Kraken")
        await feeds.register(db, [row])
        await feeds.failed(db, row.name, "no answer", now=SELL_OFF, next_try_at=next_try)
    result = await server.alice.slash(server.channel, "levels", instrument="ETH")
    assert result.ephemeral
    told = sent(result).content
    assert told.startswith("There are no candles of “ETH” here; there are of ")
    assert told.endswith(
        f"\nETH 30m · Kraken has not arrived yet; the next try is at <t:{int(next_try.timestamp())}:f>."
    )
    assert_error(server.env, NoData)
