"""Stands where ``bot.language`` stands: a catalogue that shows which locale was asked."""

from __future__ import annotations


class Catalogue:
    def __init__(self, locale: str) -> None:
        self.locale = locale

    def gettext(self, message: str) -> str:
        return f"{self.locale}:{message}"


def catalogue(locale: str) -> Catalogue:
    return Catalogue(locale)
