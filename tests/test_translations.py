"""The Traditional Chinese catalogue says all that the English one says, and says it properly."""

from __future__ import annotations

import ast
import re
from string import Formatter
from typing import TYPE_CHECKING

import pytest
from babel.messages.catalog import Catalog

from tools import messages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babel.messages.catalog import Message

CJK = re.compile(r"[\u3400-\u9fff]")


@pytest.fixture(scope="module")
def source() -> Catalog:
    return messages.extracted()


@pytest.fixture(scope="module")
def chinese() -> Catalog:
    return messages.kept()


def forms(message: Message) -> Iterator[tuple[str, str]]:
    """Pairs of an English sentence and its translation, one for each plural form."""
    ids = message.id if isinstance(message.id, (tuple, list)) else (message.id,)
    strings = message.string if isinstance(message.string, (tuple, list)) else (message.string,)
    for string in strings:
        yield ids[-1], string or ""


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def said(chinese: Catalog) -> list[Message]:
    return [message for message in chinese if message.id]


def test_the_source_speaks(source: Catalog) -> None:
    assert len(source) > 20


def test_every_sentence_is_translated(source: Catalog, chinese: Catalog) -> None:
    assert [message.id for message in messages.missing(source, chinese)] == []


def test_nothing_is_kept_that_nobody_says(source: Catalog, chinese: Catalog) -> None:
    assert messages.obsolete(source, chinese) == []


def test_a_translation_fills_the_same_placeholders(chinese: Catalog) -> None:
    wrong = [
        english
        for message in said(chinese)
        for english, string in forms(message)
        if placeholders(english) != placeholders(string)
    ]
    assert wrong == []


def test_characters_are_traditional(chinese: Catalog) -> None:
    """Big5 has no simplified forms, and it is what the font of the charts covers."""
    foreign = {
        (character, english)
        for message in said(chinese)
        for english, string in forms(message)
        for character in CJK.findall(string)
        if not encodes(character, "cp950")
    }
    assert foreign == set()


def encodes(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def test_punctuation_is_full_width(chinese: Catalog) -> None:
    half_width = re.compile(CJK.pattern + r"[,.;?!]")
    found = [string for message in said(chinese) for _, string in forms(message) if half_width.search(string)]
    assert found == []


def test_an_error_is_a_sentence_the_catalogue_can_find() -> None:
    """The first argument of UserError is a literal: anything else is never extracted."""
    built = [
        f"{path.relative_to(messages.ROOT)}:{node.lineno}"
        for floor in messages.FLOORS
        for path in (messages.ROOT / floor).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "UserError"
        and not (node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str))
    ]
    assert built == []


def test_the_tool_finds_what_lacks_and_what_is_left_over() -> None:
    source, catalogue = Catalog(), Catalog()
    source.add("done {n}", locations=[("a.py", 1)])
    source.add("empty", locations=[("a.py", 2)])
    source.add("unsure", locations=[("a.py", 3)])
    source.add("new", locations=[("a.py", 4)])
    catalogue.add("done {n}", "完成 {n}")
    catalogue.add("empty", "")
    catalogue.add("unsure", "不確定", flags=["fuzzy"])
    catalogue.add("gone", "已移除")
    assert [message.id for message in messages.missing(source, catalogue)] == ["empty", "unsure", "new"]
    assert messages.obsolete(source, catalogue) == ["gone"]
