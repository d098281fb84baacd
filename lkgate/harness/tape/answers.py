"""Recorded answers, handed out in order; misses, reported once where they happen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Literal

from livekit.agents import APIError

from lkgate.cassette import Cassette, Exchange, Miss, key_of, pick
from lkgate.harness.tape import plain
from lkgate.model.event import Json
from lkgate.model.turn import Modality

Now = Callable[[], int]
Note = Callable[[str, Mapping[str, Json]], None]
Source = Literal["recorded", "derived", "estimated", "live", "policy"]

# How long a request may outlive its cut answer: whoever cut it in the recording will cut it now,
# some milliseconds sooner or later.
GRACE_US = 1_000_000


class Answers:
    """The player's own memory of a replayed call.

    Args:
        cassette: what was recorded.
        now_us: session time.
        note: takes ``lkgate.model_answer``.
        on_miss: told of every request that has no answer.
    """

    def __init__(
        self, cassette: Cassette, *, now_us: Now, note: Note, on_miss: Callable[[Miss], None]
    ):
        self.cassette = cassette
        self.now_us = now_us
        self._note = note
        self._on_miss = on_miss
        self._asked: dict[tuple[Modality, str], int] = {}
        self._call_ids: dict[str, int] = {}
        self._deaf: set[str] = set()

    def take(self, modality: Modality, request: Mapping[str, Json]) -> Exchange | None:
        """The answer to the next request with this key, ``None`` if none was recorded."""
        key = key_of(modality, request)
        n = self._asked.get((modality, key), 0)
        self._asked[modality, key] = n + 1
        return pick(self.cassette.find(modality, key), n)

    def told(
        self,
        modality: Modality,
        key: str,
        source: Source,
        name: str | None = None,
        lost: Json = None,
        untimed: bool = False,
    ) -> None:
        """Note who answers a request.

        Args:
            lost: what of a tool's doing is lost by that.
            untimed: nobody measured how long the answer takes.
        """
        data: dict[str, Json] = {"modality": modality, "key": key, "origin": source}
        if name is not None:
            data["name"] = name
        if lost:
            data["lost"] = lost
        if untimed:
            data["untimed"] = True
        self._note("lkgate.model_answer", data)

    def missed(
        self, modality: Modality, request: Mapping[str, Json], reason: str | None = None
    ) -> Miss:
        """Report that a request has no answer.

        LiveKit opens a recogniser's stream again when one has failed: that is reported once.
        """
        miss = self.cassette.miss(modality, request, reason=reason)
        if modality != "stt" or miss.key not in self._deaf:
            self._on_miss(miss)
        if modality == "stt":
            self._deaf.add(miss.key)
        return miss

    def failure(
        self, modality: Modality, request: Mapping[str, Json], reason: str | None = None
    ) -> APIError:
        """Report a miss; the error to raise for it, which LiveKit does not retry."""
        miss = self.missed(modality, request, reason)
        return APIError(f"lkgate: {miss.reason}", retryable=False)

    async def outlived(
        self, modality: Modality, exchange: Exchange, request: Mapping[str, Json]
    ) -> APIError:
        """A cut answer was played to its end: wait for the cut, then it is a miss."""
        await asyncio.sleep(GRACE_US / 1e6)
        return self.failure(
            modality,
            request,
            f"its only recorded answer was cut short after {took_us(exchange) / 1e6:.2f} s, "
            "and now it was needed for longer",
        )

    def error_of(self, exchange: Exchange) -> Exception:
        """The error that a recorded exchange ended with."""
        return plain.error_from(exchange.response["error"])

    def call_id(self, recorded: str) -> str:
        """A recorded tool call's id, told apart if the same answer is given again."""
        n = self._call_ids[recorded] = self._call_ids.get(recorded, 0) + 1
        return recorded if n == 1 else f"{recorded}_{n}"

    async def until(self, t_us: int) -> None:
        """Sleep until a session time."""
        wait_us = t_us - self.now_us()
        if wait_us > 0:
            await asyncio.sleep(wait_us / 1e6)


def took_us(exchange: Exchange) -> int:
    """How long the exchange took."""
    took = exchange.response.get("took_us")
    assert isinstance(took, int)  # every response but a recogniser's stream has it
    return took


def is_untimed(exchange: Exchange) -> bool:
    """Whether an answer's time is not that of the recorded one."""
    return exchange.response.get("untimed") is True


def source_of(exchange: Exchange) -> Source:
    """Who answers with it."""
    return "derived" if exchange.origin == "derived" else "recorded"
