"""``/help``: by question, from what the commands themselves declare."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from discord import Interaction, Locale, app_commands
from people import Server, Speaking, bot_of, sent, texts

from bot import preview_words, questions
from bot.language import Speech, catalogue
from bot.permissions import Right, open_to
from bot.questions import QUESTION

Known = app_commands.Command[Any, ..., Any] | app_commands.Group | app_commands.ContextMenu


def leaves(commands: Sequence[Known]) -> Iterator[app_commands.Command[Any, ..., Any]]:
    for command in commands:
        if isinstance(command, app_commands.Group):
            yield from leaves(command.commands)
        elif isinstance(command, app_commands.Command):
            yield command


def declared(command: app_commands.Command[Any, ..., Any]) -> str | None:
    groups = (command.parent, command.root_parent)
    extras = [command.extras, *(group.extras for group in groups if group is not None)]
    return next((extra[QUESTION] for extra in extras if QUESTION in extra), None)


async def test_every_command_has_its_question_in_both_languages(server: Server) -> None:
    known = bot_of(server).tree.get_commands()
    for command in leaves(known):
        question = declared(command)
        assert question, f"/{command.qualified_name} declares no question: extras={{QUESTION: N_(...)}}"
        assert re.search(r"[\u4e00-\u9fff]", catalogue("zh-TW").gettext(question)), question
    assert questions.undeclared(known) == []


async def test_members_see_their_questions_and_can_press_the_commands(server: Server) -> None:
    page = await server.alice.slash(server.channel, "help")
    assert page.ephemeral
    ids = bot_of(server).command_ids
    [text] = texts(sent(page))
    assert text.split("\n") == [
        "### What would you like to know?",
        f"- How far down is the next floor? </levels:{ids['levels']}>",
        f"- Do ETFs take in or give back? </flows:{ids['flows']}>",
        f"- What does a silver contract cost, and where is the margin call? </silver-margin:{ids['silver-margin']}>",
        f"- Is it stress or rotation? </stress:{ids['stress']}>",
        f"- Where do Fed and prices stand? </macro:{ids['macro']}>",
        f"- How do the four lights stand? </lights:{ids['lights']}>",
        f"- Where would I be liquidated? </ladder:{ids['ladder']}>",
        f"- Which prices are watched here? </level-book list:{ids['level-book']}>",
        f"- Who tells me when a level breaks? </alerts add:{ids['alerts']}>",
        f"- What is kept about me? </privacy show:{ids['privacy']}>",
        f"- How old are the figures? </data status:{ids['data']}>",
        "-# Options are explained while you type. Leadline reads no messages.",
    ]


async def test_moderators_see_theirs_too(server: Server) -> None:
    page = await server.moderator.slash(server.channel, "help")
    [text] = texts(sent(page))
    number = bot_of(server).command_ids["settings"]
    assert (
        f"\n### For moderators\n- Where are language, time zone and colours set? </settings:{number}>" in text
    )


async def test_in_chinese(server: Server, speaking: Speaking) -> None:
    with speaking("zh-TW"):
        page = await server.alice.slash(server.channel, "help")
    [text] = texts(sent(page))
    assert text.startswith("### 想知道什麼？\n- 下一層支撐還有多深？ </levels:")


async def test_it_fits_one_screen_of_a_phone_and_has_no_links(server: Server, speaking: Speaking) -> None:
    for locale in ("en-US", "zh-TW"):
        with speaking(locale):
            page = await server.moderator.slash(server.channel, "help")
        [text] = texts(sent(page))
        # Some 40 narrow characters a line, 25 lines between the heading and where one types.
        shown = re.sub(r"</([\w -]+):\d+>", r"/\1", text)
        widths = [sum(2 if ord(char) > 0x2E80 else 1 for char in line) for line in shown.split("\n")]
        assert sum(-(-width // 40) for width in widths) <= 25
        assert "http" not in text


def example() -> list[Known]:
    book = app_commands.Group(name="book", description="b", extras={QUESTION: "Which levels?"})
    tool = app_commands.Group(name="tool", description="t")

    @book.command(name="add", description="a")
    @open_to(Right.MODERATOR)
    async def add(interaction: Interaction) -> None: ...

    @book.command(name="list", description="l")
    @open_to(Right.MEMBER)
    async def listed(interaction: Interaction) -> None: ...

    @tool.command(name="one", description="o", extras={QUESTION: "One?"})
    @open_to(Right.MODERATOR)
    async def one(interaction: Interaction) -> None: ...

    @tool.command(name="two", description="w")
    @open_to(Right.MEMBER)
    async def two(interaction: Interaction) -> None: ...

    return [book, tool]


class Names(app_commands.Translator):
    """Two names that Discord shows in Chinese."""

    async def translate(
        self,
        string: app_commands.locale_str,
        locale: Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        return {"book": "價位表", "list": "清單"}.get(string.message)


async def test_groups_declare_for_all_or_each_for_itself() -> None:
    commands = example()
    assert questions.undeclared(commands) == ["tool two"]
    lines = await questions.lines(commands, Names())
    assert [(line.question, line.command, line.right, line.local) for line in lines] == [
        ("Which levels?", "book list", Right.MEMBER, "/價位表 清單"),
        ("One?", "tool one", Right.MODERATOR, None),
    ]


async def test_both_names_where_they_differ_and_bare_names_without_numbers() -> None:
    lines = await questions.lines(example(), Names())
    chinese, english = Speech("zh-TW", ZoneInfo("UTC")), Speech("en", ZoneInfo("UTC"))
    assert "- Which levels? </book list:7> `/價位表 清單`\n" in questions.words(
        lines, {"book": 7}, chinese, moderator=False
    )
    told = questions.words(lines, {}, english, moderator=True)
    assert "- Which levels? `/book list`\n" in told
    assert "- One? `/tool one`\n" in told
    assert "One?" not in questions.words(lines, {}, english, moderator=False)


async def test_the_page_without_a_token_names_every_command(server: Server) -> None:
    there = {f"/{command.name}" for command in bot_of(server).tree.get_commands()}
    english, chinese = preview_words.on_sample(datetime(2026, 2, 5, 18, tzinfo=UTC), 1.0).split("\n")
    # The page's own command is not in a bot that connects to Discord.
    for told in (english, chinese):
        assert set(re.findall(r"`(/[a-z-]+)`", told)) == there | {"/replay"}
    assert set(re.findall(r"`(/[a-z-]+)`", preview_words.live())) == there
