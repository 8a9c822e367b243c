"""Venues that trade: a price for every half hour, and the bodies in which each venue tells of it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

HALF_HOUR = 1_800


def price(opened_at: int, scale: float = 1.0) -> float:
    """What bitcoin cost at an instant, for everybody: slow waves, never 20 % in half an hour.

    Anything else costs ``scale`` of that.
    """
    waves = 70_000 + 4_000 * math.sin(opened_at / 90_000) + 300 * math.sin(opened_at / 7_000)
    return round(scale * waves, 1 if scale >= 0.05 else 3)


def row(opened_at: int, step: int, scale: float = 1.0) -> tuple[float, float, float, float]:
    """Open, high, low and close of a bar that begins then."""
    open_, close = price(opened_at, scale), price(opened_at + step, scale)
    return open_, max(open_, close) + 20 * scale, min(open_, close) - 20 * scale, close


def openings(since: int, now: datetime, step: int, *, most: int) -> Iterator[int]:
    """Of the bars that have begun by ``now`` the newest ``most`` that opened at ``since`` or later."""
    running = int(now.timestamp()) // step * step
    first = max(-(-since // step) * step, running - (most - 1) * step)
    yield from range(first, running + step, step)


Told = Callable[[int], bool]


def kraken(
    params: dict[str, str], now: datetime, *, told: Told = lambda _: True, scale: float = 1.0
) -> bytes:
    """As Kraken answers: the newest 720 after ``since``, the last of them still running."""
    step = int(params["interval"]) * 60
    rows = [
        [
            at,
            *(f"{value:.1f}" for value in row(at, step, scale)),
            f"{price(at, scale):.1f}",
            "12.50000000",
            240,
        ]
        for at in openings(int(params["since"]) + 1, now, step, most=720)
        if told(at)
    ]
    last = rows[-2][0] if len(rows) > 1 else 0
    return json.dumps({"error": [], "result": {"XXBTZUSD": rows, "last": last}}).encode()


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


def coinbase(
    params: dict[str, str], now: datetime, *, told: Told = lambda _: True, scale: float = 1.0
) -> bytes:
    """As Coinbase answers: newest first, low before high before open; the running one among them."""
    step = int(params["granularity"])
    since, until = (int(datetime.fromisoformat(params[name]).timestamp()) for name in ("start", "end"))
    rows = []
    for at in openings(since, now, step, most=10_000):
        if at <= until and told(at):
            open_, high, low, close = row(at, step, scale)
            rows.append([at, low, high, open_, close, 12.5])
    return json.dumps(rows[:300][::-1]).encode()


def bitstamp(
    params: dict[str, str],
    now: datetime,
    *,
    told: Told = lambda _: True,
    scale: float = 1.0,
    pair: str = "BTC/USD",
) -> bytes:
    """As Bitstamp answers: everything a string, oldest first."""
    step = int(params["step"])
    rows = []
    for at in openings(int(params["start"]), now, step, most=20_000):
        if at <= int(params["end"]) and told(at):
            prices = zip(("open", "high", "low", "close"), row(at, step, scale), strict=True)
            rows.append(
                {"timestamp": str(at), "volume": "41.22"} | {name: f"{value:.1f}" for name, value in prices}
            )
    return json.dumps({"data": {"pair": pair, "ohlc": rows[:1000]}}).encode()
