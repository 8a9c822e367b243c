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
from pathlib import Path

import discord
import pytest
import simcord
from discord.ext import commands
from easel import Card

from analysis.charts.look import Look, Picture
from bot import drawing
from bot.pictures import Pictures, PictureUnavailable, Result

HERE = Path(__file__).parent
NOW = datetime(2026, 2, 5, 18, tzinfo=UTC)

Opener = Callable[..., AbstractAsyncContextManager[Pictures]]


def card(text: str = "card", *, as_of: datetime = NOW, seconds: float = 0.0, pid_file: str = "") -> Result:
    # A fresh string each time: equal questions must be one question, whoever made them.
    return Card(as_of=as_of, text="".join(text), seconds=seconds, pid_file=pid_file)


@pytest.fixture
def easel() -> Opener:
    @contextlib.asynccontextmanager
    async def opened(**options: object) -> AsyncIterator[Pictures]:
        pictures = Pictures(
            charts=("plain", "slow"),
            charts_package="easel",
            language_module="easel.words",
            **options,  # type: ignore[arg-type]
        )
        await pictures.start()
        try:
            yield pictures
        finally:
            await pictures.close()

    return opened


async def written(path: Path) -> int:
    """The process id a slow drawing leaves when it begins."""
    for _ in range(500):
        if path.exists() and (text := path.read_text()):
            return int(text)
        await asyncio.sleep(0.01)
    raise AssertionError("the drawing did not begin")


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


async def test_fifty_who_ask_at_once_are_drawn_once(easel: Opener) -> None:
    async with easel() as pictures:
        asked = [pictures.draw("slow", card(seconds=0.2), Look()) for _ in range(50)]
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


async def test_one_who_leaves_does_not_take_the_picture_from_the_others(easel: Opener) -> None:
    async with easel() as pictures:
        leaver, stayer = (
            asyncio.create_task(pictures.draw("slow", card(seconds=0.3), Look())) for _ in range(2)
        )
        await asyncio.sleep(0.15)
        leaver.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaver
        assert (await stayer).png == b"card"
        assert pictures.drawn == 1


async def test_a_drawing_nobody_waits_for_any_more_is_still_kept(easel: Opener) -> None:
    async with easel() as pictures:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(pictures.draw("slow", card(seconds=0.3), Look()), 0.1)
        assert (await pictures.draw("slow", card(seconds=0.3), Look())).png == b"card"
        assert (pictures.drawn, pictures.shared) == (1, 1)


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


async def test_a_process_killed_in_a_drawing_fails_that_drawing_only(easel: Opener, tmp_path: Path) -> None:
    async with easel() as pictures:
        pid_file = tmp_path / "pid"
        hit = [
            asyncio.create_task(pictures.draw("slow", card(seconds=30, pid_file=str(pid_file)), Look()))
            for _ in range(3)
        ]
        pid = await written(pid_file)
        queued = asyncio.create_task(drawn_again(pictures))
        await asyncio.sleep(0.05)
        os.kill(pid, signal.SIGKILL)
        failures = await asyncio.gather(*hit, return_exceptions=True)
        assert [type(failure) for failure in failures] == [PictureUnavailable] * 3
        assert (await queued).png.startswith(b"\x89PNG")


async def test_a_process_killed_while_idle_is_replaced_unnoticed(easel: Opener) -> None:
    async with easel() as pictures:
        first = await pictures.draw("plain", card(), Look())
        os.kill(int(first.alt.split(" | ")[3]), signal.SIGKILL)
        await asyncio.sleep(0.1)
        assert (await drawn_again(pictures)).alt != first.alt


async def test_a_drawing_over_the_limit_is_killed(easel: Opener, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    async with easel(limit=0.4) as pictures:
        began = time.perf_counter()
        with pytest.raises(PictureUnavailable):
            await pictures.draw("slow", card(seconds=30, pid_file=str(pid_file)), Look())
        assert time.perf_counter() - began < 5
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid_file.read_text()), 0)
        assert (await drawn_again(pictures)).png.startswith(b"\x89PNG")


async def test_a_chain_of_deaths_does_not_spin(easel: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drawing, "FIRST_PAUSE", 0.5)
    async with easel() as pictures:
        for _ in range(2):
            with pytest.raises(PictureUnavailable):
                await pictures.draw("dies", card(), Look())
        began = time.perf_counter()
        for _ in range(20):  # refused at once, without starting a process
            with pytest.raises(PictureUnavailable):
                await drawn_again(pictures)
        assert time.perf_counter() - began < 0.4
        await asyncio.sleep(0.5)
        assert (await drawn_again(pictures)).png.startswith(b"\x89PNG")


async def test_too_many_open_drawings_are_refused_at_once(easel: Opener) -> None:
    async with easel(waiting=2) as pictures:
        accepted = [
            asyncio.create_task(pictures.draw("slow", card(f"{n}", seconds=0.3), Look())) for n in range(2)
        ]
        await asyncio.sleep(0.15)
        with pytest.raises(PictureUnavailable):
            await pictures.draw("slow", card("one too many"), Look())
        # Asking for what is already being drawn takes no place.
        assert (await pictures.draw("slow", card("1", seconds=0.3), Look())).png == b"1"
        await asyncio.gather(*accepted)


async def test_two_processes_draw_at_the_same_time(easel: Opener) -> None:
    async with easel(workers=2) as pictures:
        drawn = await asyncio.gather(
            *(pictures.draw("slow", card(text, seconds=0.5), Look()) for text in "ab")
        )
    assert len({picture.alt for picture in drawn}) == 2


async def test_closing_ends_what_is_being_drawn_and_refuses_more(easel: Opener, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    async with easel() as pictures:
        waiting = [
            asyncio.create_task(pictures.draw("slow", card(text, seconds=30, pid_file=str(pid_file)), Look()))
            for text in "ab"
        ]
        pid = await written(pid_file)
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
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.002)
            now = time.perf_counter()
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
            picture = await pictures.draw(chart, card("under simcord", seconds=30), Look())
            answer = picture.png[1:4].decode()
        except PictureUnavailable as error:
            answer = str(error)
        await interaction.response.send_message(answer)

    async def sync() -> None:
        await bot.tree.sync()

    bot.setup_hook = sync  # type: ignore[method-assign]
    async with easel(limit=0.5, workers=2) as pictures, simcord.run(bot) as env:
        guild = env.create_guild()
        channel = guild.create_text_channel("trading")
        member = guild.add_member(env.create_user("alex"))
        for chart, answer in {
            "plain": "PNG",
            "dies": "the drawing process died",
            "slow": "the drawing took too long",
        }.items():
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
    out, err = host("closed").communicate(timeout=10)
    assert out == ""
    assert "Traceback" not in err


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM])
def test_when_the_bot_is_killed_its_processes_leave(signum: signal.Signals) -> None:
    process = host("drawing")
    process.send_signal(signum)
    # Every process of the bot holds the other end of this pipe: it ends with the last of them.
    _, err = process.communicate(timeout=3)
    assert process.returncode == -signum
    assert "Traceback" not in err


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_leaves_the_end_to_the_bot(signum: signal.Signals) -> None:
    process = host("deaf")
    os.killpg(process.pid, signum)
    out, err = process.communicate(timeout=10)
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
        timeout=60,
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
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(HERE.parent.parent)},
    )
    # It holds the same pipes, so all has ended when this is read.
    assert (told.stdout, told.stderr) == ("", "")
