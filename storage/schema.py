"""The tables as queries see them. Migrations make them; a test holds the two equal.

Times are epoch seconds UTC, dates ISO text, prices and values doubles. A daily bar is
keyed by 00:00 UTC of its date (its trade date where it closes at 17:00 New York);
``closed_at`` says when it was complete.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

REVISIONS: Final = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009")
"""Every revision this code knows, oldest first; anything else in a file is newer."""

APPLICATION_ID: Final = 0x4C454144  # "LEAD"

DEFAULT_BOOK: Final = 0
"""The server id under which the default level book is kept; Discord never gives it out."""

metadata = MetaData()

sources = Table(
    "sources",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("is_sample", Boolean, nullable=False),
    UniqueConstraint("name", "is_sample"),
)

instruments = Table(
    "instruments",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("code", String(16), nullable=False),
    Column("venue", String(64), nullable=False),
    Column("symbol", String(32), nullable=False),
    Column("quote", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("close_rule", String(16), nullable=False),
    Column("label", Text, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("preference", Integer, nullable=False, server_default="100"),
    UniqueConstraint("venue", "symbol"),
)

series = Table(
    "series",
    metadata,
    Column("instrument_id", Integer, ForeignKey("instruments.id"), primary_key=True),
    Column("interval", String(8), primary_key=True),
    Column("has_ohlc", Boolean, nullable=False),
    Column("source_id", Integer, ForeignKey("sources.id")),
)


def _ohlcv() -> list[Column[float]]:
    return [
        Column("open", Float),
        Column("high", Float),
        Column("low", Float),
        Column("close", Float, nullable=False),
        Column("volume", Float),
    ]


bars = Table(
    "bars",
    metadata,
    Column("instrument_id", Integer, primary_key=True),
    Column("interval", String(8), primary_key=True),
    Column("opened_at", BigInteger, primary_key=True),
    Column("closed_at", BigInteger, nullable=False),
    *_ohlcv(),
    ForeignKeyConstraint(["instrument_id", "interval"], ["series.instrument_id", "series.interval"]),
    sqlite_with_rowid=False,
)

bar_revisions = Table(
    "bar_revisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("instrument_id", Integer, nullable=False),
    Column("interval", String(8), nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("known_at", BigInteger, nullable=False),
    *_ohlcv(),
    Column("source_id", Integer, ForeignKey("sources.id"), nullable=False),
    Index("bar_revisions_of_bar", "instrument_id", "interval", "opened_at"),
)

unfinished_bars = Table(
    "unfinished_bars",
    metadata,
    Column("instrument_id", Integer, primary_key=True),
    Column("interval", String(8), primary_key=True),
    Column("opened_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger, nullable=False),
    *_ohlcv(),
    Column("seen_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

daily_rollups = Table(
    "daily_rollups",
    metadata,
    Column("instrument_id", Integer, primary_key=True),
    Column("interval", String(8), primary_key=True),
    Column("opened_at", BigInteger, primary_key=True),
    Column("closed_at", BigInteger, nullable=False),
    *_ohlcv(),
    ForeignKeyConstraint(["instrument_id", "interval"], ["series.instrument_id", "series.interval"]),
    sqlite_with_rowid=False,
)

staged_bars = Table(
    "staged_bars",
    metadata,
    Column("batch", String(32), primary_key=True),
    Column("opened_at", BigInteger, primary_key=True),
    Column("closed_at", BigInteger, nullable=False),
    *_ohlcv(),
    sqlite_with_rowid=False,
)

etf_funds = Table(
    "etf_funds",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("asset", String(16), nullable=False),
    Column("ticker", String(32), nullable=False),
    UniqueConstraint("asset", "ticker"),
)

flow_versions = Table(
    "flow_versions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("asset", String(16), nullable=False),
    Column("trade_date", String(10), nullable=False),
    Column("known_at", BigInteger, nullable=False),
    Column("state", String(8), nullable=False),
    Column("total_musd", Float),
    Column("source_id", Integer, ForeignKey("sources.id"), nullable=False),
    Index("flow_versions_of_day", "asset", "trade_date", "known_at"),
)

fund_flows = Table(
    "fund_flows",
    metadata,
    Column("version_id", Integer, ForeignKey("flow_versions.id"), primary_key=True),
    Column("fund_id", Integer, ForeignKey("etf_funds.id"), primary_key=True),
    Column("value_musd", Float),
    sqlite_with_rowid=False,
)

margin_changes = Table(
    "margin_changes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("product", String(16), nullable=False),
    Column("in_force_from", BigInteger, nullable=False),
    Column("dating", String(8), nullable=False),
    Column("effective_date", String(10)),
    Column("effective_note", Text),
    Column("notice_date", String(10)),
    Column("notice_number", Text),
    Column("known_at", BigInteger, nullable=False),
    Column("rule", String(8), nullable=False),
    Column("initial", Float, nullable=False),
    Column("maintenance", Float, nullable=False),
    Column("hrp_initial", Float),
    Column("hrp_maintenance", Float),
    Column("previous", Float),
    Column("previous_rule", String(8)),
    Column("confidence", Text),
    Column("citation", Text),
    Column("source_id", Integer, ForeignKey("sources.id"), nullable=False),
    Index("margin_changes_of_product", "product", "in_force_from", "known_at"),
)

entries = Table(
    "entries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("server_id", BigInteger, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("size", Integer, nullable=False),
    Column("origin", Text),
    Column("added_by", BigInteger),
    Column("added_at", BigInteger, nullable=False),
    Column("withdrawn_by", BigInteger),
    Column("withdrawn_at", BigInteger),
    Index("entries_of_server", "server_id", "id"),
    sqlite_autoincrement=True,
)

entered_margins = Table(
    "entered_margins",
    metadata,
    Column("entry_id", Integer, ForeignKey("entries.id"), primary_key=True),
    Column("product", String(16), primary_key=True),
    Column("in_force_from", BigInteger, primary_key=True, autoincrement=False),
    Column("dating", String(8), nullable=False),
    Column("effective_date", String(10)),
    Column("effective_note", Text),
    Column("notice_date", String(10)),
    Column("notice_number", Text),
    Column("rule", String(8), nullable=False),
    Column("initial", Float, nullable=False),
    Column("maintenance", Float, nullable=False),
    Column("hrp_initial", Float),
    Column("hrp_maintenance", Float),
    Column("previous", Float),
    Column("previous_rule", String(8)),
    Column("confidence", Text),
    Column("citation", Text),
    sqlite_with_rowid=False,
)

entered_flows = Table(
    "entered_flows",
    metadata,
    Column("entry_id", Integer, ForeignKey("entries.id"), primary_key=True),
    Column("asset", String(16), primary_key=True),
    Column("trade_date", String(10), primary_key=True),
    Column("total_musd", Float, nullable=False),
    sqlite_with_rowid=False,
)

macro_observations = Table(
    "macro_observations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("series", String(32), nullable=False),
    Column("date", String(10), nullable=False),
    Column("known_at", BigInteger, nullable=False),
    Column("value", Float),
    Column("source_id", Integer, ForeignKey("sources.id"), nullable=False),
    Index("macro_observations_of_day", "series", "date", "known_at"),
)

levels = Table(
    "levels",
    metadata,
    Column("server_id", BigInteger, primary_key=True),
    Column("price", Float, primary_key=True),
    Column("label", Text, nullable=False),
    Column("venue", Text),
    Column("dated", String(10)),
    Column("source", Text),
    Column("bars_to_break", Integer, nullable=False),
    Column("bars_to_hold", Integer, nullable=False),
    Column("buffer_share", Float, nullable=False),
    Column("buffer_atr", Float, nullable=False),
    Column("added_by", BigInteger),
    Column("added_at", BigInteger),
    sqlite_with_rowid=False,
)

server_settings = Table(
    "server_settings",
    metadata,
    Column("server_id", BigInteger, primary_key=True, autoincrement=False),
    Column("language", String(16), nullable=False),
    Column("zone", String(64), nullable=False),
    Column("palette", String(16), nullable=False),
    Column("theme", String(16), nullable=False),
    Column("public_channels", Text, nullable=False),
    Column("moderator_role", BigInteger),
    Column("changed_by", BigInteger),
    Column("changed_at", BigInteger),
    Column("light_line", Float),
    Column("light_closes", Integer),
    Column("light_flows_musd", Float),
    Column("light_macro_sigma", Float),
    Column("light_silver_sigma", Float),
)

servers_left = Table(
    "servers_left",
    metadata,
    Column("server_id", BigInteger, primary_key=True, autoincrement=False),
    Column("left_at", BigInteger, nullable=False),
)

handled_interactions = Table(
    "handled_interactions",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("handled_at", BigInteger, nullable=False),
)

marks = Table(
    "marks",
    metadata,
    Column("name", String(96), primary_key=True),
    Column("text", Text, nullable=False),
)

feeds = Table(
    "feeds",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("host", String(64), nullable=False),
    Column("source", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("instrument_id", Integer, ForeignKey("instruments.id")),
    Column("interval", String(8)),
    Column("asset", String(16)),
    Column("series", String(32)),
    Column("state", String(8), nullable=False),
    Column("last_try_at", BigInteger),
    Column("last_success_at", BigInteger),
    Column("next_try_at", BigInteger),
    Column("failures", Integer, nullable=False),
    Column("reason", Text),
    Column("covered_since", BigInteger),
    Column("covered_until", BigInteger),
    sqlite_with_rowid=False,
)

missing_bars = Table(
    "missing_bars",
    metadata,
    Column("feed", String(64), primary_key=True),
    Column("opened_at", BigInteger, primary_key=True, autoincrement=False),
    Column("tries", Integer, nullable=False),
    Column("next_try_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

tier_tables = Table(
    "tier_tables",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("venue", String(16), nullable=False),
    Column("code", String(16), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("source", Text, nullable=False),
    Column("by_size", Boolean, nullable=False),
    Column("known_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    UniqueConstraint("venue", "code", "kind", "known_at", name="tier_tables_version"),
)

tiers = Table(
    "tiers",
    metadata,
    Column("table_id", Integer, ForeignKey("tier_tables.id"), primary_key=True),
    Column("floor", Float, primary_key=True),
    Column("rate", Float, nullable=False),
    Column("deduction", Float, nullable=False),
    sqlite_with_rowid=False,
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("feed", String(64), nullable=False),
    Column("kept_at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("quarantine_of_feed", "feed", "id"),
)

digest_schedules = Table(
    "digest_schedules",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("server_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("reports", Text, nullable=False),
    Column("local_time", String(8), nullable=False),
    Column("zone", String(64), nullable=False),
    Column("days", String(16), nullable=False),
    Column("language", String(16), nullable=False),
    Column("ping_role", BigInteger),
    Column("latest_time", String(8)),
    Column("since", BigInteger, nullable=False),
    Column("planned_through", String(10)),
    Column("next_at", BigInteger),
    Column("paused", String(16)),
    Column("refused", Integer, nullable=False),
    Column("note", String(16)),
    Column("noted_at", BigInteger),
    Column("created_by", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("changed_by", BigInteger),
    Column("changed_at", BigInteger),
    Index("digest_schedules_of_server", "server_id"),
    Index("digest_schedules_due", "next_at"),
    # An id names posts for ever: never given twice.
    sqlite_autoincrement=True,
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(96), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),
    Column("subject", Integer),
    Column("server_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("wait_until", BigInteger),
    Column("post_until", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("payload", Text),
    Column("data_as_of", BigInteger),
    Column("attempt", Integer, nullable=False),
    Column("first_try_at", BigInteger),
    Column("next_at", BigInteger),
    Column("message_id", BigInteger),
    Column("settled_at", BigInteger),
    Column("reason", String(32)),
    Index("outbox_next", "next_at", "state"),
    Index("outbox_of_server", "server_id"),
)

pictures = Table(
    "pictures",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("png", LargeBinary, nullable=False),
    Column("last_used_at", BigInteger, nullable=False),
)

outbox_pictures = Table(
    "outbox_pictures",
    metadata,
    Column("outbox_id", Integer, ForeignKey("outbox.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("sha256", String(64), ForeignKey("pictures.sha256"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("alt", Text, nullable=False),
    Index("outbox_pictures_of_picture", "sha256"),
    sqlite_with_rowid=False,
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("server_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger, nullable=False),
    Column("owner_id", BigInteger),
    Column("kind", String(16), nullable=False),
    Column("subject", String(16), nullable=False),
    Column("interval", String(8)),
    Column("price", Float),
    Column("direction", String(8)),
    Column("bars", Integer),
    Column("language", String(16), nullable=False),
    Column("zone", String(64), nullable=False),
    Column("ping_role", BigInteger),
    Column("since", BigInteger, nullable=False),
    Column("phase", String(16), nullable=False),
    Column("due", Integer),
    Column("seen", Text),
    Column("muted_until", BigInteger),
    Column("quiet_until", BigInteger),
    Column("fired_at", BigInteger),
    Column("note", String(16)),
    Column("noted_at", BigInteger),
    Column("added_by", BigInteger),
    Column("added_at", BigInteger, nullable=False),
    Column("changed_by", BigInteger),
    Column("changed_at", BigInteger),
    Index("alerts_of_server", "server_id", "owner_id"),
    # A new bar asks for the prices that it moves, phase by phase.
    Index("alerts_watching", "subject", "interval", "phase", "price"),
    Index("alerts_counting", "subject", "interval", "due"),
    Index("alerts_of_kind", "kind", "subject"),
    Index("alerts_quiet", "quiet_until"),
    # An id names posts and buttons for ever: never given twice.
    sqlite_autoincrement=True,
)

alert_series = Table(
    "alert_series",
    metadata,
    Column("subject", String(16), primary_key=True),
    Column("interval", String(8), primary_key=True),
    Column("instrument_id", Integer, ForeignKey("instruments.id"), nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger, nullable=False),
    Column("close", Float, nullable=False),
    Column("atr", Float),
    Column("bars", Integer, nullable=False),
    sqlite_with_rowid=False,
)

alert_crossings = Table(
    "alert_crossings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("alert_id", Integer, ForeignKey("alerts.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(48), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("what", String(32), nullable=False),
    Column("figures", Text, nullable=False),
    Column("state", String(8), nullable=False),
    Column("post_key", String(96)),
    Column("noted_at", BigInteger, nullable=False),
    UniqueConstraint("alert_id", "name"),
    Index("alert_crossings_noted", "noted_at"),
)

kept_results = Table(
    "kept_results",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("key", String(96), primary_key=True),
    Column("stamp", Text, nullable=False),
    Column("through", BigInteger, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    Column("payload", Text, nullable=False),
)

BOOKKEEPING: Final = frozenset(
    {
        bar_revisions,
        staged_bars,
        servers_left,
        handled_interactions,
        marks,
        feeds,
        missing_bars,
        quarantine,
        digest_schedules,
        outbox,
        pictures,
        outbox_pictures,
        alerts,
        alert_series,
        alert_crossings,
        kept_results,
    }
)
"""What no answer is made from: writing here leaves every kept answer as true as it was."""

BARS: Final = frozenset({bars, daily_rollups})
"""What answers walk through from the first row to the last."""
