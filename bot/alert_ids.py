"""What the buttons of alerts say: an action on an alert, known by its custom_id alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from zoneinfo import ZoneInfo

from bot.channels import Button
from bot.language import N_, Speech
from storage.alerts import Alert
from storage.digests import BOTH

PREFIX: Final = "al1"
MUTES: Final = {"1h": timedelta(hours=1), "1d": timedelta(days=1)}
MUTE_LABELS: Final = {"1h": N_("Mute 1 h"), "1d": N_("Mute 1 day")}


def custom_id(action: str, *values: object) -> str:
    return "|".join((PREFIX, action, *map(str, values)))


def mute_row(alert: Alert, marker: str) -> tuple[Button, ...]:
    """The buttons below what an alert tells. A private chat knows no server, so it stands in them."""
    speech = Speech("zh-TW" if alert.language == BOTH else alert.language, ZoneInfo(alert.zone))
    return tuple(
        Button(
            label=speech._(MUTE_LABELS[span]),
            custom_id=custom_id("mute", alert.id, span, alert.server_id, marker),
        )
        for span in MUTES
    )
