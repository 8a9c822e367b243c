"""Words, numbers and dates in the reader's language.

English msgids are the source; the only other language, Traditional Chinese as
written in Taiwan, is complete (a test proves it). The ``.po`` file is read
directly, so there is no compiled copy that could be older than its source.
Neither discord.py nor pandas is imported here: drawing workers use this module.
"""

from __future__ import annotations

import gettext
import io
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from babel.core import Locale
from babel.dates import format_date, format_datetime, get_timezone_location
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from analysis.charts import quantities
from bot import plain_text

LOCALES: Final = ("en", "zh-TW")
NO_BREAK_SPACE: Final = "\N{NO-BREAK SPACE}"
MINUS: Final = "\N{MINUS SIGN}"

_CATALOGUES = Path(__file__).parent / "locales"


def N_(msgid: str) -> str:  # noqa: N802 -- gettext's own name for "translate later"
    """Marks a msgid that is translated where it is shown, not where it is written."""
    return msgid


DEFAULT_LABELS: Final = (
    N_("first layer"),
    N_("second layer"),
    N_("near the March 2024 high"),
    N_("fourth layer"),
    N_("round number"),
)
"""Labels of the level book every server starts with; a moderator's own labels stay as typed."""
OWN_SOURCES: Final = (N_("CME notices, from the press"), N_("manual"))
"""Sources named by this program; a publisher's own name is the same in every language."""


@lru_cache(maxsize=len(LOCALES))
def catalogue(locale: str) -> gettext.NullTranslations:
    """Translations of ``locale``; English is its own translation."""
    if locale == "en":
        return gettext.NullTranslations()
    source = _CATALOGUES / locale.replace("-", "_") / "LC_MESSAGES" / "bot.po"
    with source.open("rb") as file:
        messages = read_po(file)
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def nearest(locale: str) -> str:
    """The language of ours for a locale Discord names: every Chinese reads zh-TW, the rest English."""
    return "zh-TW" if locale.lower().startswith("zh") else "en"


@dataclass(frozen=True, slots=True)
class Speech:
    """One reader's language and clock.

    Prices keep the decimals that matter at their size, signs are real minus signs,
    instants are shown in ``zone`` with the zone's name beside them.
    """

    locale: str
    zone: ZoneInfo

    def _(self, msgid: str) -> str:
        return catalogue(self.locale).gettext(msgid)

    def label(self, text: str) -> str:
        """A level's label: ours translated, a moderator's as typed but unable to format or to ping."""
        if text in DEFAULT_LABELS:
            return self._(text)
        return plain_text.quoted(text)

    def source(self, name: str) -> str:
        """Who published something: translated where it is no proper name."""
        return self._(name) if name in OWN_SOURCES else name

    def price(self, value: float) -> str:
        decimals = 0 if value >= 10_000 else 2 if value >= 1 else 4
        text = f"{value:,.{decimals}f}"
        return text.removesuffix(".00")

    def dollars(self, value: float) -> str:
        """An amount somebody has to pay: to the cent, without its unit."""
        return f"{value:,.2f}".replace("-", MINUS)

    def percent(self, value: float, *, decimals: int = 1) -> str:
        return self.signed(value, decimals=decimals) + NO_BREAK_SPACE + "%"

    def signed(self, value: float, *, decimals: int = 1) -> str:
        text = f"{abs(value):,.{decimals}f}"
        if float(text.replace(",", "")) == 0:
            return text
        return ("+" if value > 0 else MINUS) + text

    def number(self, value: float, *, decimals: int = 1) -> str:
        return f"{value:,.{decimals}f}".replace("-", MINUS)

    def money(self, musd: float, *, sign: bool = True) -> str:
        """US$ million with its unit: ``−544.9 US$ m`` or ``−5.45 億美元``."""
        figure = quantities.musd(musd, self.locale, sign=sign)
        return self._("{amount} US$ m").format(amount=figure).replace(" ", NO_BREAK_SPACE)

    def instant(self, when: datetime, *, year: bool = False) -> str:
        """Like ``5 Feb 18:00 UTC`` or ``2/6（五）02:00 台北``; with its year where a list spans several."""
        if self.locale == "zh-TW":
            pattern = "y/M/d（EEEEE）HH:mm" if year else "M/d（EEEEE）HH:mm"
        else:
            pattern = "d MMM y HH:mm" if year else "d MMM HH:mm"
        local = format_datetime(when.astimezone(self.zone), pattern, tzinfo=self.zone, locale=self._babel)
        return f"{local} {self.zone_name}"

    def day(self, day: date) -> str:
        pattern = "y/M/d" if self.locale == "zh-TW" else "d MMM y"
        return format_date(day, pattern, locale=self._babel)

    def weekday(self, day: date) -> str:
        """A day of this year with its weekday: ``Wed 4 Feb`` or ``2/4（三）``."""
        pattern = "M/d（EEEEE）" if self.locale == "zh-TW" else "EEE d MMM"
        return format_date(day, pattern, locale=self._babel)

    def short_day(self, day: date, *, year: bool = False) -> str:
        """``4 Feb`` or ``2/4``, with ``year`` ``4 Feb 26`` or ``26/2/4``: where there is room for no more."""
        pattern = (
            ("yy/" if year else "") + "M/d" if self.locale == "zh-TW" else "d MMM" + (" yy" if year else "")
        )
        return format_date(day, pattern, locale=self._babel)

    def month(self, first: date) -> str:
        """``Feb 2026`` or ``2026/2``."""
        return format_date(first, "y/M" if self.locale == "zh-TW" else "MMM y", locale=self._babel)

    def age(self, delta: timedelta) -> str:
        """How old a value is, in the largest whole unit."""
        minutes = max(0, int(delta.total_seconds() // 60))
        if minutes < 1:
            return self._("under a minute old")
        if minutes < 120:
            return self._("{n} min old").format(n=minutes)
        if minutes < 48 * 60:
            return self._("{n} h old").format(n=minutes // 60)
        return self._("{n} days old").format(n=minutes // (24 * 60))

    @property
    def zone_name(self) -> str:
        """The zone as a reader calls it: its city, because ``CST`` is three places."""
        if self.zone.key in {"UTC", "Etc/UTC"}:
            return "UTC"
        return get_timezone_location(self.zone, locale=self._babel, return_city=True)

    @property
    def _babel(self) -> Locale:
        return Locale.parse(self.locale, sep="-")


def iso(when: datetime) -> str:
    """ISO 8601 in UTC with a Z, whole seconds: for JSON, CSV and file names."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
