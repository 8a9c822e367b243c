"""How a picture is to look, and what drawing one yields. No matplotlib here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

Gettext = Callable[[str], str]
Theme = Literal["dark", "light"]
Palette = Literal["intl", "tw", "cb"]
ALT_TEXT_LIMIT: Final = 256
"""Characters of a picture's alt text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Reader's choices. ``zone`` is an IANA name, ``locale`` is ``en`` or ``zh-TW``."""

    locale: str = "en"
    theme: Theme = "dark"
    palette: Palette = "intl"
    zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A PNG of 1280x720 pixels and its alt text (at most ``ALT_TEXT_LIMIT`` characters)."""

    png: bytes
    alt: str
