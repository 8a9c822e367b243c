"""The shipped sample: real figures up to 6 February 2026. Made by ``tools/build_sample.py``."""

from __future__ import annotations

import gzip
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Final

from analysis.levels import Interval
from storage import migrate
from storage.importers import Imported, bars, flows, macro, margins
from storage.store import Store

ENDS: Final = date(2026, 2, 6)

_FOLDER = Path(__file__).parent
# All of it was known by then; the dollar index and the futures close last, at 22:00 UTC of the 6th.
_NOW = datetime(2026, 2, 10, tzinfo=UTC)

_BARS: Final = (
    ("btc_30m", "BTC", Interval.M30, "Binance USD-M, BTCUSDT perpetual"),
    ("btc_1h", "BTC", Interval.H1, "Binance spot, BTCUSDT"),
    ("btc_1d", "BTC", Interval.D1, "Yahoo Finance BTC-USD"),
    ("si_1d", "SI", Interval.D1, "Yahoo Finance SI=F"),
    ("gc_1d", "GC", Interval.D1, "Yahoo Finance GC=F"),
    ("cl_1d", "CL", Interval.D1, "Yahoo Finance CL=F"),
    ("es_1d", "ES", Interval.D1, "Yahoo Finance ES=F"),
    ("nq_1d", "NQ", Interval.D1, "Yahoo Finance NQ=F"),
    ("dxy_1d", "DXY", Interval.D1, "Yahoo Finance DX-Y.NYB"),
)


_FLOWS: Final = (("btc_flows", "BTC"), ("eth_flows", "ETH"))
_MACRO: Final = ("dfedtaru", "dfedtarl", "t10yie", "cpiaucsl")


async def load(store: Store) -> Imported:
    """Import the sample; where it is loaded already nothing changes.

    Live rows stand: of a bar, a day of flows, a margin step or a macro value that is
    stored already, the sample changes nothing.
    """
    done: list[Imported] = []
    for name, instrument, interval, source in _BARS:
        done.append(
            await bars.read(
                store,
                f"{name}.csv",
                _open(name),
                instrument=instrument,
                interval=interval,
                source=source,
                now=_NOW,
                is_sample=True,
            )
        )
    for name, asset in _FLOWS:
        done.append(
            await flows.read(
                store,
                f"{name}.csv",
                _open(name),
                asset=asset,
                source="Farside Investors",
                now=_NOW,
                is_sample=True,
            )
        )
    done.append(
        await margins.read(
            store,
            "margins.csv",
            _open("margins"),
            source="CME notices, from the press",
            now=_NOW,
            is_sample=True,
        )
    )
    done += [
        await macro.read(
            store, f"{name}.csv", _open(name), series=name, source="FRED", now=_NOW, is_sample=True
        )
        for name in _MACRO
    ]
    return Imported(
        added=sum(part.added for part in done),
        unchanged=sum(part.unchanged for part in done),
        revised=sum(part.revised for part in done),
        skipped=sum(part.skipped for part in done),
    )


async def open_in_memory() -> Store:
    """A store of its own in memory, migrated and with the sample in it; gone when closed."""
    store = await Store.open("sqlite+aiosqlite://")
    try:
        await migrate.prepare(store)
        await load(store)
    except BaseException:
        await store.close()
        raise
    return store


def _open(name: str) -> BytesIO:
    return BytesIO(gzip.decompress((_FOLDER / f"{name}.csv.gz").read_bytes()))
