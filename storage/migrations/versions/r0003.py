"""What is fetched by itself: more venues, bars that still run, the state of every feed, what was refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# code, venue, symbol, quote, kind, label, rank. Ranks from 10 on: files that are imported go
# on going where they went.
INSTRUMENTS = (
    ("BTC", "Kraken", "BTC/USD", "USD", "spot", "BTC/USD spot, Kraken", 10),
    ("BTC", "Coinbase", "BTC/USD", "USD", "spot", "BTC/USD spot, Coinbase", 11),
    ("BTC", "Bitstamp", "BTC/USD", "USD", "spot", "BTC/USD spot, Bitstamp", 12),
    ("ETH", "Kraken", "ETH/USD", "USD", "spot", "ETH/USD spot, Kraken", 10),
    ("ETH", "Coinbase", "ETH/USD", "USD", "spot", "ETH/USD spot, Coinbase", 11),
    ("ETH", "Bitstamp", "ETH/USD", "USD", "spot", "ETH/USD spot, Bitstamp", 12),
    ("SI", "Binance USD-M", "XAGUSDT", "USDT", "perpetual", "XAGUSDT perpetual, Binance USD-M", 10),
    ("GC", "Binance USD-M", "XAUUSDT", "USDT", "perpetual", "XAUUSDT perpetual, Binance USD-M", 10),
    ("CL", "Binance USD-M", "CLUSDT", "USDT", "perpetual", "CLUSDT perpetual, Binance USD-M", 10),
    # A tenth of the index, and a fortieth: never to be shown as ES or NQ.
    ("SPY", "Binance USD-M", "SPYUSDT", "USDT", "perpetual", "SPYUSDT perpetual, Binance USD-M", 10),
    ("QQQ", "Binance USD-M", "QQQUSDT", "USDT", "perpetual", "QQQUSDT perpetual, Binance USD-M", 10),
)


def _ohlcv() -> list[sa.Column[float]]:
    return [
        sa.Column("open", sa.Float),
        sa.Column("high", sa.Float),
        sa.Column("low", sa.Float),
        sa.Column("close", sa.Float, nullable=False),
        sa.Column("volume", sa.Float),
    ]


def upgrade() -> None:
    op.add_column("instruments", sa.Column("preference", sa.Integer, nullable=False, server_default="100"))
    instruments = sa.table(
        "instruments",
        *(sa.column(name) for name in ("code", "venue", "symbol", "quote", "kind", "label")),
        *(sa.column(name) for name in ("close_rule", "rank")),
    )
    names = ("code", "venue", "symbol", "quote", "kind", "label", "rank")
    op.bulk_insert(
        instruments, [dict(zip(names, row, strict=True)) | {"close_rule": "utc"} for row in INSTRUMENTS]
    )
    op.create_table(
        "unfinished_bars",
        sa.Column("instrument_id", sa.Integer, primary_key=True),
        sa.Column("interval", sa.String(8), primary_key=True),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("closed_at", sa.BigInteger, nullable=False),
        *_ohlcv(),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "feeds",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("host", sa.String(64), nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("instrument_id", sa.Integer, sa.ForeignKey("instruments.id")),
        sa.Column("interval", sa.String(8)),
        sa.Column("asset", sa.String(16)),
        sa.Column("series", sa.String(32)),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("last_try_at", sa.BigInteger),
        sa.Column("last_success_at", sa.BigInteger),
        sa.Column("next_try_at", sa.BigInteger),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("covered_since", sa.BigInteger),
        sa.Column("covered_until", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "quarantine",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("feed", sa.String(64), nullable=False),
        sa.Column("kept_at", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("quarantine_of_feed", "quarantine", ["feed", "id"])
