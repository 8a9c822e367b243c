"""Finding a Python to install on, and one sentence when there is none."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def python_that(change: str, folder: Path) -> Path:
    """This very Python, except that ``change`` was carried out in it first."""
    program = folder / "python3"
    program.write_text(
        f'#!/bin/sh\nexec "{sys.executable}" -c "import sys; {change}; exec(sys.argv[1])" "$2"\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    return program


def found_python(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", ROOT / "tools/python.sh"],
        check=False,
        capture_output=True,
        text=True,
        env={name: os.environ[name] for name in ("HOME",) if name in os.environ} | environment,
    )


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A folder for PATH with no Python in it: only what the script itself calls."""
    folder = tmp_path / "bare"
    folder.mkdir()
    uname = shutil.which("uname")
    assert uname is not None
    (folder / "uname").symlink_to(uname)
    return folder


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "sys.version_info = (3, 9, 2)",
            r"needs CPython 3\.11, 3\.12 or 3\.13, and .*python3 is 3\.9; install",
        ),
        (
            "sys.version_info = (3, 14, 0)",
            r"needs CPython 3\.11, 3\.12 or 3\.13, and .*python3 is 3\.14; install",
        ),
        ("sys.modules['ensurepip'] = None", r"the module ensurepip, which Python 3\.1\d .* lacks; install"),
        ("sys.modules['sqlite3'] = None", r"the module sqlite3, which Python 3\.1\d .* lacks; install"),
        ("sys.exit(3)", r"needs CPython 3\.11, 3\.12 or 3\.13, and .*python3 does not run; install"),
    ],
)
def test_an_unsuitable_python_is_one_sentence(change: str, said: str, bare: Path, tmp_path: Path) -> None:
    answer = found_python(PYTHON=str(python_that(change, tmp_path)), PATH=str(bare))
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.count("\n") == 1
    assert re.search(said, answer.stderr), answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_suitable_python_is_preferred_to_the_first_one(bare: Path, tmp_path: Path) -> None:
    python_that("sys.version_info = (3, 9, 2)", tmp_path).rename(bare / "python3.13")
    python_that("pass", bare)
    assert found_python(PATH=str(bare)).stdout == "python3\n"


def test_no_python_at_all_is_one_sentence(bare: Path) -> None:
    answer = found_python(PATH=str(bare))
    assert answer.returncode == 1
    assert re.fullmatch(
        r"Leadline needs CPython 3.11, 3.12 or 3.13, and no Python was found; install it with: .*\n",
        answer.stderr,
    )


def test_on_debian_the_newest_python_it_has_is_named(bare: Path) -> None:
    (bare / "uname").unlink()
    for name, does in (
        ("uname", "echo Linux"),
        ("apt-get", "exit 1"),
        ("apt-cache", '[ "$2" = python3.12 ]'),
    ):
        (bare / name).write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
        (bare / name).chmod(0o755)
    assert found_python(PATH=str(bare)).stderr.endswith(
        "; install it with: sudo apt install python3.12 python3.12-venv\n"
    )
