"""Finding what the agent was heard to say. How it is kept: :mod:`lkgate.harness.tape.voice`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from lkgate.cassette import Cassette, Exchange

# Where a text may be taken apart to be spoken piece by piece.
_ENDS = (".", "!", "?", ":", ";", ",", "…")


@dataclass(frozen=True, slots=True)
class Cut:
    """A stretch of a recorded message: words ``first`` up to but not including ``last``."""

    exchange: Exchange
    text: str
    first: int
    last: int

    @property
    def words(self) -> Sequence[Sequence[int]]:
        """``[characters, bytes]`` up to the end of each word, from the stretch's beginning."""
        every = cast("list[list[int]]", self.exchange.response["words"])
        chars, at = every[self.first - 1] if self.first else (-1, 0)
        return [[end - chars - 1, byte - at] for end, byte in every[self.first : self.last]]

    @property
    def skipped(self) -> int:
        """Bytes of the message before it."""
        every = cast("list[list[int]]", self.exchange.response["words"])
        return every[self.first - 1][1] if self.first else 0

    @property
    def steps(self) -> Sequence[Sequence[int]]:
        """Those of ``words`` that end a sentence or a clause, and the last."""
        every = list(zip(self.text.split(), self.words, strict=True))
        return [at for word, at in every[:-1] if word.endswith(_ENDS)] + [every[-1][1]]

    @property
    def opens(self) -> bool:
        """Whether it begins the message, so that its first sound took the recorded time."""
        return self.first == 0

    @property
    def known(self) -> bool:
        """Whether all of it was heard; ``False`` where the caller cut it short."""
        every = cast("list[list[int]]", self.exchange.response["words"])
        return self.exchange.whole or self.last < len(every)


class Cuts:
    """Everything that the agent was heard to say, to be found by its words."""

    def __init__(self, cassette: Cassette):
        self._said = [
            (str(cassette.request(found)["text"]), found)
            for found in sorted(cassette.of("tts"), key=lambda found: found.t_us)
            if found.origin == "derived"
        ]

    @property
    def empty(self) -> bool:
        """Whether nothing of the agent's track is known."""
        return not self._said

    def may_be(self, text: str) -> bool:
        """Whether more words may make it one of them."""
        return any(f" {said}".find(f" {text}") >= 0 for said, _ in self._said)

    def find(self, text: str, *, ended: bool) -> Cut | None:
        """The message that ``text`` is, or the part of one; the message that it may become.

        A part begins and ends where a sentence or a clause does. Of several, whole ones come
        first. Before the text has ended there must be only one that it may become.
        """
        if not text:
            return None
        whole = [Cut(found, said, 0, len(said.split())) for said, found in self._said]
        if not ended:
            may_be = {cut.text: cut for cut in reversed(whole) if cut.text.startswith(text)}
            return next(iter(may_be.values())) if len(may_be) == 1 else None
        same = [cut for cut in whole if cut.text == text]
        parts = [part for said, found in self._said if (part := _part(found, said, text))]
        return next(iter(sorted([*same, *parts], key=lambda cut: not cut.known)), None)


def _part(found: Exchange, said: str, text: str) -> Cut | None:
    every, wanted = said.split(), text.split()
    for first in range(len(every) - len(wanted) + 1):
        last = first + len(wanted)
        opens = first == 0 or every[first - 1].endswith(_ENDS)
        closes = last == len(every) or wanted[-1].endswith(_ENDS)
        if opens and closes and every[first:last] == wanted:
            return Cut(found, text, first, last)
    return None
