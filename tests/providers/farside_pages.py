"""Farside's pages as they are served: the true rows of 16 January to 5 February 2026, in their form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

BTC = ("IBIT", "FBTC", "BITB", "ARKB", "BTCO", "EZBC", "BRRR", "HODL", "BTCW", "GBTC", "BTC")
ETH = ("ETHA", "FETH", "ETHW", "TETH", "ETHV", "QETH", "EZET", "ETHE", "ETH")

BTC_ROWS = """\
16 Jan 2026|15.1|(205.2)|(90.4)|(69.4)|0.0|0.0|0.0|0.0|0.0|(44.8)|0.0|(394.7)
20 Jan 2026|(56.9)|(152.1)|(40.4)|(46.4)|0.0|(10.4)|0.0|(12.7)|0.0|(160.8)|0.0|(479.7)
21 Jan 2026|(356.6)|(287.7)|(25.9)|(29.8)|0.0|0.0|(3.8)|6.4|0.0|(11.3)|0.0|(708.7)
22 Jan 2026|(22.4)|(9.8)|0.0|0.0|0.0|0.0|0.0|0.0|0.0|0.0|0.0|(32.2)
23 Jan 2026|(101.6)|(1.9)|0.0|0.0|0.0|0.0|0.0|0.0|0.0|0.0|0.0|(103.5)
26 Jan 2026|15.9|(5.7)|(11.0)|(2.9)|0.0|0.0|0.0|0.0|2.8|0.0|7.7|6.8
27 Jan 2026|(102.8)|(44.6)|0.0|0.0|0.0|0.0|0.0|0.0|0.0|0.0|0.0|(147.4)
28 Jan 2026|(14.2)|19.5|(12.6)|(12.3)|0.0|0.0|0.0|0.0|0.0|0.0|0.0|(19.6)
29 Jan 2026|(317.8)|(168.0)|(88.9)|(71.6)|(8.4)|0.0|0.0|(6.5)|0.0|(119.4)|(37.2)|(817.8)
30 Jan 2026|(528.3)|7.3|0.0|8.3|0.0|0.0|0.0|3.0|0.0|0.0|0.0|(509.7)
02 Feb 2026|142.0|153.3|96.5|65.1|10.1|0.0|0.0|24.3|3.3|0.0|67.2|561.8
03 Feb 2026|60.0|(148.7)|(23.4)|(62.5)|0.0|(2.2)|0.0|(4.8)|0.0|(56.6)|(33.8)|(272.0)
04 Feb 2026|(373.4)|(86.4)|0.0|(31.7)|0.0|(6.4)|0.0|(5.2)|0.0|(41.8)|0.0|(544.9)
05 Feb 2026|(175.3)|(109.5)|(15.6)|(23.1)|0.0|0.0|0.0|0.0|0.0|(75.4)|(35.2)|(434.1)"""

ETH_ROWS = """\
30 Jan 2026|(157.2)|(95.7)|0.0|0.0|0.0|0.0|0.0|0.0|0.0|(252.9)
02 Feb 2026|(82.1)|66.6|5.0|0.0|7.6|0.0|0.0|0.0|0.0|(2.9)
03 Feb 2026|42.9|(54.8)|0.0|0.0|(2.5)|1.1|0.0|8.2|19.1|14.0
04 Feb 2026|(58.9)|(20.5)|0.0|0.0|0.0|0.0|0.0|0.0|0.0|(79.4)
05 Feb 2026|(8.5)|(55.8)|0.0|0.0|0.0|3.5|0.0|(27.1)|7.1|(80.8)"""

ISSUERS = ("Blackrock", "Fidelity", "Bitwise", "Ark", "Invesco", "Franklin", "Valkyrie", "VanEck", "WTree")
FOOTERS = """\
Total|62,248.0|11,500.0|2,100.2|1,900.1|200.0|300.0|310.0|1,100.0|60.0|(25,177.0)|1,800.0|56,341.3
Average|120.1|22.2|4.1|3.7|0.4|0.6|0.6|2.1|0.1|(48.6)|3.5|108.7
Maximum|1,119.9|473.4|237.9|203.1|96.0|60.9|43.4|118.8|118.5|63.0|191.1|1,373.8
Minimum|(528.3)|(356.6)|(280.7)|(290.4)|(33.2)|(50.0)|(20.2)|(38.4)|(29.0)|(642.5)|(75.2)|(1,113.7)"""


def rows(text: str) -> list[list[str]]:
    return [line.split("|") for line in text.splitlines()]


def _cell(text: str) -> str:
    return f'<td><span class="redFont">{text}</span></td>' if text.startswith("(") else f"<td>{text}</td>"


def _row(cells: Iterable[str], tag: str = "td") -> str:
    made = (_cell(text) if tag == "td" else f"<th>{text}</th>" for text in cells)
    return f"<tr>{''.join(made)}</tr>"


def page(heads: Sequence[Sequence[str]], *bodies: Sequence[Sequence[str]]) -> bytes:
    """A page with one table of flows: rows of the head, then several ``tbody``."""
    head = "".join(_row(cells, "th") for cells in heads)
    tables = "".join(f"<tbody>{''.join(map(_row, body))}</tbody>" for body in bodies)
    return (
        "<!DOCTYPE html><html><head><title>Bitcoin ETF Flow &#8211; Farside Investors</title></head><body>"
        '<nav><table class="menu"><tr><td>Home</td></tr></table></nav>'
        f'<table class="etf"><thead>{head}</thead>{tables}</table>'
        "<p>Source: Farside Investors</p></body></html>"
    ).encode()


def btc(days: Sequence[Sequence[str]] | None = None, *, funds: Sequence[str] = BTC) -> bytes:
    """The page of all days: one row of tickers, footers in a ``tbody`` of their own."""
    return page(
        [["Date", *funds, "Total"]], rows(BTC_ROWS) if days is None else days, [["", ""], *rows(FOOTERS)]
    )


def eth(days: Sequence[Sequence[str]] | None = None) -> bytes:
    """Two rows of head and a row of fees; the total has no name."""
    return page(
        [["", *ISSUERS, ""], ["", *ETH, ""]],
        [["Fee", *["0.25%"] * len(ETH), ""], ["Seed", *["9,199*"] * len(ETH), ""]],
        rows(ETH_ROWS) if days is None else days,
    )
