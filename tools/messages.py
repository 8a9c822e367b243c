"""What the catalogue of a language lacks.

``python tools/messages.py`` prints the sentences of the source that
``bot/locales/zh_TW/LC_MESSAGES/bot.po`` does not translate, in the form of that
file, ready to be pasted into it; what it translates although no source says it
goes to standard error. Exits 1 if there was either.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

if TYPE_CHECKING:
    from babel.messages.catalog import Message

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("analysis", "bot", "cogs", "providers", "storage")
CATALOGUE = ROOT / "bot/locales/zh_TW/LC_MESSAGES/bot.po"

# Calls whose first argument is shown to somebody. N_ marks what is translated later.
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "AlreadyDone": None,
    "N_": None,
    "NoData": None,
    "NotAllowed": None,
    "OperatorMustAct": None,
    "StartLater": None,
    "UserError": None,
    "gettext": None,
    "locale_str": None,
    "ngettext": (1, 2),
}


def extracted(root: Path = ROOT) -> Catalog:
    """Every sentence the packages say, with the files that say it."""
    catalogue = Catalog()
    for floor in FLOORS:
        found = extract_from_dir(
            root / floor, method_map=[("**.py", "python")], options_map={}, keywords=KEYWORDS
        )
        for path, line, msgid, _comments, context in found:
            catalogue.add(msgid, locations=[(f"{floor}/{path}", line)], context=context)
    return catalogue


def kept(path: Path = CATALOGUE) -> Catalog:
    """The catalogue as it stands; raises if the file is not well-formed."""
    with path.open("rb") as file:
        return read_po(file, abort_invalid=True)


def translated(message: Message) -> bool:
    """Whether somebody finished this translation, in every plural form."""
    forms = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    return not message.fuzzy and bool(forms) and all(forms)


def missing(source: Catalog, catalogue: Catalog) -> list[Message]:
    """What the source says and the catalogue does not translate, in order of place."""
    found = []
    for message in source:
        if not message.id:  # the header
            continue
        known = catalogue.get(message.id, message.context)
        if known is None or not translated(known):
            found.append(message)
    return found


def obsolete(source: Catalog, catalogue: Catalog) -> list[str]:
    """What the catalogue keeps although no source says it, commented-out entries included."""
    unsaid = [
        message for message in catalogue if message.id and source.get(message.id, message.context) is None
    ]
    return [str(message.id) for message in (*catalogue.obsolete.values(), *unsaid)]


def main() -> int:
    source, catalogue = extracted(), kept()
    lacking, left_over = missing(source, catalogue), obsolete(source, catalogue)
    for msgid in left_over:
        print(f"said nowhere: {msgid}", file=sys.stderr)
    if lacking:
        page = Catalog()
        for message in lacking:
            page.add(message.id, locations=message.locations, context=message.context)
        sys.stdout.flush()
        write_po(sys.stdout.buffer, page, omit_header=True, width=0)
    if not lacking and not left_over:
        print(f"{len(source)} sentences, each translated")
    return 1 if lacking or left_over else 0


if __name__ == "__main__":
    sys.exit(main())
