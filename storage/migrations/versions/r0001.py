"""Instruments, bars, flows, margins, macro values, level books and server settings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UTC, NEW_YORK = "utc", "new_york_17"

# code, venue, symbol, quote, kind, close rule, label, rank, intervals;
# the lowest rank takes the intervals of its code that are not named here
INSTRUMENTS = (
    (
        "BTC",
        "Binance USD-M",
        "BTCUSDT",
        "USDT",
        "perpetual",
        UTC,
        "BTCUSDT perpetual, Binance USD-M",
        0,
        ("30m",),
    ),
    ("BTC", "Binance", "BTCUSDT", "USDT", "spot", UTC, "BTCUSDT spot, Binance", 1, ("1h",)),
    ("BTC", "Yahoo Finance", "BTC-USD", "USD", "spot", UTC, "BTC-USD, Yahoo Finance", 2, ("1d",)),
    (
        "ETH",
        "Binance USD-M",
        "ETHUSDT",
        "USDT",
        "perpetual",
        UTC,
        "ETHUSDT perpetual, Binance USD-M",
        0,
        ("30m",),
    ),
    ("ETH", "Binance", "ETHUSDT", "USDT", "spot", UTC, "ETHUSDT spot, Binance", 1, ("1h",)),
    ("ETH", "Yahoo Finance", "ETH-USD", "USD", "spot", UTC, "ETH-USD, Yahoo Finance", 2, ("1d",)),
    ("SI", "COMEX", "SI", "USD", "future", NEW_YORK, "Silver futures, front month, COMEX", 0, ("1d",)),
    ("GC", "COMEX", "GC", "USD", "future", NEW_YORK, "Gold futures, front month, COMEX", 0, ("1d",)),
    ("CL", "NYMEX", "CL", "USD", "future", NEW_YORK, "WTI crude oil futures, front month, NYMEX", 0, ("1d",)),
    ("ES", "CME", "ES", "points", "future", NEW_YORK, "E-mini S&P 500 futures, front month, CME", 0, ("1d",)),
    (
        "NQ",
        "CME",
        "NQ",
        "points",
        "future",
        NEW_YORK,
        "E-mini Nasdaq-100 futures, front month, CME",
        0,
        ("1d",),
    ),
    ("DXY", "ICE", "DXY", "points", "index", NEW_YORK, "US dollar index, ICE", 0, ("1d",)),
)

ANALYSIS = "market analysis of 5 Feb 2026"
# price, label, venue, dated, source
LEVELS = (
    (83_500.0, "first layer", None, None, ANALYSIS),
    (77_000.0, "second layer", None, None, ANALYSIS),
    (73_600.0, "near the March 2024 high", "Binance spot", "2024-03-14", "73,777 was the high; " + ANALYSIS),
    (56_100.0, "fourth layer", None, None, ANALYSIS),
    (40_000.0, "round number", None, None, ANALYSIS),
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
    op.create_table(
        "sources",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("is_sample", sa.Boolean, nullable=False),
        sa.UniqueConstraint("name", "is_sample"),
    )
    instruments = op.create_table(
        "instruments",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("code", sa.String(16), nullable=False),
        sa.Column("venue", sa.String(64), nullable=False),
        sa.Column("symbol", sa.String(32), nullable=False),
        sa.Column("quote", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("close_rule", sa.String(16), nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.UniqueConstraint("venue", "symbol"),
    )
    series = op.create_table(
        "series",
        sa.Column("instrument_id", sa.Integer, sa.ForeignKey("instruments.id"), primary_key=True),
        sa.Column("interval", sa.String(8), primary_key=True),
        sa.Column("has_ohlc", sa.Boolean, nullable=False),
        sa.Column("source_id", sa.Integer, sa.ForeignKey("sources.id")),
    )
    op.create_table(
        "bars",
        sa.Column("instrument_id", sa.Integer, primary_key=True),
        sa.Column("interval", sa.String(8), primary_key=True),
        sa.Column("opened_at", sa.BigInteger, primary_key=True),
        sa.Column("closed_at", sa.BigInteger, nullable=False),
        *_ohlcv(),
        sa.ForeignKeyConstraint(["instrument_id", "interval"], ["series.instrument_id", "series.interval"]),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "bar_revisions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("instrument_id", sa.Integer, nullable=False),
        sa.Column("interval", sa.String(8), nullable=False),
        sa.Column("opened_at", sa.BigInteger, nullable=False),
        sa.Column("known_at", sa.BigInteger, nullable=False),
        *_ohlcv(),
        sa.Column("source_id", sa.Integer, sa.ForeignKey("sources.id"), nullable=False),
    )
    op.create_index("bar_revisions_of_bar", "bar_revisions", ["instrument_id", "interval", "opened_at"])
    op.create_table(
        "daily_rollups",
        sa.Column("instrument_id", sa.Integer, primary_key=True),
        sa.Column("interval", sa.String(8), primary_key=True),
        sa.Column("opened_at", sa.BigInteger, primary_key=True),
        sa.Column("closed_at", sa.BigInteger, nullable=False),
        *_ohlcv(),
        sa.ForeignKeyConstraint(["instrument_id", "interval"], ["series.instrument_id", "series.interval"]),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "staged_bars",
        sa.Column("batch", sa.String(32), primary_key=True),
        sa.Column("opened_at", sa.BigInteger, primary_key=True),
        sa.Column("closed_at", sa.BigInteger, nullable=False),
        *_ohlcv(),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "etf_funds",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("asset", sa.String(16), nullable=False),
        sa.Column("ticker", sa.String(32), nullable=False),
        sa.UniqueConstraint("asset", "ticker"),
    )
    op.create_table(
        "flow_versions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("asset", sa.String(16), nullable=False),
        sa.Column("trade_date", sa.String(10), nullable=False),
        sa.Column("known_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("total_musd", sa.Float),
        sa.Column("source_id", sa.Integer, sa.ForeignKey("sources.id"), nullable=False),
    )
    op.create_index("flow_versions_of_day", "flow_versions", ["asset", "trade_date", "known_at"])
    op.create_table(
        "fund_flows",
        sa.Column("version_id", sa.Integer, sa.ForeignKey("flow_versions.id"), primary_key=True),
        sa.Column("fund_id", sa.Integer, sa.ForeignKey("etf_funds.id"), primary_key=True),
        sa.Column("value_musd", sa.Float),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "margin_changes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("product", sa.String(16), nullable=False),
        sa.Column("in_force_from", sa.BigInteger, nullable=False),
        sa.Column("dating", sa.String(8), nullable=False),
        sa.Column("effective_date", sa.String(10)),
        sa.Column("effective_note", sa.Text),
        sa.Column("notice_date", sa.String(10)),
        sa.Column("notice_number", sa.Text),
        sa.Column("known_at", sa.BigInteger, nullable=False),
        sa.Column("rule", sa.String(8), nullable=False),
        sa.Column("initial", sa.Float, nullable=False),
        sa.Column("maintenance", sa.Float, nullable=False),
        sa.Column("hrp_initial", sa.Float),
        sa.Column("hrp_maintenance", sa.Float),
        sa.Column("previous", sa.Float),
        sa.Column("previous_rule", sa.String(8)),
        sa.Column("confidence", sa.Text),
        sa.Column("citation", sa.Text),
        sa.Column("source_id", sa.Integer, sa.ForeignKey("sources.id"), nullable=False),
    )
    op.create_index("margin_changes_of_product", "margin_changes", ["product", "in_force_from", "known_at"])
    op.create_table(
        "macro_observations",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("series", sa.String(32), nullable=False),
        sa.Column("date", sa.String(10), nullable=False),
        sa.Column("known_at", sa.BigInteger, nullable=False),
        sa.Column("value", sa.Float),
        sa.Column("source_id", sa.Integer, sa.ForeignKey("sources.id"), nullable=False),
    )
    op.create_index("macro_observations_of_day", "macro_observations", ["series", "date", "known_at"])
    levels = op.create_table(
        "levels",
        sa.Column("server_id", sa.BigInteger, primary_key=True),
        sa.Column("price", sa.Float, primary_key=True),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("venue", sa.Text),
        sa.Column("dated", sa.String(10)),
        sa.Column("source", sa.Text),
        sa.Column("bars_to_break", sa.Integer, nullable=False),
        sa.Column("bars_to_hold", sa.Integer, nullable=False),
        sa.Column("buffer_share", sa.Float, nullable=False),
        sa.Column("buffer_atr", sa.Float, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "server_settings",
        sa.Column("server_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("palette", sa.String(16), nullable=False),
        sa.Column("theme", sa.String(16), nullable=False),
        sa.Column("public_channels", sa.Text, nullable=False),
        sa.Column("moderator_role", sa.BigInteger),
    )
    op.create_table(
        "marks",
        sa.Column("name", sa.String(96), primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.bulk_insert(
        instruments,
        [
            {
                "id": number,
                "code": code,
                "venue": venue,
                "symbol": symbol,
                "quote": quote,
                "kind": kind,
                "close_rule": close_rule,
                "label": label,
                "rank": rank,
            }
            for number, (code, venue, symbol, quote, kind, close_rule, label, rank, _) in enumerate(
                INSTRUMENTS, 1
            )
        ],
    )
    op.bulk_insert(
        series,
        [
            {"instrument_id": number, "interval": interval, "has_ohlc": row[0] != "DXY"}
            for number, row in enumerate(INSTRUMENTS, 1)
            for interval in row[-1]
        ],
    )
    op.bulk_insert(
        levels,
        [
            {
                "server_id": 0,
                "price": price,
                "label": label,
                "venue": venue,
                "dated": dated,
                "source": source,
                "bars_to_break": 2,
                "bars_to_hold": 8,
                "buffer_share": 0.001,
                "buffer_atr": 0.25,
            }
            for price, label, venue, dated, source in LEVELS
        ],
    )
