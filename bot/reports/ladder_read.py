"""What somebody typed about positions, checked: options, a form's five fields, or rows of a CSV file.

What somebody holds is nobody else's business: nothing here prints itself.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from analysis.errors import UserError
from analysis.ladder_positions import Convention, Kind
from analysis.ladder_tiers import Tier, tiers
from analysis.margin import PRODUCTS, Side
from bot.language import N_
from bot.reports import numbers
from bot.reports.shapes import Option, Words, choice

LOWEST: Final = 0.0001
HIGHEST_PRICE: Final = 100_000_000
HIGHEST_AMOUNT: Final = 1_000_000_000_000
LEAST_LEVERAGE, MOST_LEVERAGE = 0.1, 200
MOST_RATE_PCT, MOST_FEE_PCT = 50, 5
MOST_POSITIONS: Final = 20
MOST_CHARACTERS: Final = 64_000
"""Of a CSV file: twenty rows are two thousand."""
VENUES: Final = ("bybit", "okx", "binance")
DEFAULT_VENUE: Final = "bybit"

KIND = Option(
    name="kind",
    help=N_("linear (USDT), inverse (coin-margined) or futures (default linear)"),
    choices=tuple(Kind),
)
SIDE = Option(name="side", help=N_("Long or short (default long)"), choices=tuple(Side))
MARGIN = Option(name="margin", help=N_("isolated or cross (default isolated)"), choices=("isolated", "cross"))
INSTRUMENT = Option(name="instrument", help=N_("Such as BTC, or SI, SIL, GC, MGC for futures"))
VENUE = Option(name="venue", help=N_("Whose maintenance rate to take where it is kept"), choices=VENUES)
MMR = Option(name="mmr", help=N_("Maintenance rate in percent: 0.5; then no brackets"))
FEE = Option(name="fee", help=N_("Taker fee in percent: 0.055 (default 0)"))
ENTRY = Option(name="entry", help=N_("Entry price; alone, the ladder of leverages from it"))
SIZE = Option(name="size", help=N_("Coins; US dollars for inverse; contracts for futures"))
LEVERAGE = Option(name="leverage", help=N_("Leverage at entry: 10; for futures left out, initial margin"))
EXTRA = Option(name="extra", help=N_("Margin beyond that, in the settlement currency (default 0)"))
MARK = Option(name="mark", help=N_("Mark price now (default the entry)"))
DEDUCTION = Option(name="deduction", help=N_("Maintenance deduction that goes with the rate (default 0)"))
TIERS = Option(name="tiers", help=N_("The venue's brackets, floor:percent: 0:0.4, 300000:0.5, 800000:0.65"))
CONVENTION = Option(
    name="convention",
    help=N_("Maintenance valued at the mark, at entry, or by Bybit's text of 2026 (default mark)"),
    choices=tuple(Convention),
)
OF_A_POSITION: Final = (
    KIND, SIDE, MARGIN, INSTRUMENT, VENUE, MMR, FEE, ENTRY, SIZE, LEVERAGE, EXTRA, MARK, DEDUCTION, TIERS,
    CONVENTION,
)  # fmt: skip
COLUMNS: Final = tuple(option.name for option in OF_A_POSITION)
_MORE: Final = tuple(name for name in COLUMNS if name not in {"entry", "size"})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Typed:
    """One position as typed. ``mmr`` and ``fee`` are shares; ``tiers`` null where none were typed.

    ``leverage`` is null for futures held at initial margin, ``mark`` where the entry counts as it.
    """

    kind: Kind
    side: Side
    cross: bool
    instrument: str
    venue: str
    fee: float
    tiers: tuple[Tier, ...] | None
    convention: Convention
    entry: float
    size: float
    leverage: float | None
    extra: float
    mark: float | None


def positions(words: Words) -> tuple[Typed, ...]:
    """The position typed into the options, or those of a CSV file; empty where there is none."""
    table = words.get("positions", "")
    if table.strip():
        if any(words.get(option.name, "").strip() for option in (ENTRY, SIZE, LEVERAGE, EXTRA, MARK)):
            raise UserError("Give positions either in a file or one by one, not both.")
        return _table(table, words)
    if not any(words.get(option.name, "").strip() for option in (SIZE, LEVERAGE, EXTRA, MARK)):
        return ()
    return (position(words),)


def position(words: Words) -> Typed:
    """One position. Raises UserError for what is missing or means nothing."""
    kind = Kind(choice(words, KIND, Kind.LINEAR))
    instrument = instrument_of(words, kind)
    missing = [
        option.name
        for option in (ENTRY, SIZE, LEVERAGE)
        if not words.get(option.name, "").strip() and not (option is LEVERAGE and kind is Kind.FUTURES)
    ]
    if missing:
        raise UserError("A position needs {fields} as well.", fields=tuple(missing))
    convention = Convention(choice(words, CONVENTION, Convention.MARK))
    if convention is Convention.BYBIT2026 and kind is not Kind.INVERSE:
        raise UserError("The convention bybit2026 is known for inverse contracts only.")
    entry = price(words, ENTRY)
    return Typed(
        kind=kind,
        side=Side(choice(words, SIDE, Side.LONG)),
        cross=choice(words, MARGIN, "isolated") == "cross",
        instrument=instrument,
        venue=choice(words, VENUE, DEFAULT_VENUE),
        fee=fee(words),
        tiers=brackets(words),
        convention=convention,
        entry=entry,
        size=_size(words, kind),
        leverage=_leverage(words),
        extra=_number(words, EXTRA, 0.0, HIGHEST_AMOUNT) or 0.0,
        mark=price(words, MARK) if words.get(MARK.name, "").strip() else None,
    )


def instrument_of(words: Words, kind: Kind) -> str:
    default = "SI" if kind is Kind.FUTURES else "BTC"
    typed = unicodedata.normalize("NFKC", words.get(INSTRUMENT.name, "")[:40]).strip().upper() or default
    if kind is Kind.FUTURES and typed not in PRODUCTS:
        raise UserError(
            "“{value}” is not a futures contract known here: use one of {choices}.",
            value=typed[:16],
            choices=tuple(PRODUCTS),
        )
    if not (typed.isascii() and typed.isalnum() and len(typed) <= 16):
        raise UserError("“{value}” is not the name of an instrument.", value=typed[:16])
    return typed


def brackets(words: Words) -> tuple[Tier, ...] | None:
    """What was typed of the maintenance rate: one rate, or the brackets of a venue."""
    rate, table = words.get(MMR.name, "").strip(), words.get(TIERS.name, "").strip()
    deduction = _number(words, DEDUCTION, 0.0, HIGHEST_AMOUNT) or 0.0
    if rate and table:
        raise UserError("Give either a rate or brackets, not both.")
    if rate:
        return (Tier(0.0, share(rate, MOST_RATE_PCT), deduction),)
    if deduction:
        raise UserError("A deduction goes with a rate: give mmr as well.")
    return _brackets(table) if table else None


def _brackets(table: str) -> tuple[Tier, ...]:
    # ";" as well: in a CSV file a comma ends a cell.
    parts = [
        part
        for part in unicodedata.normalize("NFKC", table[:1_000]).replace(";", ",").split(",")
        if part.strip()
    ]
    if len(parts) > 50 or any(part.count(":") != 1 for part in parts):
        raise UserError("Brackets are written floor:percent, such as 0:0.4, 300000:0.5, 800000:0.65.")
    steps = []
    for part in parts:
        floor, rate = part.split(":")
        steps.append((numbers.amount(floor, low=0, high=HIGHEST_AMOUNT), share(rate, MOST_RATE_PCT)))
    return tiers(steps)


def fee(words: Words) -> float:
    typed = words.get(FEE.name, "").strip()
    return share(typed, MOST_FEE_PCT) if typed else 0.0


def share(typed: str, most_pct: float, *, least_pct: float = 0) -> float:
    """A percentage, with its sign or without, as a share."""
    plain = unicodedata.normalize("NFKC", typed[:200]).strip().removesuffix("%").strip()
    return numbers.amount(plain, low=least_pct, high=most_pct) / 100


def price(words: Words, option: Option) -> float:
    return numbers.amount(words.get(option.name, ""), low=LOWEST, high=HIGHEST_PRICE)


def _size(words: Words, kind: Kind) -> float:
    typed = words[SIZE.name]
    if kind is Kind.FUTURES:
        return float(numbers.count(typed, most=1_000_000))
    return numbers.amount(typed, low=LOWEST, high=HIGHEST_AMOUNT)


def _leverage(words: Words) -> float | None:
    typed = unicodedata.normalize("NFKC", words.get(LEVERAGE.name, "")[:200]).strip()
    plain = typed.removesuffix("倍").removesuffix("x").removesuffix("X").strip()
    return numbers.amount(plain, low=LEAST_LEVERAGE, high=MOST_LEVERAGE) if typed else None


def _number(words: Words, option: Option, low: float, high: float) -> float | None:
    typed = words.get(option.name, "").strip()
    return numbers.amount(typed, low=low, high=high) if typed else None


def _table(text: str, words: Words) -> tuple[Typed, ...]:
    """Rows under a header of option names; what a row leaves out is as the options say."""
    if len(text) > MOST_CHARACTERS:
        raise UserError("The file of positions is too long: at most {most} positions.", most=MOST_POSITIONS)
    try:
        rows = [row for row in csv.reader(io.StringIO(text.lstrip("\ufeff")), strict=True) if any(row)]
    except csv.Error as error:
        raise UserError("The file of positions is not a CSV file.") from error
    header = [cell.strip().lower() for cell in rows[0]]
    unknown = [cell for cell in header if cell not in COLUMNS]
    if unknown:
        raise UserError(
            "“{value}” is not a column of a file of positions: commas between entry, size and any of {columns}.",
            value=unknown[0][:40],
            columns=_MORE,
        )
    if len(set(header)) < len(header) or not {"entry", "size"} <= set(header):
        raise UserError(
            "The first row of the file names its columns: entry, size and any of {columns}.",
            columns=_MORE,
        )
    if not 1 < len(rows) <= MOST_POSITIONS + 1:
        raise UserError("A file has from 1 to {most} positions.", most=MOST_POSITIONS)
    given = {name: words[name] for name in COLUMNS if name in words}
    found = []
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise UserError("Row {row} of the file has another number of cells than the first.", row=number)
        filled = {name: cell for name, cell in zip(header, row, strict=True) if cell.strip()}
        try:
            found.append(position(given | filled))
        except UserError as error:
            refused = UserError("Row {row} of the file cannot be used:", row=number)
            refused.then = error
            raise refused from error
    return _at_one_mark(found)


def _at_one_mark(every: Sequence[Typed]) -> tuple[Typed, ...]:
    """With the mark that some rows give for every row of the same contract: what shares a pool has one price."""
    given: dict[tuple[Kind, str], set[float]] = {}
    for one in every:
        if one.mark is not None:
            given.setdefault((one.kind, one.instrument), set()).add(one.mark)
    pooled: dict[tuple[Kind, str], float] = {}
    found = []
    for one in every:
        contract = one.kind, one.instrument
        marks = given.get(contract, set())
        mark = next(iter(marks)) if one.mark is None and len(marks) == 1 else one.mark
        if one.cross and pooled.setdefault(contract, mark or one.entry) != (mark or one.entry):
            raise UserError(
                "Several cross positions in {instrument} stand at one price: give all of them the same mark.",
                instrument=one.instrument,
            )
        found.append(replace(one, mark=mark))
    return tuple(found)
