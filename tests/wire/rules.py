"""What Discord refuses in a message, and what we have promised beyond that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

EPHEMERAL: Final = 1 << 6
COMPONENTS_V2: Final = 1 << 15

ROW, BUTTON, TEXT, GALLERY, FILE = 1, 2, 10, 12, 13
MOST_ROWS: Final = 5
MOST_COMPONENTS: Final = 40
MOST_TEXT: Final = 4000
MOST_CONTENT: Final = 2000
MOST_IN_A_ROW: Final = 5
MOST_ALT_TEXT: Final = 256
MOST_CUSTOM_ID: Final = 100
MOST_BYTES: Final = 10 * 1024 * 1024


def walk(components: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every component, in order, each before what stands inside it."""
    for component in components:
        yield component
        yield from walk(component.get("components", []))


def of_kind(message: Mapping[str, Any], kind: int) -> list[dict[str, Any]]:
    return [part for part in walk(message.get("components", [])) if part["type"] == kind]


def texts(message: Mapping[str, Any]) -> str:
    """All words of a card."""
    return "\n".join(part["content"] for part in of_kind(message, TEXT))


def buttons(message: Mapping[str, Any]) -> dict[str, str]:
    """Labels of the buttons with their custom_id."""
    return {part["label"]: part["custom_id"] for part in of_kind(message, BUTTON)}


def pictures(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [item for gallery in of_kind(message, GALLERY) for item in gallery["items"]]


def faults(
    message: Mapping[str, Any],
    files: Mapping[str, tuple[str, bytes]],
    *,
    may_ping: frozenset[str] = frozenset(),
) -> list[str]:
    """What is wrong with a message as it was sent; ``files`` are name and bytes by form field.

    ``may_ping`` are the roles that somebody has chosen to be pinged.
    """
    found = [*_uploads(message, files), *_components(message)]
    if message.get("allowed_mentions", {}).get("parse") != []:
        found.append("somebody could be mentioned: allowed_mentions.parse is not []")
    named = message.get("allowed_mentions", {})
    if named.get("users") or not {str(role) for role in named.get("roles", [])} <= may_ping:
        found.append("somebody is named in allowed_mentions")
    if message.get("flags", 0) & COMPONENTS_V2:
        found += [
            f"{name} beside components V2" for name in ("content", "embeds", "poll") if message.get(name)
        ]
    elif not (message.get("content") or files):
        found.append("an empty message")
    if len(message.get("content") or "") > MOST_CONTENT:
        found.append("content too long")
    return found


def _uploads(message: Mapping[str, Any], files: Mapping[str, tuple[str, bytes]]) -> Iterator[str]:
    sent = {field: name for field, (name, _) in files.items()}
    told = {f"files[{entry['id']}]": entry["filename"] for entry in message.get("attachments", [])}
    if sent != told:
        yield f"attachments tell of {told}, uploaded were {sent}"
    if any(len(content) > MOST_BYTES for _, content in files.values()):
        yield "a file is too large"
    if message.get("flags", 0) & COMPONENTS_V2:
        urls = [item["media"]["url"] for item in pictures(message)]
        urls += [part["file"]["url"] for part in of_kind(message, FILE)]
        if sorted(urls) != sorted(f"attachment://{name}" for name in sent.values()):
            yield f"the card shows {urls}, uploaded were {sorted(sent.values())}"


def _components(message: Mapping[str, Any]) -> Iterator[str]:
    parts = list(walk(message.get("components", [])))
    classic = all(part["type"] in {ROW, BUTTON} for part in parts)
    if not classic and not message.get("flags", 0) & COMPONENTS_V2:
        yield "components without the flag of V2"
    rows = [part for part in parts if part["type"] == ROW]
    if len(rows) > MOST_ROWS and not message.get("flags", 0) & COMPONENTS_V2:
        yield "too many rows"
    if len(parts) > MOST_COMPONENTS:
        yield f"{len(parts)} components"
    if len(texts(message)) > MOST_TEXT or not all(part["content"] for part in of_kind(message, TEXT)):
        yield "text empty or too long"
    ids = [part["custom_id"] for part in parts if "custom_id" in part]
    if len(set(ids)) != len(ids) or not all(0 < len(one) <= MOST_CUSTOM_ID for one in ids):
        yield f"custom_ids: {ids}"
    if any(len(part["components"]) > MOST_IN_A_ROW for part in parts if part["type"] == 1):
        yield "too many buttons in a row"
    if not all(0 < len(item.get("description") or "") <= MOST_ALT_TEXT for item in pictures(message)):
        yield "alt text missing or too long"
