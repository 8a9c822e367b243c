"""``/macro`` as people meet it."""

from __future__ import annotations

from people import Server, Speaking, buttons, pictures_of, sent, texts


async def test_four_dated_lines_and_a_picture(server: Server) -> None:
    result = await server.alice.slash(server.channel, "macro")
    first, data = texts(sent(result))
    lines = first.split("\n")
    assert lines[0] == "**Fed target range 3.50–3.75 %** since 11 Dec 2025, decided on 10 Dec 2025"
    assert lines[1] == "Last meeting 28 Jan 2026: unchanged · next 18 Mar 2026 18:00 UTC"
    assert lines[2] == (
        "Consumer prices Dec 2025: +2.7\N{NO-BREAK SPACE}% on Dec 2024 · missing, never published: Oct 2025 · "
        "Jan 2026 is due 13 Feb 13:30 UTC"
    )
    assert "WTI oil 65.14 (4 Feb; +11.7 % in 30 days)" in lines[3]
    assert data.endswith("range of 5 Feb 2026 · 13 h old · fresh · sample, ends 2026-02-06")
    [picture] = pictures_of(sent(result))
    assert picture["description"].startswith("Fed 3.50–3.75 %")
    assert list(buttons(sent(result))) == ["Details", "CSV", "中文", "Delete"]


async def test_details_are_facts(server: Server) -> None:
    asked = await server.alice.slash(server.channel, "macro")
    told = texts(sent(await server.bob.click(sent(asked), label="Details")))[0]
    assert "Oct 2025: missing, never published" in told
    assert "30 Oct 2025 · 3.75–4.00 %" in told
    assert "no score, not a forecast and not advice" in told
    assert not told.endswith("…")


async def test_in_chinese(server: Server, speaking: Speaking) -> None:
    with speaking("zh-TW"):
        asked = await server.alice.slash(server.channel, "macro")
    assert texts(sent(asked))[0].split("\n")[1] == (
        "上次會議 2026/1/28：維持不變 · 下次 2026/3/18（三）18:00 UTC"
    )
