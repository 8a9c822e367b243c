"""Time that runs as fast as the work in it allows, and a world of sources that break at random."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from random import Random

import httpx

from tests.feeds import sources


class Time:
    """A clock that goes on to the next instant somebody waits for once all ``parties`` wait."""

    def __init__(self, start: datetime, end: datetime, *, parties: int) -> None:
        self._now = start
        self._end = end
        self._parties = parties
        self._waiting: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self.over = asyncio.Event()

    def now(self) -> datetime:
        return self._now

    def tick(self) -> float:
        return self._now.timestamp()

    async def until(self, instant: datetime) -> None:
        waiter = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (max(instant, self._now), next(self._order), waiter))
        if len(self._waiting) == self._parties:
            self._go_on()
        await waiter

    def _go_on(self) -> None:
        instant, _, waiter = heapq.heappop(self._waiting)
        self._now = max(self._now, instant)
        if self._now >= self._end:
            self.over.set()
        elif not waiter.cancelled():
            waiter.set_result(None)


@dataclass(frozen=True, slots=True)
class Outage:
    start: datetime
    end: datetime
    kind: str


KINDS = (
    "reset", "500", "429 seconds", "429 date", "418", "403", "challenge", "empty", "cut", "html", "holes",
)  # fmt: skip


WELL = timedelta(hours=8)
"""How long before the end the last outage is over."""


class World:
    """Every source, with outages of its own; remembers every call, and what it asked the caller to keep off.

    ``holed`` are hosts that begin by leaving out bars, so that what is fetched first has holes.
    """

    def __init__(
        self,
        time: Time,
        hosts: Iterable[str],
        *,
        start: datetime,
        days: float,
        rng: Random,
        holed: Iterable[str] = (),
    ) -> None:
        self._time = time
        self._rng = rng
        self.calls: defaultdict[str, list[datetime]] = defaultdict(list)
        self.too_soon: list[str] = []
        self._not_before: dict[str, datetime] = {}
        self.kinds: set[str] = set()
        self.outages = {host: list(self._drawn(start, days, rng)) for host in hosts}
        for host in holed:
            self.outages[host].insert(0, Outage(start, start + timedelta(minutes=55), "holes"))

    def _drawn(self, start: datetime, days: float, rng: Random) -> Iterator[Outage]:
        # The last hours are well, so that everybody can come back.
        well = start + timedelta(days=days) - WELL
        at = start + timedelta(hours=rng.uniform(1, 1 + 2 * days))
        while at < well:
            lasts = timedelta(hours=rng.choice((0.2, 1, 2, 5, 9)) * rng.uniform(0.5, 1.2))
            yield Outage(at, min(at + lasts, well), rng.choice(KINDS))
            at += lasts + timedelta(hours=rng.uniform(1, 40))

    async def answer(self, request: httpx.Request) -> httpx.Response:
        host, now = request.url.host, self._time.now()
        self.calls[host].append(now)
        if now < self._not_before.get(host, now):
            self.too_soon.append(f"{host} {now}")
        outage = next((each for each in self.outages[host] if each.start <= now < each.end), None)
        if outage is not None:
            self.kinds.add(outage.kind)
        return self._said(request, now, outage)

    def _said(self, request: httpx.Request, now: datetime, outage: Outage | None) -> httpx.Response:
        host, kind = request.url.host, "" if outage is None else outage.kind
        date = {"Date": format_datetime(now, usegmt=True)}
        wait = 0 if outage is None else self._rng.randrange(30, 7_200)
        match kind:
            case "reset":
                raise httpx.ReadError("connection reset by peer")
            case "500" | "403":
                return httpx.Response(int(kind), headers=date, stream=httpx.ByteStream(b"no"))
            case "429 seconds" | "418":
                self._not_before[host] = now + timedelta(seconds=wait)
                return httpx.Response(
                    int(kind[:3]), headers=date | {"Retry-After": str(wait)}, stream=httpx.ByteStream(b"no")
                )
            case "429 date":
                until = (now + timedelta(seconds=wait)).replace(microsecond=0)
                self._not_before[host] = until
                named = {"Retry-After": format_datetime(until, usegmt=True)}
                return httpx.Response(429, headers=date | named, stream=httpx.ByteStream(b"no"))
            case "challenge":
                page = b"<html><head><title>Just a moment...</title></head></html>"
                return httpx.Response(200, headers=date, stream=httpx.ByteStream(page))
            case "html":
                return httpx.Response(200, headers=date, stream=httpx.ByteStream(b"<html>maintenance</html>"))
        told = (lambda at: at // 1_800 % 5 != 0) if kind == "holes" else (lambda _: kind != "empty")
        body = sources.body(request, now, told)
        return httpx.Response(
            200, headers=date, stream=httpx.ByteStream(body[: len(body) // 2] if kind == "cut" else body)
        )
