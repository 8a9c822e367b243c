"""What the tree promises of itself: settings, documents and imports agree with each other."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import tomllib
from enum import Enum
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.settings import Settings

ROOT = Path(__file__).resolve().parent.parent


def text_of(path: Path) -> str:
    """The text of a file; of a picture or a font, nothing."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def variable(name: str) -> str:
    field = Settings.model_fields[name]
    alias = field.validation_alias or field.alias
    if alias is not None:
        assert isinstance(alias, str), f"{name}: one setting, one name"
        return alias.upper()
    return f"{Settings.model_config['env_prefix']}{name}".upper()


def written(value: object) -> str:
    """A default as one writes it after NAME=."""
    match value:
        case None:
            return ""
        case SecretStr():
            return value.get_secret_value()
        case bool():
            return str(value).lower()
        case Enum():
            return str(value.value)
        case _:
            return str(value)


def test_the_example_names_every_setting_with_its_default() -> None:
    """And says of each what Settings says of it; nothing else stands there."""
    shown: dict[str, tuple[str, str]] = {}
    comment: list[str] = []
    for line in filter(None, (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()):
        if line.startswith("# "):
            comment.append(line.removeprefix("# "))
            continue
        name, equals, value = line.partition("=")
        assert equals, line
        assert name not in shown, f"{name} stands there twice"
        shown[name] = (" ".join(comment), value)
        comment = []
    assert comment == [], "a comment about nothing"
    defaults = {
        variable(name): (field.description, written(field.get_default(call_default_factory=True)))
        for name, field in Settings.model_fields.items()
    }
    assert shown == defaults


def test_a_copy_of_the_example_changes_nothing() -> None:
    copied = Settings(_env_file=ROOT / ".env.example")
    assert copied == Settings(_env_file=None)


def test_the_version_is_stated_once(tracked: list[Path]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    version = project["project"]["version"]
    assert importlib.metadata.version("leadline") == version
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    stated = re.compile(rf"(?<![\d.]){re.escape(version)}(?![\d.])")
    again = [
        path.relative_to(ROOT).as_posix()
        for path in tracked
        if path.suffix in {".py", ".toml", ".sh", ".po", ".example"} and stated.search(text_of(path))
    ]
    assert again == ["pyproject.toml"]


MACHINE_PATH = re.compile(r"(?<![\w.$}~-])/(?:root|home|Users|work)/\w")
REGISTRY = re.compile(r"\b(?:pypi|pythonhosted|npmjs|debian)\.(?:org|com)\b")
LINK = re.compile(r"\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)\)")


def test_no_file_knows_a_machine_or_a_registry(tracked: list[Path]) -> None:
    told = [
        f"{path.relative_to(ROOT)}: {found.group()}"
        for path in tracked
        for found in (*MACHINE_PATH.finditer(text_of(path)), *REGISTRY.finditer(text_of(path)))
    ]
    assert told == []


def prose(path: Path) -> str:
    """The text of a page without its code, in which # and [] mean other things."""
    return re.sub(r"^```.*?^```$", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """What the headings of a page are called in its address."""
    headings = re.findall(r"^#+ +(.*?) *$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_between_documents_lead_somewhere(tracked: list[Path]) -> None:
    broken = []
    for page in tracked:
        if page.suffix != ".md":
            continue
        for link in LINK.findall(prose(page)):
            if re.match(r"[a-z]+:", link):
                continue
            file, _, anchor = link.partition("#")
            target = (page.parent / file) if file else page
            if not target.exists() or (anchor and anchor not in anchors(target)):
                broken.append(f"{page.relative_to(ROOT)}: {link}")
    assert broken == []


def test_both_readmes_tell_the_same() -> None:
    english, chinese = prose(ROOT / "README.md"), prose(ROOT / "README.zh-TW.md")
    levels = re.compile(r"^(#+) ", re.MULTILINE)
    assert levels.findall(english) == levels.findall(chinese)
    # Each page links to the other and to its own language's pictures and headings.
    targets, translated = (
        [re.sub("#.*", "#", link).replace(".zh-TW.", ".") for link in LINK.findall(page)]
        for page in (english, chinese)
    )
    assert sorted(targets) == sorted(translated)


def test_decisions_have_one_form() -> None:
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [path.name[:5] for path in decisions] == [f"{n:04}-" for n in range(1, len(decisions) + 1)]
    for path in decisions:
        headings = re.findall(r"^#+ .*$", prose(path), re.MULTILINE)
        assert headings[0].startswith(f"# {path.name[:4]} "), path
        assert headings[1:] == ["## Context", "## Weighed", "## Decided", "## Consequences"], path


@pytest.mark.parametrize(
    ("modules", "absent"),
    [
        # A worker that draws is started often and lives beside others: it stays small.
        ("bot.pictures, bot.language, analysis.charts.levels", ("pandas", "discord", "sqlalchemy", "typer")),
        # `leadline --version` and wrong usage answer at once, and workers import this again.
        ("bot.__main__", ("pandas", "matplotlib", "simcord", "numpy", "sqlalchemy")),
        # The bot draws nowhere but in another process, reads its bars only when asked, and its store is current.
        ("bot.running, bot.answers, bot.reports, bot.client", ("matplotlib", "pandas", "alembic", "httpx")),
    ],
)
def test_an_import_brings_only_what_it_needs(modules: str, absent: tuple[str, ...]) -> None:
    brought = subprocess.run(
        [sys.executable, "-c", f"import sys, {modules}; print(*sys.modules, sep='\\n')"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert set(absent) & set(brought) == set()
