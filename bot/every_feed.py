"""Every feed there is: which source answers for which instrument, asset and series, and how far back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import SecretStr

from analysis.errors import UserError
from analysis.levels import Interval
from bot.feeds import BarFeed, Feed, FlowFeed, MacroFeed, TierFeed, TierSource
from providers import (
    binance,
    binance_perps,
    bitstamp,
    bybit,
    coinbase,
    farside,
    fred,
    fredgraph,
    kraken,
    okx,
    sosovalue,
    yahoo,
)
from providers.shapes import (
    BarSource,
    FlowDays,
    FlowQuery,
    MacroQuery,
    Observations,
    Request,
    TierQuery,
)

YEAR, LONG = 365, 1_200
"""Days back that a first start goes where the source reaches so far: half hours, in which touches of levels are
counted, and what the long measures of stress are made of (``bot/reports/stress_read.py``). Kraken
gives the last 720 bars of anything, Yahoo sixty days of anything shorter than an hour."""
M30, H1, D1 = Interval.M30, Interval.H1, Interval.D1


def every_feed(
    *, fred_key: SecretStr | None = None, sosovalue_key: SecretStr | None = None
) -> tuple[Feed, ...]:
    """All of them, those of a host in the order in which a first start fetches them."""
    return (
        *_spot("kraken", kraken, ("XBTUSD", "ETHUSD"), {M30: 15, D1: 720, H1: 30}),
        *_spot("coinbase", coinbase, ("BTC-USD", "ETH-USD"), {M30: YEAR, H1: LONG, D1: LONG}),
        *_spot("bitstamp", bitstamp, ("btcusd", "ethusd"), {M30: YEAR, H1: LONG, D1: LONG}),
        # Its days stay out: those of bitcoin in a file to import belong to another publisher.
        *_spot("binance", binance, ("BTCUSDT", "ETHUSDT"), {M30: YEAR, H1: LONG}, quote="USDT"),
        *_futures(),
        *_perpetuals(),
        *(
            FlowFeed(key="sosovalue", source=SoSoValue(sosovalue_key), asset=asset)
            for asset in ("BTC", "ETH")
        ),
        *(FlowFeed(key="farside", source=farside, asset=asset) for asset in ("BTC", "ETH")),
        *(
            MacroFeed(key="fred", source=fredgraph if fred_key is None else Fred(fred_key), series=series)
            for series in fred.BOUNDS
        ),
        *_tiers("bybit", bybit),
        *_tiers("okx", okx),
    )


@dataclass(frozen=True, slots=True)
class SoSoValue:
    """The source with its key, if there is one."""

    key: SecretStr | None

    @property
    def NAME(self) -> str:  # noqa: N802 -- as the modules have it
        return sosovalue.NAME

    def request(self, query: FlowQuery) -> Request:
        return sosovalue.request(query, self.key)

    def parse(self, body: bytes, query: FlowQuery, now: datetime) -> FlowDays:
        return sosovalue.parse(body, query, now)


@dataclass(frozen=True, slots=True)
class Fred:
    """The API with its key; without one ``fredgraph`` stands here."""

    key: SecretStr

    @property
    def NAME(self) -> str:  # noqa: N802
        return fred.NAME

    def request(self, query: MacroQuery) -> Request:
        return fred.request(query, self.key)

    def parse(self, body: bytes, query: MacroQuery, now: datetime) -> Observations:
        return fred.parse(body, query, now)


def _futures() -> Iterator[BarFeed]:
    """Futures of the front month and the dollar index, under the names of their exchanges."""
    venues = {"SI": "COMEX", "GC": "COMEX", "CL": "NYMEX", "ES": "CME", "NQ": "CME", "DXY": "ICE"}
    for interval, days in ((D1, LONG), (M30, 59)):
        for code, venue in venues.items():
            asked = "DX-Y.NYB" if code == "DXY" else f"{code}=F"
            yield BarFeed(
                key="yahoo",
                source=yahoo,
                code=code,
                venue=venue,
                symbol=code,
                asked=asked,
                interval=interval,
                depth=timedelta(days=days),
                published_by=f"{yahoo.NAME} {asked}",
                rests=True,
            )


def _spot(
    key: str,
    source: BarSource,
    spelled: tuple[str, str],
    days: Mapping[Interval, int],
    *,
    quote: str = "/USD",
) -> Iterator[BarFeed]:
    """Bitcoin and ether at one venue, with how many days back a first start goes."""
    for interval, depth in days.items():
        for code, asked in zip(("BTC", "ETH"), spelled, strict=True):
            yield BarFeed(
                key=key,
                source=source,
                code=code,
                venue=source.NAME,
                symbol=f"{code}{quote}",
                asked=asked,
                interval=interval,
                depth=timedelta(days=depth),
                published_by=f"{source.NAME} {code}{quote}",
            )


def _tiers(key: str, source: TierSource) -> Iterator[TierFeed]:
    for code in ("BTC", "ETH"):
        for inverse in (False, True):
            yield TierFeed(key=key, source=source, query=TierQuery(code=code, inverse=inverse))


def _perpetuals() -> Iterator[BarFeed]:
    """What stands in while the futures' own source is silent: never called by the futures' name alone."""
    pairs = {"SI": "XAGUSDT", "GC": "XAUUSDT", "CL": "CLUSDT", "SPY": "SPYUSDT", "QQQ": "QQQUSDT"}
    for code, symbol in pairs.items():
        yield BarFeed(
            key="perpetual",
            source=binance_perps,
            code=code,
            venue=binance_perps.NAME,
            symbol=symbol,
            asked=symbol,
            interval=M30,
            depth=timedelta(days=60),
            published_by=f"{binance_perps.NAME} {symbol} perpetual",
        )


def named(words: Sequence[str], feeds: Sequence[Feed]) -> list[Feed]:
    """The feeds that ``words`` name: by whole names or parts of them (``kraken``, ``BTC:30m``).

    All of them without words. Raises UserError for a word that names none.
    """
    if not words:
        return list(feeds)
    found: dict[str, Feed] = {}
    for word in words:
        parts = set(word.casefold().split(":"))
        ours = [feed for feed in feeds if parts <= set(feed.name.casefold().split(":"))]
        if not ours:
            raise UserError(
                "There is no series “{name}”. There are: {known}.",
                name=word[:40],
                known=tuple(feed.name for feed in feeds),
            )
        found |= {feed.name: feed for feed in ours}
    return list(found.values())
