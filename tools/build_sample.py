"""Make ``storage/sample`` from a folder of full CSV files.

    python tools/build_sample.py DATA_DIR

The output depends on the input alone: the same files give the same bytes.
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

SAMPLE = Path(__file__).resolve().parent.parent / "storage" / "sample"
NEWLINE = b"\n"
SINCE = "2024-01-01"
NEW_YORK = ZoneInfo("America/New_York")

Row = dict[str, str]


def every(_: Row) -> bool:
    return True


def since_2024(row: Row) -> bool:
    return row["date"] >= SINCE


def closes_at_16_or_17_new_york(row: Row) -> bool:
    opened = datetime.fromisoformat(row["open_time"])
    return opened.astimezone(NEW_YORK).hour in {15, 16}


FILES: tuple[tuple[str, str, Callable[[Row], bool]], ...] = (
    ("btc_usdt_perp_30m.csv", "btc_30m.csv.gz", every),
    ("btc_usdt_spot_1h.csv", "btc_1h.csv.gz", closes_at_16_or_17_new_york),
    ("btc_usd_1d.csv", "btc_1d.csv.gz", since_2024),
    *((f"{code}_front_1d.csv", f"{code}_1d.csv.gz", since_2024) for code in ("si", "gc", "cl", "es", "nq")),
    ("dxy_1d.csv", "dxy_1d.csv.gz", since_2024),
    ("btc_spot_etf_flows.csv", "btc_flows.csv.gz", every),
    ("eth_spot_etf_flows.csv", "eth_flows.csv.gz", every),
    ("cme_margins.csv", "margins.csv.gz", every),
    *(
        (f"fred_{series}.csv", f"{series}.csv.gz", every)
        for series in ("dfedtaru", "dfedtarl", "t10yie", "cpiaucsl")
    ),
)


def chosen(rows: Iterable[Row], header: list[str], keep: Callable[[Row], bool]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row for row in rows if keep(row))
    return text.getvalue().encode()


def main(data: Path) -> None:
    total = 0
    for source, target, keep in FILES:
        with (data / source).open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            body = chosen(reader, list(reader.fieldnames or ()), keep)
        packed = gzip.compress(body, compresslevel=9, mtime=0)
        (SAMPLE / target).write_bytes(packed)
        total += len(packed)
        print(f"{target:20} {body.count(NEWLINE) - 1:6} rows {len(packed):8} bytes")
    print(f"{total} bytes in all")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python tools/build_sample.py DATA_DIR")
    main(Path(sys.argv[1]))
