"""Changes of futures margin, as of an instant: those in force and those announced."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, cast

from sqlalchemy import func, insert, select

from storage import entries, schema, sources
from storage.instants import epoch, margin_effective, margin_in_force_undated, margin_known, utc
from storage.store import Db
from storage.versions import Stored, Tally, known_from

MANUAL: Final = "manual"
"""The source of what moderators entered, as JSON and CSV tell it."""

MarginRule = Literal["fixed", "percent"]

Dating = Literal["dated", "unknown", "before"]
"""``unknown``: the date of the change is not known; ``before``: the rule before the first known change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginChange:
    """One step of a product's margin: US$ a contract (``fixed``) or % of notional (``percent``, 18 not 0.18).

    In force from ``in_force_from``: 17:00 New York of ``effective_date``; where that is
    unknown, 00:00 New York of the notice that first calls it current; null for the rule
    before the first known change, which then also has no ``known_at``. ``entered_at`` where a
    moderator entered it by hand, which is also when it was known. ``initial`` and
    ``maintenance`` are those of an account without a heightened risk profile (non-HRP); the
    HRP pair is null where it is not known.
    """

    product: str
    in_force_from: datetime | None
    dating: Dating
    effective_date: date | None
    effective_note: str | None
    notice_date: date | None
    notice_number: str | None
    known_at: datetime | None
    rule: MarginRule
    initial: float
    maintenance: float
    hrp_initial: float | None
    hrp_maintenance: float | None
    previous: float | None
    previous_rule: MarginRule | None
    confidence: str | None
    citation: str | None
    source: str
    is_sample: bool
    entered_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """One row of a table of changes; without dates where they are not known."""

    product: str
    effective_date: date | None
    effective_note: str | None
    notice_date: date | None
    notice_number: str | None
    rule: MarginRule
    initial: float
    maintenance: float
    hrp_initial: float | None
    hrp_maintenance: float | None
    previous: float | None
    previous_rule: MarginRule | None
    confidence: str | None
    citation: str | None


async def known(db: Db, product: str, *, at: datetime, server_id: int = 0) -> list[MarginChange]:
    """Every step known at ``at``, by when it comes into force; the later ones are announced, not in force.

    What the moderators of ``server_id`` entered goes before what everybody shares.
    """
    m, o = schema.margin_changes, schema.sources.c
    rows = await db.execute(
        select(m, o.name.label("source"), o.is_sample)
        .join_from(m, schema.sources, m.c.source_id == o.id)
        .where(m.c.product == product, m.c.known_at <= epoch(at))
        .order_by(m.c.in_force_from, m.c.known_at, m.c.id)
    )
    newest: dict[int, MarginChange] = {
        row.in_force_from: _change(
            row, row.known_at, source=row.source, is_sample=row.is_sample, entered_at=None
        )
        for row in rows
    }
    for entered in await _entered(db, product, server_id, at):
        newest[entered.in_force_from] = _change(
            entered,
            entered.added_at,
            source=MANUAL,
            is_sample=False,
            entered_at=utc(entered.added_at),
        )
    return [newest[moment] for moment in sorted(newest)]


async def enter(db: Db, entry_id: int, rows: Sequence[Announced]) -> None:
    """The rows of a moderators' entry. Raises LookupError as ``store`` does."""
    columns = {column.name for column in schema.entered_margins.c}
    steps = {
        (step["product"], step["in_force_from"]): step
        for step in _steps(rows)
        # What a notice calls previous is no statement of the moderators'.
        if step["dating"] != "before"
    }
    await db.execute(
        insert(schema.entered_margins),
        [
            {name: value for name, value in step.items() if name in columns} | {"entry_id": entry_id}
            for step in steps.values()
        ],
    )


async def _entered(db: Db, product: str, server_id: int, at: datetime) -> Sequence[Any]:
    m, e = schema.entered_margins, schema.entries.c
    rows = await db.execute(
        select(m, e.added_at)
        .join_from(m, schema.entries, m.c.entry_id == e.id)
        .where(m.c.product == product, entries.known(server_id, at))
        .order_by(m.c.in_force_from, e.id)
    )
    return rows.all()


