from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from multiprocessing import connection
from pathlib import Path

import discord
import pytest
import simcord
from discord.ext import commands
from easel import Card

from analysis.charts.look import Look, Picture
from bot import drawing
from bot.pictures import Pictures, PictureUnavailable, Result
from tests.patience import PATIENCE, until

HERE = Path(__file__).parent
NOW = datetime(2026, 2, 5, 18, tzinfo=UTC)

Opener = Callable[..., AbstractAsyncContextManager[Pictures]]


def card(text: str = "card", *, as_of: datetime = NOW, seconds: float = 0.0) -> Result:
    # A fresh string each time: equal questions must be one question, whoever made them.
    return Card(as_of=as_of, text="".join(text), seconds=seconds)


class Gate:
    """A drawing that lasts until it is let go; "slow" draws it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def card(self, text: str = "card") -> Result:
        pid_file, gate = str(self._folder / f"pid {text}"), str(self._folder / "open")
        return Card(as_of=NOW, text="".join(text), pid_file=pid_file, gate=gate)

    async def begun(self, text: str = "card") -> int:
        """The process that draws it, as soon as it does."""
        path = self._folder / f"pid {text}"
        await until(lambda: path.exists() and bool(path.read_text()))
        return int(path.read_text())

    def open(self) -> None:
        (self._folder / "open").touch()


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path)


@pytest.fixture
def easel() -> Opener:
    @contextlib.asynccontextmanager
    async def opened(**options: object) -> AsyncIterator[Pictures]:
        pictures = Pictures(
            charts=("plain", "slow"),
            charts_package="easel",
            language_module="easel.words",
            **({"limit": PATIENCE} | options),  # type: ignore[arg-type]
        )
        await pictures.start()
        try:
            yield pictures
        finally:
            await pictures.close()

    return opened


async def drawn_again(pictures: Pictures) -> Picture:
    """The next picture after a death; a second death in a row costs a rest of a second."""
    return await pictures.draw("plain", card("after"), Look())


async def test_a_picture_is_drawn_in_the_readers_language_by_another_process(easel: Opener) -> None:
    async with easel() as pictures:
        picture = await pictures.draw("plain", card("hello"), Look(locale="zh-TW", theme="light"))
    words, pandas, year, pid = picture.alt.split(" | ")
    assert picture.png == b"\x89PNGhellolight"
    assert words == "zh-TW:hello"
    assert pandas == "no pandas"
    assert year == "1970", "a chart must not be able to draw as_of: pictures are shared across it"
    assert int(pid) != os.getpid()


async def test_what_a_drawing_prints_stays_out_of_our_output(
    easel: Opener, capfd: pytest.CaptureFixture[str]
) -> None:
    async with easel() as pictures:
        await pictures.draw("plain", card(), Look())
    out, err = capfd.readouterr()
    assert out == ""
    assert "a library that prints" in err


async def test_fifty_who_ask_at_once_are_drawn_once(easel: Opener, gate: Gate) -> None:
    async with easel() as pictures:
        asked = [asyncio.create_task(pictures.draw("slow", gate.card(), Look())) for _ in range(50)]
        await until(lambda: pictures.shared == 49)
        gate.open()
        answers = await asyncio.gather(*asked)
        assert len({picture.png for picture in answers}) == 1
        assert (pictures.drawn, pictures.shared, pictures.cached) == (1, 49, 0)


async def test_asked_again_is_not_drawn_again_even_at_another_instant(easel: Opener) -> None:
    async with easel() as pictures:
        first = await pictures.draw("plain", card(), Look())
        later = await pictures.draw("plain", card(as_of=datetime(2026, 2, 6, tzinfo=UTC)), Look())
        assert later is first
        await pictures.draw("plain", card("other"), Look())
        await pictures.draw("plain", card(), Look(palette="tw"))
        assert (pictures.drawn, pictures.shared, pictures.cached) == (3, 0, 1)


@pytest.mark.parametrize("bound", [{"keep": 2}, {"keep_bytes": 250_000}])
async def test_the_picture_unused_for_longest_is_forgotten_first(
    easel: Opener, bound: dict[str, int]
) -> None:
    async with easel(**bound) as pictures:  # a busy picture has 100,000 bytes
        for text in ("a", "b", "a", "c", "a", "b"):
            await pictures.draw("busy", card(text), Look())
        # a, b drawn; a kept; c pushes b out; a kept; b drawn anew
        assert (pictures.drawn, pictures.cached) == (4, 2)


async def test_one_who_leaves_does_not_take_the_picture_from_the_others(easel: Opener, gate: Gate) -> None:
    async with easel() as pictures:
        leaver, stayer = (asyncio.create_task(pictures.draw("slow", gate.card(), Look())) for _ in range(2))
        await gate.begun()
        await until(lambda: pictures.shared == 1)
        leaver.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaver
        gate.open()
        assert (await stayer).png == b"card"
        assert pictures.drawn == 1


async def test_a_drawing_nobody_waits_for_any_more_is_still_kept(easel: Opener, gate: Gate) -> None:
    async with easel() as pictures:
        leaver = asyncio.create_task(pictures.draw("slow", gate.card(), Look()))
        await gate.begun()
        leaver.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaver
        gate.open()
        await until(lambda: pictures.drawn == 1)
        assert (await pictures.draw("slow", gate.card(), Look())).png == b"card"
        assert (pictures.drawn, pictures.shared, pictures.cached) == (1, 0, 1)


async def test_a_chart_that_raises_is_logged_and_leaves_the_process_alive(
    easel: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    async with easel() as pictures:
        before = await pictures.draw("plain", card(), Look())
        with pytest.raises(PictureUnavailable):
            await pictures.draw("broken", card(), Look())
        after = await drawn_again(pictures)
    assert before.alt.split(" | ")[3] == after.alt.split(" | ")[3]
    assert "ZeroDivisionError: a mistake in a chart" in caplog.text


async def test_a_process_killed_in_a_drawing_fails_that_drawing_only(easel: Opener, gate: Gate) -> None:
    async with easel() as pictures:
        hit = [asyncio.create_task(pictures.draw("slow", gate.card(), Look())) for _ in range(3)]
        pid = await gate.begun()
        await until(lambda: pictures.shared == 2)
        queued = asyncio.create_task(drawn_again(pictures))
        await until(lambda: len(pictures._drawing) == 2)
        os.kill(pid, signal.SIGKILL)
        failures = await asyncio.gather(*hit, return_exceptions=True)
        assert [type(failure) for failure in failures] == [PictureUnavailable] * 3
        assert (await queued).png.startswith(b"\x89PNG")


async def test_a_process_killed_while_idle_is_replaced_unnoticed(easel: Opener) -> None:
    async with easel() as pictures:
        first = await pictures.draw("plain", card(), Look())
        os.kill(int(first.alt.split(" | ")[3]), signal.SIGKILL)
        pipe = pictures._processes[0]._pipe
        assert pipe is not None
        connection.wait([pipe])  # its end
        assert (await drawn_again(pictures)).alt != first.alt


async def test_a_drawing_over_the_limit_is_killed(easel: Opener, gate: Gate) -> None:
    async with easel() as pictures:
        first = await pictures.draw("plain", card(), Look())
        pictures._processes[0]._limit = 0.2
        with pytest.raises(PictureUnavailable, match="took too long"):
            await pictures.draw("slow", gate.card(), Look())
        with pytest.raises(ProcessLookupError):
            os.kill(int(first.alt.split(" | ")[3]), 0)
        pictures._processes[0]._limit = PATIENCE
        assert (await drawn_again(pictures)).png.startswith(b"\x89PNG")


async def test_a_chain_of_deaths_does_not_spin(easel: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "FIRST_PAUSE", PATIENCE)
    async with easel() as pictures:
        for _ in range(2):
            with pytest.raises(PictureUnavailable, match="died"):
                await pictures.draw("dies", card(), Look())
        [process] = pictures._processes
        for _ in range(20):  # refused at once, without starting a process
            with pytest.raises(PictureUnavailable, match="no drawing process for another"):
                await drawn_again(pictures)
        assert process._process is None
        assert 0 < process._not_before - time.perf_counter() <= PATIENCE
        process._not_before = time.perf_counter()
        assert (await drawn_again(pictures)).png.startswith(b"\x89PNG")


async def test_too_many_open_drawings_are_refused_at_once(easel: Opener, gate: Gate) -> None:
    async with easel(waiting=2) as pictures:
        accepted = [asyncio.create_task(pictures.draw("slow", gate.card(text), Look())) for text in "ab"]
        await until(lambda: len(pictures._drawing) == 2)
        with pytest.raises(PictureUnavailable, match="too many"):
            await pictures.draw("slow", gate.card("one too many"), Look())
        # Asking for what is already being drawn takes no place.
        again = asyncio.create_task(pictures.draw("slow", gate.card("b"), Look()))
        await until(lambda: pictures.shared == 1)
        gate.open()
        assert (await again).png == b"b"
        await asyncio.gather(*accepted)


async def test_two_processes_draw_at_the_same_time(easel: Opener, gate: Gate) -> None:
    async with easel(workers=2) as pictures:
        drawn = [asyncio.create_task(pictures.draw("slow", gate.card(text), Look())) for text in "ab"]
        assert await gate.begun("a") != await gate.begun("b")
        gate.open()
        await asyncio.gather(*drawn)


async def test_closing_ends_what_is_being_drawn_and_refuses_more(easel: Opener, gate: Gate) -> None:
    async with easel() as pictures:
        waiting = [asyncio.create_task(pictures.draw("slow", gate.card("a"), Look()))]
        pid = await gate.begun("a")
        waiting.append(asyncio.create_task(pictures.draw("slow", gate.card("b"), Look())))
        await until(lambda: len(pictures._drawing) == 2)
        await pictures.close()
        failures = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(failure) for failure in failures] == [PictureUnavailable] * 2
        with pytest.raises(PictureUnavailable):
            await pictures.draw("plain", card(), Look())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_the_event_loop_keeps_running_while_pictures_are_drawn(easel: Opener) -> None:
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        # Of its own work: that a busy machine lets it wait is not its doing.
        last = time.thread_time()
        while True:
            await asyncio.sleep(0.002)
            now = time.thread_time()
            longest, last = max(longest, now - last), now

    async with easel() as pictures:
        watchdog = asyncio.create_task(watch())
        await asyncio.gather(*(pictures.draw("busy", card(f"{n}", seconds=0.05), Look()) for n in range(20)))
        watchdog.cancel()
    assert pictures.drawn == 20
    assert longest < 0.15


async def test_a_bot_under_simcord_gets_its_pictures_and_its_failures(easel: Opener) -> None:
    """SimCord stops the bot's clocks: neither drawing nor the time limit may depend on them."""
    bot = commands.Bot("!", intents=discord.Intents(guilds=True))

    @bot.tree.command(description="draw")
    async def draw(interaction: discord.Interaction, chart: str) -> None:
        try:
            picture = await pictures.draw(chart, card("under simcord", seconds=600), Look())
            answer = picture.png[1:4].decode()
        except PictureUnavailable as error:
            answer = str(error)
        await interaction.response.send_message(answer)

    async def sync() -> None:
        await bot.tree.sync()

    bot.setup_hook = sync  # type: ignore[method-assign]
    async with easel(workers=2) as pictures, simcord.run(bot) as env:
        guild = env.create_guild()
        channel = guild.create_text_channel("trading")
        member = guild.add_member(env.create_user("alex"))
        for chart, answer in {
            "plain": "PNG",
            "dies": "the drawing process died",
            "slow": "the drawing took too long",
        }.items():
            if chart == "slow":
                for process in pictures._processes:
                    process._limit = 0.2
            response = (await member.slash(channel, "draw", chart=chart)).response
            assert response is not None
            assert response.content == answer


