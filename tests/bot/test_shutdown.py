from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE

PROGRAM = """
import asyncio
from bot.shutdown import stopped_by_signals

async def main():
    stop = asyncio.Event()
    with stopped_by_signals(stop):
        print("running", flush=True)
        await stop.wait()
        print("stopping", flush=True)
        try:
            await asyncio.sleep({seconds})
        finally:
            print("cleaned up", flush=True)
            await asyncio.sleep({last})

asyncio.run(main())
"""


def program(*, seconds: float, last: float = 0) -> subprocess.Popen[str]:
    """Runs until the first signal, then takes ``seconds`` to end, then ``last`` to clean up."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(seconds=seconds, last=last)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    said(process, "running")
    return process


def said(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == f"{line}\n"


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_lets_the_program_end_by_itself(signum: signal.Signals) -> None:
    process = program(seconds=0.2)
    process.send_signal(signum)
    said(process, "stopping")
    assert process.communicate(timeout=PATIENCE) == ("cleaned up\n", "")
    assert process.returncode == 0


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_signal_ends_it_at_once_but_cleaned_up(signum: signal.Signals, code: int) -> None:
    process = program(seconds=2 * PATIENCE)
    process.send_signal(signal.SIGINT)
    said(process, "stopping")
    process.send_signal(signum)
    assert process.communicate(timeout=PATIENCE) == ("cleaned up\n", "")
    assert process.returncode == code


def test_a_third_signal_kills() -> None:
    process = program(seconds=2 * PATIENCE, last=2 * PATIENCE)
    process.send_signal(signal.SIGTERM)
    said(process, "stopping")
    process.send_signal(signal.SIGTERM)
    said(process, "cleaned up")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGTERM
