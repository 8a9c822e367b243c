"""``leadline preview`` as its reader starts it: with everything behind it, and ended in every way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[2]


def preview() -> subprocess.Popen[str]:
    # A process group of its own, as a shell gives it: Ctrl-C reaches all of the group.
    return subprocess.Popen(
        [sys.executable, "-m", "bot", "preview", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
    )


def ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if "READY http://127.0.0.1:" in line:
            return
    raise AssertionError(process.communicate()[1])


def test_ctrl_c_ends_everything_in_order() -> None:
    process = preview()
    ready(process)
    os.killpg(process.pid, signal.SIGINT)
    # Every process of the bot holds the other end of this pipe: it ends with the last of them.
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert err == ""


def test_killed_it_leaves_nobody_behind() -> None:
    process = preview()
    ready(process)
    process.kill()
    _, err = process.communicate(timeout=PATIENCE)
    assert "Traceback" not in err
