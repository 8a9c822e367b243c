"""Dependencies, locks and the wheel agree with the project file."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = ("analysis", "bot", "cogs", "providers", "storage")


def locked(lock: str) -> dict[str, str]:
    pins = re.findall(
        r"^([\w.-]+)==([^\s;]+)",
        (ROOT / f"requirements/{lock}.txt").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    return {canonicalize_name(name): version for name, version in pins}


def asked(*extras: str) -> list[Requirement]:
    listed = [*PROJECT["build-system"]["requires"], *PROJECT["project"]["dependencies"]]
    for extra in extras:
        listed += PROJECT["project"]["optional-dependencies"][extra]
    return [Requirement(line) for line in listed]


@pytest.mark.parametrize(
    ("lock", "extras"),
    [
        ("run", ()),
        ("preview", ("preview",)),
        ("dev", ("preview", "dev")),
        ("bench", ("preview", "dev", "bench")),
    ],
)
def test_the_locks_hold_what_the_project_asks(lock: str, extras: tuple[str, ...]) -> None:
    pins = locked(lock)
    unmet = [
        str(wanted)
        for wanted in asked(*extras)
        if not wanted.specifier.contains(pins.get(canonicalize_name(wanted.name), "0"))
    ]
    assert unmet == [], "run `make lock`"


def test_the_locks_agree() -> None:
    run, preview, dev, bench = locked("run"), locked("preview"), locked("dev"), locked("bench")
    assert run.items() <= preview.items() <= dev.items() <= bench.items()


def test_the_locks_name_no_address() -> None:
    for lock in (ROOT / "requirements").iterdir():
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text, lock
        assert re.findall(r"^\s*--(?!hash=sha256:)\S+", text, re.MULTILINE) == [], lock


def test_every_package_has_its_reason() -> None:
    decision = (ROOT / "docs/decisions/0002-dependencies.md").read_text(encoding="utf-8")
    missing = [
        wanted.name for wanted in asked("preview", "dev", "bench") if f"`{wanted.name}`" not in decision
    ]
    assert missing == []


def test_the_wheel_holds_every_file_of_the_packages(tracked: list[Path], tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    files = [path.relative_to(ROOT) for path in tracked]
    for file in files:
        (clone / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / file, clone / file)
    subprocess.run(
        [sys.executable, "-c", "from setuptools.build_meta import build_wheel; build_wheel('..')"],
        cwd=clone,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    needed = {file.as_posix() for file in files if file.parts[0] in PACKAGES}
    assert needed - held == set()
    for folder in ("analysis/charts/fonts/", "bot/locales/", "storage/migrations/", "storage/sample/"):
        assert any(file.startswith(folder) for file in held), folder
