"""What every report is made of: options in, an answer out.

A slash command, a button, a digest and the command line all hand a report the
same words (``{"interval": "4h"}``) and get the same answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from analysis.errors import UserError
from bot.language import Speech
from storage import sample
from storage.store import Db, Store

DETAILS_ROOM: Final = 3600
"""Characters of details that fit one message of Discord beside any data line: its limit is 4,000."""

Query = TypeVar("Query")
Result = TypeVar("Result")
Words = Mapping[str, str]
"""Options as typed, by name; an option left out is not in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a report. ``help`` is a msgid; ``choices`` are what may be typed.

    A ``flag`` is said or left out on the command line; its word is ``yes``. Of a ``file``
    the command line is given the path, the report what is in it.
    """

    name: str
    help: str
    choices: tuple[str, ...] = ()
    flag: bool = False
    file: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer in words. ``lines`` come before the picture and are complete without it.

    ``alert_at`` is the price its card offers an alert at, null where it offers none.
    ``digest`` are the lines that a digest takes instead, where it should be shorter.
    """

    lines: tuple[str, ...]
    details: tuple[str, ...]
    data_line: str
    alert_at: float | None = None
    digest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asks what of which store: what a report may know besides its options."""

    store: Store
    at: datetime
    server_id: int = 0


def _never(query: object) -> bool:  # noqa: ARG001 -- the answer for every query
    return False


def _nothing(words: Words, value: str) -> frozenset[str]:  # noqa: ARG001 -- the answer for every switch
    return frozenset()


def _as_asked(query: Any, result: object) -> Any:  # noqa: ARG001 -- of a query that leaves nothing open
    return query


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Generic[Query, Result]):
    """One report, as the doors (Discord, command line, digest) see it. ``about`` is a msgid: what it answers.

    ``read`` turns words into a checked query (``UserError`` for a bad one) and
    ``write`` turns a query back into the shortest words, for a button's custom_id;
    it leaves out what is nobody else's business. ``settled`` is the query as it was answered, with what it
    had left open: what the buttons of its card ask. ``switch`` names the option that
    the first row of buttons changes in place, ``buttons`` the values offered there;
    ``forgets`` names the options that mean nothing any more once the switch of a
    question goes to a value. ``menu`` names the option that a select changes in place,
    ``menu_choices`` its values and what they are called there (msgids), the default first.
    ``private`` says of a query that its answer is for the asker's eyes only: it is
    ephemeral from the first acknowledgement, and its card has no buttons, because a
    button would have to remember the question.
    """

    name: str
    about: str
    options: tuple[Option, ...]
    switch: str | None = None
    buttons: tuple[str, ...] = ()
    menu: str | None = None
    menu_choices: tuple[tuple[str, str], ...] = ()
    read: Callable[[Words, datetime], Query]
    write: Callable[[Query], dict[str, str]]
    answer: Callable[[Query, Asked], Awaitable[Result]]
    say: Callable[[Result, Speech, datetime], Reply]
    as_json: Callable[[Result, datetime], dict[str, Any]]
    as_table: Callable[[Result], Sequence[Sequence[object]]]
    private: Callable[[Query], bool] = _never
    forgets: Callable[[Words, str], frozenset[str]] = _nothing
    settled: Callable[[Query, Result], Query] = _as_asked

    @property
    def chart(self) -> str:
        """The module of ``analysis.charts`` that draws it."""
        return self.name.replace("-", "_")

    def switched(self, words: Words, value: str) -> dict[str, str]:
        """The same question with the switch at ``value``."""
        forgotten = self.forgets(words, value)
        kept = {name: word for name, word in words.items() if name not in forgotten}
        return kept if self.switch is None else kept | {self.switch: value}

    def option(self, name: str) -> Option:
        return next(option for option in self.options if option.name == name)

    def picked(self, words: Words, value: str) -> dict[str, str]:
        """The same question with the menu at ``value``."""
        return dict(words) if self.menu is None else {**words, self.menu: value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What a kept result is made of: the arguments of ``derive``, and from when the newest row was known."""

    given: tuple[Any, ...]
    through: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Derived:
    """A result that takes long and is kept in the store until new data arrives (``bot/refresh.py``).

    ``stamps`` tells by key what the stored rows are known by at an instant, without reading
    them; ``read`` gets those of one key, null if there are none. ``derive`` runs in a process
    of its own: a function of a module of ``analysis``, plain JSON out.
    """

    name: str
    stamps: Callable[[Db, datetime], Awaitable[Mapping[str, str]]]
    read: Callable[[Db, str, datetime], Awaitable[Read | None]]
    derive: Callable[..., Any]


def data_line(parts: Iterable[str], speech: Speech, *, is_sample: bool) -> str:
    """The last line of a card: source, value date, age and state; of the sample, that it is one."""
    _ = speech._
    ends = [_("sample, ends {date}").format(date=sample.ENDS.isoformat())] if is_sample else []
    return " · ".join(part for part in (*parts, *ends) if part)


def rounded(value: float | None) -> float | None:
    """A calculated figure as JSON and CSV tell it: to four decimals."""
    return None if value is None else round(value, 4)


def choice(words: Words, option: Option, default: str) -> str:
    """The choice that was typed, in upper or lower case, or the default."""
    value = words.get(option.name, default).strip()
    chosen = next((item for item in option.choices if item.lower() == value.lower()), None)
    if chosen is None:
        raise UserError(
            "“{value}” is not a choice for {option}: use one of {choices}.",
            value=value[:40],
            option=option.name,
            choices=tuple(option.choices),
        )
    return chosen