def _change(
    row: Any, known_at: int, *, source: str, is_sample: bool, entered_at: datetime | None
) -> MarginChange:
    return MarginChange(
        product=row.product,
        in_force_from=utc(row.in_force_from) if row.in_force_from else None,
        dating=cast("Dating", row.dating),
        effective_date=_date(row.effective_date),
        effective_note=row.effective_note,
        notice_date=_date(row.notice_date),
        notice_number=row.notice_number,
        known_at=utc(known_at) if known_at else None,
        rule=cast("MarginRule", row.rule),
        initial=row.initial,
        maintenance=row.maintenance,
        hrp_initial=row.hrp_initial,
        hrp_maintenance=row.hrp_maintenance,
        previous=row.previous,
        previous_rule=cast("MarginRule | None", row.previous_rule),
        confidence=row.confidence,
        citation=row.citation,
        source=source,
        is_sample=is_sample,
        entered_at=entered_at,
    )


async def store(
    db: Db, rows: Sequence[Announced], *, source: str, now: datetime, is_sample: bool = False
) -> Stored:
    """Add a version for every step that is new or changed; each product's rows in the order of time.

    What a product's first row names as previous becomes its first step, unless the store
    knows an earlier one. Raises LookupError with the row for an undated row that no dated
    row of its product follows.
    """
    source_id = await sources.keep(db, source, is_sample=is_sample)
    m = schema.margin_changes
    before: defaultdict[tuple[str, int], list[tuple[int, dict[str, object]]]] = defaultdict(list)
    for row in (await db.execute(select(m).order_by(m.c.known_at, m.c.id))).mappings():
        said = {name: row[name] for name in _SAID}
        before[row["product"], row["in_force_from"]].append((row["known_at"], said))
    earliest = {
        row.product: row.first
        for row in await db.execute(
            select(m.c.product, func.min(m.c.in_force_from).label("first")).group_by(m.c.product)
        )
    }
    tally = Tally()
    versions: list[dict[str, object]] = []
    for step in _steps(rows):
        product, in_force_from = str(step["product"]), cast("int", step["in_force_from"])
        if step["dating"] == "before" and earliest.get(product, 0) != 0:
            continue
        had = before[product, in_force_from]
        if step["dating"] == "before" and had:
            continue
        known_at = known_from(
            had,
            {name: step[name] for name in _SAID},
            known_at=None,
            first_known_at=cast("int", step["known_at"]),
            now=epoch(now),
            is_sample=is_sample,
        )
        if step["dating"] != "before":
            tally.note(is_new=known_at is not None, had_versions=bool(had))
        if known_at is not None:
            versions.append({**step, "known_at": known_at, "source_id": source_id})
    if versions:
        await db.execute(insert(m), versions)
    return tally.stored()


_SAID = ("rule", "initial", "maintenance", "hrp_initial", "hrp_maintenance")


def _steps(rows: Sequence[Announced]) -> list[dict[str, object]]:
    """The rows as steps with their instants, each product's first one preceded by what it replaced."""
    steps: list[dict[str, object]] = []
    begun: set[str] = set()
    for place, row in enumerate(rows):
        if row.product not in begun:
            begun.add(row.product)
            if row.previous is not None:
                steps.append(_step_before(row, row.previous))
        dating: Dating = "dated"
        if row.effective_date is not None and row.notice_date is not None:
            in_force_from, known_at = margin_effective(row.effective_date), margin_known(row.notice_date)
        else:
            dating = "unknown"
            later = (other for other in rows[place + 1 :] if other.product == row.product)
            notice = next((other.notice_date for other in later if other.notice_date), None)
            if notice is None:
                raise LookupError(place)
            in_force_from, known_at = margin_in_force_undated(notice), margin_known(notice)
        steps.append(
            {
                **asdict(row),
                "effective_date": _iso(row.effective_date),
                "notice_date": _iso(row.notice_date),
                "dating": dating,
                "in_force_from": in_force_from,
                "known_at": known_at,
            }
        )
    return steps


def _step_before(row: Announced, previous: float) -> dict[str, object]:
    return {
        **asdict(row),
        "in_force_from": 0,
        "known_at": 0,
        "dating": "before",
        "effective_date": None,
        "effective_note": None,
        "notice_date": None,
        "notice_number": None,
        "rule": row.previous_rule or row.rule,
        "initial": previous,
        "maintenance": previous,
        "hrp_initial": None,
        "hrp_maintenance": None,
        "previous": None,
        "previous_rule": None,
    }


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
