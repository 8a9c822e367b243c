"""``leadline invite``: the address, with the rights the bot uses and no other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from typer.testing import Result

Leadline = Callable[..., Result]

# View Channels 2^10, Send Messages 2^11, Embed Links 2^14, Attach Files 2^15, Read Message History 2^16,
# Send Messages in Threads 2^38: 1,024 + 2,048 + 16,384 + 32,768 + 65,536 + 274,877,906,944.
PERMISSIONS = 274_878_024_704
ADMINISTRATOR = 8

# 80351110224678912 in base 64, as Discord begins a token.
TOKEN = "ODAzNTExMTAyMjQ2Nzg5MTI.Gnotre.al-this-opens-nothing"


@pytest.fixture
def leadline(command_line: Leadline) -> Leadline:
    return command_line


def test_the_address_whole(leadline: Leadline) -> None:
    told = leadline("invite", "--application-id", "80351110224678912")
    assert told.exit_code == 0
    assert told.stdout == (
        "https://discord.com/oauth2/authorize?client_id=80351110224678912&permissions=274878024704"
        "&integration_type=0&scope=bot+applications.commands\n"
    )
    asked = parse_qs(urlsplit(told.stdout.strip()).query)
    assert asked["permissions"] == [str(PERMISSIONS)]
    assert not PERMISSIONS & ADMINISTRATOR
    assert asked["scope"] == ["bot applications.commands"]


def test_the_number_is_read_from_the_token(leadline: Leadline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", TOKEN)
    told = leadline("invite")
    assert told.exit_code == 0
    assert "client_id=80351110224678912&" in told.stdout
    assert TOKEN not in told.stdout


@pytest.mark.parametrize(
    "token",
    [
        "canary",
        "canary.canary.canary",
        "ODAzNTExMTAyMjQ2Nzg5MTI",
        "ODAzNTExMTAyMjQ2Nzg5MTI.only-two",
        "MTIz.too.short",
        "......",
        "é.é.é",
        # "²" is a digit to Python, not to Discord.
        "wrLCssKywrLCssKywrLCssKywrLCssKywrLCsg.a.b",
    ],
)
def test_what_is_no_token_is_told_without_being_repeated(
    leadline: Leadline, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", token)
    told = leadline("invite")
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr == (
        "DISCORD_TOKEN is not a bot's token: copy it from the Bot page of the application, "
        "or give --application-id.\n"
    )


def test_without_a_token_the_number_must_be_given(leadline: Leadline, tmp_path: Path) -> None:
    told = leadline("invite")
    assert (told.exit_code, told.stdout) == (1, "")
    assert told.stderr.startswith("There is no DISCORD_TOKEN in .env")
    assert list(tmp_path.iterdir()) == []