def host(until: str) -> subprocess.Popen[str]:
    """The program of easel/host.py in a process group of its own, started as far as ``until``."""
    process = subprocess.Popen(
        [sys.executable, str(HERE / "easel" / "host.py"), until],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=HERE.parent.parent,
        env=os.environ | {"PYTHONPATH": str(HERE.parent.parent)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == f"{until}\n"
    return process


def test_closing_leaves_no_child_process() -> None:
    out, err = host("closed").communicate(timeout=PATIENCE)
    assert out == ""
    assert "Traceback" not in err


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_when_the_bot_is_killed_its_processes_leave(signum: signal.Signals) -> None:
    process = host("drawing")
    process.send_signal(signum)
    # Every process of the bot holds the other end of this pipe: it ends with the last of them.
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == -signum
    assert "Traceback" not in err


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_leaves_the_end_to_the_bot(signum: signal.Signals) -> None:
    process = host("deaf")
    os.killpg(process.pid, signum)
    out, err = process.communicate(timeout=PATIENCE)
    assert out == "drawn second\n"
    assert "Traceback" not in err


@pytest.mark.skipif(drawing.context().get_start_method() != "forkserver", reason="there is no fork server")
def test_what_draws_is_loaded_ahead_once_and_leaves_signals_as_they_were() -> None:
    host = """
import asyncio
import signal
from datetime import UTC, datetime
from multiprocessing import forkserver

from bot import drawing

MASK = signal.pthread_sigmask(signal.SIG_BLOCK, set())


async def main():
    from analysis.charts.look import Look
    from bot.pictures import Pictures
    from easel import Card

    pictures = Pictures(charts=("plain",), charts_package="easel", language_module="easel.words")
    await pictures.start()
    drawn = await pictures.draw("plain", Card(as_of=datetime.now(UTC), text="ahead"), Look())
    print(drawn.alt.split(" | ")[0], forkserver._forkserver._forkserver_pid == ahead)
    await pictures.close()


if __name__ == "__main__":
    room = drawing.Room(charts=("plain",), charts_package="easel", language_module="easel.words")
    drawing.load_ahead(room)
    ahead = forkserver._forkserver._forkserver_pid
    print(ahead is not None, signal.pthread_sigmask(signal.SIG_BLOCK, set()) == MASK)
    asyncio.run(main())
"""
    told = subprocess.run(
        [sys.executable, "-c", host],
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(HERE), str(HERE.parent.parent)))},
    )
    assert told.stdout.splitlines() == ["True True", "en:ahead True"]


def test_what_was_loaded_ahead_goes_when_nothing_is_to_be_drawn() -> None:
    loads = "from bot import drawing; drawing.load_ahead(drawing.Room(charts=('levels',)))"
    told = subprocess.run(
        [sys.executable, "-c", loads],
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": str(HERE.parent.parent)},
    )
    # It holds the same pipes, so all has ended when this is read.
    assert (told.stdout, told.stderr) == ("", "")
