"""The same question in the same channel: one card, and a link to it for whoever asks again.

Memory only: after a restart a question is simply answered again.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from analysis.charts.look import Look

SECONDS: Final = 60.0
"""How long a card answers for whoever asks the same."""
MOST_KEPT: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What makes two questions the same: where, which report, in which words, for which look and language.

    And over which data: ``version`` is the store's.
    """

    server_id: int
    channel_id: int
    report: str
    words: tuple[tuple[str, str], ...]
    look: Look
    version: int

    def link(self, message_id: int) -> str:
        return f"https://discord.com/channels/{self.server_id}/{self.channel_id}/{message_id}"


class Posting:
    """A card on its way into a channel, and then the message it has become."""

    def __init__(self) -> None:
        self.message_id: int | None = None
        self.posted_at = 0.0
        self.settled = asyncio.Event()

    async def message(self, seconds: float) -> int | None:
        """The message, waited for ``seconds`` at most; None while there is none, or if it came to nothing."""
        try:
            async with asyncio.timeout(seconds):
                await self.settled.wait()
        except TimeoutError:
            return None
        return self.message_id


class Repeats:
    """The cards of the last minute. ``clock`` counts seconds and never goes back."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[Question, Posting] = OrderedDict()

    def earlier(self, question: Question) -> Posting | None:
        """The card that answers ``question`` here already, or is about to."""
        posting = self._known.get(question)
        if posting is None or posting.message_id is None:
            return posting
        return posting if self._clock() - posting.posted_at < SECONDS else None

    @contextmanager
    def posting(self, question: Question) -> Iterator[Posting]:
        """A card being made for all to see; forgotten again unless ``posted`` is called in the block."""
        posting = Posting()
        self._known[question] = posting
        self._known.move_to_end(question)
        while len(self._known) > MOST_KEPT:
            self._known.popitem(last=False)
        try:
            yield posting
        finally:
            if posting.message_id is None and self._known.get(question) is posting:
                del self._known[question]
            posting.settled.set()

    def posted(self, posting: Posting, message_id: int) -> None:
        posting.message_id, posting.posted_at = message_id, self._clock()

    def forget(self, message_id: int) -> None:
        """The message is gone, or shows something else now."""
        for question in [known for known, posting in self._known.items() if posting.message_id == message_id]:
            del self._known[question]
