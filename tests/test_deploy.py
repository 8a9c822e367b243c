"""What the unit and the image promise; and the bot started the way they start it, as far as that goes without them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.settings import Settings
from bot.terminal import MUST_ACT, START_LATER

ROOT = Path(__file__).resolve().parent.parent
UNIT = (ROOT / "deploy/leadline.service").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text(encoding="utf-8")


def unit() -> dict[str, list[str]]:
    """The directives of the unit; each may stand there more than once."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", UNIT, re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile in order, continued lines joined."""
    lines = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE)).splitlines()
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines if line)]


def test_the_unit_starts_again_after_a_crash_and_not_after_a_refusal() -> None:
    told = unit()
    assert told["Restart"] == ["on-failure"]
    assert (
        set(told["RestartPreventExitStatus"][0].split()) == {str(MUST_ACT), str(START_LATER)} == {"75", "78"}
    )
    assert int(told["TimeoutStopSec"][0]) > 8 + 5
    assert told["KillMode"] == ["mixed"]


def test_the_unit_gives_away_nothing() -> None:
    told = unit()
    assert told["User"] == ["leadline"]
    assert told["ProtectSystem"] == ["strict"]
    assert told["NoNewPrivileges"] == ["yes"]
    assert told["CapabilityBoundingSet"] == told["AmbientCapabilities"] == [""]
    assert told["StateDirectory"] == ["leadline"]
    assert "MemoryMax" in told
    # The one file that holds the token becomes the one setting of that name.
    [credential] = told["LoadCredential"]
    assert credential.split(":")[0] in Settings.model_fields
    assert "DISCORD_TOKEN" not in UNIT


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    """With a program that is here in the place of the one that is not."""
    copy = tmp_path / "leadline.service"
    copy.write_text(re.sub(r"^(ExecStart=)\S+", rf"\1{sys.executable}", UNIT, flags=re.MULTILINE))
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", copy],
        check=False,
        capture_output=True,
        text=True,
    )
    mine = [line for line in checked.stderr.splitlines() if "leadline" in line]
    # This user and this folder are made where the unit is installed.
    assert [line for line in mine if not re.search(r"Documentation|/opt/leadline", line)] == []
    rated = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=25", copy],
        check=False,
        capture_output=True,
        text=True,
    )
    assert rated.returncode == 0, rated.stdout


def test_the_image_runs_as_nobody_in_particular_and_holds_no_secret() -> None:
    told = instructions()
    last = max(index for index, (name, _) in enumerate(told) if name == "FROM")
    final = told[last:]
    [user] = [rest for name, rest in final if name == "USER"]
    assert int(user.split(":")[0]) > 0
    assert [name for name, _ in final].index("USER") < [name for name, _ in final].index("ENTRYPOINT")
    assert ("VOLUME", "/var/lib/leadline") in final
    assert {rest for name, rest in told if name == "FROM"} == {
        "python:3.12-slim-bookworm AS build",
        "python:3.12-slim-bookworm",
    }
    for name, rest in told:
        if name in {"ENV", "ARG"}:
            assert "TOKEN" not in rest.upper()
    assert not [rest for name, rest in told if name == "ADD" or rest.startswith(". ")]
    [installed] = [rest for name, rest in told if name == "RUN" and "requirements/run.txt" in rest]
    assert "--require-hashes" in installed
    [healthy] = [rest for name, rest in final if name == "HEALTHCHECK"]
    assert json.loads(healthy.split("CMD ")[1]) == ["leadline", "doctor", "--health"]


def test_the_image_is_given_what_it_copies_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if not line.startswith("#")]
    assert rules[0] == "*"
    sent = {rule.removeprefix("!") for rule in rules[1:] if rule.startswith("!")}
    copied = {
        source
        for name, rest in instructions()
        if name == "COPY" and "--from" not in rest
        for source in rest.split()[:-1]
    }
    assert sent == copied
    assert all((ROOT / source).exists() for source in copied)


CONFINED = shutil.which("bwrap") is not None and shutil.which("setpriv") is not None and os.geteuid() == 0


@pytest.mark.skipif(not CONFINED, reason="needs root, bwrap and setpriv to start it as the image does")
def test_it_runs_with_a_read_only_root_as_a_nobody(tmp_path: Path) -> None:
    """Uid 10001, no capability, everything read-only but /tmp and the volume."""
    volume = tmp_path / "volume"
    volume.mkdir()
    os.chown(volume, 10001, 10001)
    temporary = "/tmp"  # noqa: S108 -- the one of the box
    box = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    box += ["--tmpfs", "/root", "--tmpfs", temporary, "--chmod", "1777", temporary]
    for binding, place in (("--ro-bind", Path(sys.base_prefix)), ("--ro-bind", ROOT), ("--bind", volume)):
        if Path("/root") in place.parents or Path(temporary) in place.parents:
            for parent in reversed(place.parents[:-2]):  # else only root may pass through them
                box += ["--perms", "0755", "--dir", str(parent)]
            box += [binding, str(place), str(place)]
        elif binding == "--bind":
            box += [binding, str(place), str(place)]
    box += ["--chdir", str(volume), "--unshare-net", "--unshare-pid", "--unshare-ipc", "--die-with-parent"]
    box += ["setpriv", "--reuid=10001", "--regid=10001", "--clear-groups", "--no-new-privs"]
    box += ["--bounding-set=-all", "--inh-caps=-all"]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(volume),
        "DATABASE_URL": str(volume / "leadline.db"),
        "MPLCONFIGDIR": f"{temporary}/matplotlib",
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*box, *command], check=False, capture_output=True, text=True, env=environment, timeout=600
        )

    leadline = (sys.executable, "-m", "bot")
    made = run(*leadline, "sample")
    assert (made.returncode, made.stderr) == (0, "")
    answered = run(
        *leadline, "report", "levels", "--at", "2026-02-05T18:00:00Z", "--json", "--png", "levels.png"
    )
    assert (answered.returncode, answered.stderr) == (0, "")
    assert json.loads(answered.stdout)["next_floor"]["price"] == 56_100
    assert (volume / "levels.png").read_bytes().startswith(b"\x89PNG")
    assert (volume / "leadline.db").stat().st_uid == 10001
    for place in (ROOT / "bot", Path("/etc"), Path(sys.prefix)):
        refused = run("touch", str(place / "written"))
        assert refused.returncode != 0, place
        assert "Read-only file system" in refused.stderr or "Permission denied" in refused.stderr
    assert run("id", "-u").stdout == "10001\n"
    assert "CapEff:\t0000000000000000" in run("cat", "/proc/self/status").stdout
