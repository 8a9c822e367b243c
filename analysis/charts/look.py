"""How a picture is to look, and what drawing one yields. No matplotlib here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Gettext = Callable[[str], str]
Theme = Literal["dark", "light"]
Palette = Literal["intl", "tw", "cb"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Reader's choices. ``zone`` is an IANA name, ``locale`` is ``en`` or ``zh-TW``."""

    locale: str = "en"
    theme: Theme = "dark"
    palette: Palette = "intl"
    zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A PNG of 1280x720 pixels and its alt text (at most 256 characters)."""

    png: bytes
    alt: str
