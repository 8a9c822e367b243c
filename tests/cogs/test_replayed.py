"""Whatever changes something, really done and then delivered again and again: done once.

Which places those are is read from the source: whoever asks ``handled.first_time``.
``/replay`` is in no store and only where something is replayed: ``test_replay.py``.
"""

from __future__ import annotations

import ast
import copy
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import simcord
from digesting import choose
from people import Server, bot_of, sent
from simcord.components import walk_components
from sqlalchemy import select

from storage import handled, schema
from storage.store import Db
from tests.soak import times

ROOT = Path(__file__).resolve().parent.parent.parent
AT_ONCE = times(short=12, long=40)
NOTICE = {
    "effective": "2026-02-06",
    "value": "18",
    "notice": "2026-02-05",
    "number": "26-057",
    "link": "https://www.cmegroup.com/notices/clearing/2026/02/Chadv26-057.html",
}


def asking() -> set[str]:
    """Every function that asks whether an interaction comes for the first time, by file and name."""
    found = set()
    for file in (file for folder in ("bot", "cogs", "storage") for file in (ROOT / folder).rglob("*.py")):
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(function, ast.AsyncFunctionDef) and any(
                isinstance(part, ast.Attribute) and part.attr == "first_time" for part in ast.walk(function)
            ):
                found.add(f"{file.relative_to(ROOT)}:{function.name}")
    return found


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each of them was told that it is the first time."""
    first_time, counted = handled.first_time, Counter[str]()

    async def counting(db: Db, interaction_id: int, *, now: datetime) -> bool:
        caller = sys._getframe(1).f_code
        first = await first_time(db, interaction_id, now=now)
        counted[f"{Path(caller.co_filename).relative_to(ROOT)}:{caller.co_name}"] += first
        return first

    monkeypatch.setattr(handled, "first_time", counting)
    return counted


@pytest.fixture
def delivered(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Every interaction as Discord has sent it."""
    emit, payloads = server.env.backend.emit, list[dict[str, Any]]()

    def noting(event: str, payload: Any, *arguments: Any, **named: Any) -> Any:
        if event == "INTERACTION_CREATE":
            payloads.append(copy.deepcopy(payload))
        return emit(event, payload, *arguments, **named)

    monkeypatch.setattr(server.env.backend, "emit", noting)
    yield payloads
    monkeypatch.undo()


MARKET = {"bars", "daily_rollups", "flow_versions", "fund_flows", "macro_observations", "kept_results"}
"""Long, and changed by nobody's press."""


async def stored(server: Server) -> dict[str, list[Any]]:
    async with bot_of(server).answers.store.read() as db:
        return {
            table.name: sorted(map(repr, (await db.execute(select(table))).all()))
            for table in schema.metadata.sorted_tables
            if table.name not in MARKET
        }


def shown(server: Server) -> list[tuple[int, str]]:
    messages = server.env.backend.messages[server.channel.id].values()
    return [(message.id, message.content + repr(message.components)) for message in messages]


@pytest.mark.soak
async def test_whatever_changes_something_is_done_once_however_often_it_is_delivered(
    server: Server, done: Counter[str], delivered: list[dict[str, Any]]
) -> None:
    me, steps = server.moderator, 0

    async def again(payload: dict[str, Any], times: int) -> None:
        for _ in range(times):
            server.env.backend.emit("INTERACTION_CREATE", copy.deepcopy(payload))
        await server.env.settle()

    async def step(act: Callable[[], Awaitable[simcord.InteractionResult]]) -> simcord.InteractionResult:
        """Done, which changes something; and delivered again, which does not."""
        nonlocal steps
        before, firsts = await stored(server), done.total()
        result = await act()
        steps += 1
        where = f"step {steps}: {sent(result).content if result.response else ''}"
        after, seen = await stored(server), shown(server)
        assert after["handled_interactions"] != before.pop("handled_interactions"), where
        assert any(after[table] != before[table] for table in before), where
        changing.append(delivered[-1])
        await again(changing[-1], AT_ONCE)
        assert (await stored(server), shown(server)) == (after, seen), where
        assert done.total() == firsts + 1, where
        return result

    def press(card: simcord.ResponseMessage, label: str) -> Callable[[], Awaitable[Any]]:
        return lambda: me.click(card, label=label)

    changing: list[dict[str, Any]] = []
    await step(lambda: me.slash(server.channel, "level-book add", price="61.5k"))
    await step(lambda: me.slash(server.channel, "level-book remove", level="40k"))

    await step(lambda: me.slash(server.channel, "settings", theme="light"))
    panel = sent(await me.slash(server.channel, "settings"))
    await step(lambda: choose(server, panel, "palette", "cb"))
    await step(press(panel, "Only for the asker"))
    form = await me.click(panel, label="Change the thresholds")
    await step(lambda: me.submit_modal(form, {"closes": "6"}))

    draft = sent(await me.slash(server.channel, "digest add", report="levels", time="9"))
    await step(press(draft, "Confirm"))
    listed = sent(await me.slash(server.channel, "digest list"))
    await step(press(listed, "Post now"))
    await step(press(listed, "Pause"))
    await step(lambda: me.slash(server.channel, "digest resume"))
    edited = sent(await me.slash(server.channel, "digest edit", time="10"))
    await step(press(edited, "Save"))
    asked = sent(await me.slash(server.channel, "digest remove"))
    await step(press(asked, "Remove"))

    alert = sent(await me.slash(server.channel, "alerts add", kind="close", price="70k"))
    await step(press(alert, "Confirm"))
    for label in ("Mute 1 h", "Unmute", "Delete"):
        alerts = sent(await me.slash(server.channel, "alerts list"))
        [menu] = [part for part in walk_components(alerts.components) if part.get("type") == 3]
        await me.select(alerts, [menu["options"][0]["value"]], custom_id=menu["custom_id"])
        await step(press(alerts, label))

    shown_form = await me.slash(server.channel, "data margin", product="SI", rule="percent")
    entry = sent(await me.submit_modal(shown_form, NOTICE))
    await step(press(entry, "Confirm"))
    await step(press(entry, "Undo"))

    forgotten = sent(await me.slash(server.channel, "privacy delete"))
    await step(press(forgotten, "Delete"))

    # By now each was undone or changed again: all of them once more, from the first to the last.
    everything, firsts = await stored(server), done.total()
    for payload in changing:
        await again(payload, AT_ONCE // 2)
    assert await stored(server) == everything
    assert done.total() == firsts == steps
    assert steps * AT_ONCE * 3 // 2 >= times(short=300, long=1_000)
    assert set(done) == asking() - {"cogs/replay.py:_change"}
    simcord.assert_error(server.env)
