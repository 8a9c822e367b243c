"""The only hosts that are ever called, and how each wants to be treated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

OURS: Final = "Leadline (self-hosted Discord bot)"
# Yahoo answers 429 to whatever does not look like a browser of today.
BROWSER: Final = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRules:
    """What a host allows: a cost of ``calls`` in any span of ``per_s`` seconds.

    ``total_s`` is the longest a call may take from its first byte to its last, further
    tries included; ``pause_s`` the wait before the second try, doubled before the third.
    """

    calls: int
    per_s: float
    user_agent: str = OURS
    total_s: float = 30.0
    pause_s: float = 0.5


# Well below what each allows: a server may have neighbours behind the same address.
HOSTS: Final[Mapping[str, HostRules]] = MappingProxyType(
    {
        "api.kraken.com": HostRules(calls=1, per_s=1.1),
        "api.exchange.coinbase.com": HostRules(calls=3, per_s=1.0),
        "www.bitstamp.net": HostRules(calls=5, per_s=1.0),
        # Weights a minute, not calls: a request of klines costs 2.
        "data-api.binance.vision": HostRules(calls=600, per_s=60.0),
        "fapi.binance.com": HostRules(calls=240, per_s=60.0),
        "query1.finance.yahoo.com": HostRules(calls=1, per_s=2.0, user_agent=BROWSER),
        "api.stlouisfed.org": HostRules(calls=1, per_s=1.0),
        "fred.stlouisfed.org": HostRules(calls=1, per_s=2.0),
        "api.sosovalue.xyz": HostRules(calls=10, per_s=60.0),
        "farside.co.uk": HostRules(calls=2, per_s=60.0),
        "api.bybit.com": HostRules(calls=2, per_s=1.0),
        "www.okx.com": HostRules(calls=2, per_s=1.0),
    }
)
