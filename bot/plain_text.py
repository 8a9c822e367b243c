"""Other people's text made harmless: kept as words, never as a mention, formatting or a link.

Three places, three forms: ``cleaned`` is what is stored, ``quoted`` is how it is shown
(Discord formats nothing inside a code span), ``inert`` is for sentences in which a code
span would be wrong, such as an error that repeats what was typed. What charts can draw of
it is decided in ``analysis/charts/text.py``.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MOST: Final = 80
"""Characters kept of a label, a venue or a source."""

# Lines, directions, zero width, private use, half of a pair, not assigned: nobody sees them.
_UNSEEN: Final = {"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"}
# Blank or joining although Unicode counts them as letters or marks.
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(code) for span in (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0)) for code in span
}
# Invitations work without a scheme: discord.gg/abc.
_ADDRESS: Final = re.compile(r"\.(?=[a-zA-Z]{2,}/)")
# Inside a word, as in America/New_York, Discord takes it for a letter.
_UNDERSCORE: Final = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_INERT: Final = str.maketrans(
    {
        "`": "'",
        "@": "＠",  # noqa: RUF001 -- full width on purpose: legible, and Discord sees no mark in it
        "<": "＜",  # noqa: RUF001
        ">": "＞",  # noqa: RUF001
        "[": "［",  # noqa: RUF001
        "]": "］",  # noqa: RUF001
        "*": "＊",  # noqa: RUF001
        "|": "｜",  # noqa: RUF001
        "#": "＃",  # noqa: RUF001
        "\\": "＼",  # noqa: RUF001
    }
)


def cleaned(text: str, most: int = MOST) -> str:
    """One line of what can be seen, composed (NFC), at most ``most`` characters; may be empty."""
    # Only so much can matter; a text of a megabyte must not cost a megabyte of work.
    composed = unicodedata.normalize("NFC", text[: 16 * most])
    kept = "".join(" " if char.isspace() else char for char in composed if _is_seen(char))
    return " ".join(kept.split())[:most].rstrip()


def _is_seen(char: str) -> bool:
    return char.isspace() or not (unicodedata.category(char) in _UNSEEN or char in _BLANK)


def quoted(text: str, most: int = MOST) -> str:
    """``text`` in a code span, a dash if nothing of it can be seen; a backtick would end the span."""
    kept = cleaned(text.replace("`", ""), most)
    return f"`{kept}`" if kept else "–"


def inert(text: str) -> str:
    """``text`` with the characters Discord acts upon in full width, and addresses that lead nowhere."""
    kept = _UNDERSCORE.sub("＿", cleaned(text, most=400).translate(_INERT))  # noqa: RUF001
    kept = _ADDRESS.sub("．", kept)  # noqa: RUF001
    return kept.replace("://", "：//").replace("~~", "～～")  # noqa: RUF001
