"""Giving again what a recogniser heard. How it is kept: :mod:`lkgate.harness.tape.stt`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from livekit.agents import stt
from livekit.agents.utils import aio

from lkgate.cassette import Cassette, Exchange, Scheduled, key_of, outside, stt_schedule
from lkgate.cassette.keys import Request
from lkgate.cassette.schedule import utterance_at
from lkgate.harness.tape.answers import Answers, Source
from lkgate.harness.tape.stt import decode
from lkgate.model.event import Json
from lkgate.model.plan import CallerPlan

Placed = Callable[[int], int | None]

# Without audio for so long, nobody listens: a muted microphone, push-to-talk.
_DEAF_US = 2_000_000
# In a handoff the next stream may open a moment before the last one is closed.
_HANDOFF_US = 1_000_000


@dataclass(slots=True)
class Lane:
    """One after another: streams of a recogniser that were never open at the same time.

    A handoff closes a stream and opens another; what is heard after it belongs to whichever is
    open then. Streams that are open together, as for two speakers, are lanes of their own.

    Attributes:
        events: what was heard, in order.
        base_us: by event, what times in it count from.
        next: the next event.
        owner: the stream that hears now.
        source: whether a recogniser was recorded, or its events were seen from outside.
    """

    events: Sequence[Scheduled]
    base_us: Mapping[int, int]
    next: int = 0
    owner: object = None
    source: Source = "recorded"


@dataclass(slots=True)
class _Tape:
    lanes: list[Lane] = field(default_factory=list)
    pieces: dict[int | None, list[Exchange]] = field(default_factory=dict)
    given: dict[int | None, int] = field(default_factory=dict)


class Ear:
    """Everything that was heard in the recording, ready to be heard again.

    Args:
        plan: the caller's; without one, everything keeps its time.
        placed: session time at which the room hears an utterance begin, ``None`` before that is
            known.
    """

    def __init__(self, cassette: Cassette, plan: CallerPlan | None, placed: Placed):
        self._plan = plan
        self._placed = placed
        self._tapes: dict[str, _Tape] = {}
        streams: dict[str, list[Exchange]] = {}
        for exchange in sorted(cassette.of("stt"), key=lambda found: found.t_us):
            self._tapes.setdefault(exchange.key, _Tape())
            if "events" in exchange.response:
                streams.setdefault(exchange.key, []).append(exchange)
            else:
                self._keep_piece(exchange)
        for key, found in streams.items():
            source: Source = "derived" if found[0].origin == "derived" else "recorded"
            self._tapes[key].lanes = [_lane(lane, plan, source) for lane in _lanes(found)]

    def lane(self, request: Request) -> Lane | None:
        """A free lane of what this recogniser heard; the last one if more are open than were."""
        tape = self._tape(request)
        if tape is None or not tape.lanes:
            return None
        return next((lane for lane in tape.lanes if lane.owner is None), tape.lanes[-1])

    def piece(self, request: Request, end_us: int, length_us: int) -> Exchange | None:
        """What was heard in the utterance that a piece of audio belongs to."""
        tape = self._tape(request)
        if tape is None:
            return None
        utterance = utterance_at(end_us - length_us, end_us, self._now_spans())
        found = tape.pieces.get(utterance, [])
        n = tape.given.get(utterance, 0)
        tape.given[utterance] = n + 1
        return found[min(n, len(found) - 1)] if found else None

    async def play(self, stream: stt.RecognizeStream, lane: Lane, answers: Answers) -> None:
        """Hear a lane's events, as long as there is audio."""
        lane.owner = stream
        audio = _Audio(stream, answers)
        hear = asyncio.create_task(self._hear(stream, lane, audio, answers), name="lkgate.hear")
        try:
            await audio.read()
        finally:
            if lane.owner is stream:
                lane.owner = None
            await aio.cancel_and_wait(hear)

    async def _hear(
        self, stream: stt.RecognizeStream, lane: Lane, audio: _Audio, answers: Answers
    ) -> None:
        opened_us = answers.now_us()
        base_us = opened_us - round(stream.start_time_offset * 1e6)
        while lane.next < len(lane.events):
            heard = lane.events[lane.next]
            while (begun_us := self._begun(heard)) is None:
                await audio.more()
            due_us = begun_us + heard.offset_us
            if due_us < opened_us:
                lane.next += 1  # nobody was listening then
                continue
            await answers.until(due_us)
            while lane.owner is not stream or answers.now_us() - audio.last_us > _DEAF_US:
                await audio.more()
                lane.owner = lane.owner or stream
            if lane.next >= len(lane.events) or lane.events[lane.next] is not heard:
                continue  # another stream heard it meanwhile
            lane.next += 1
            moved_us = due_us - heard.recorded_us
            recorded_base_us = lane.base_us[id(heard.event)]
            event = decode(
                heard.event,
                moved_us=moved_us,
                base_us=moved_us - (base_us - recorded_base_us),
                now_us=answers.now_us(),
            )
            stream._event_ch.send_nowait(event)

    def _tape(self, request: Request) -> _Tape | None:
        of_it = self._tapes.get(key_of("stt", request))
        return of_it or self._tapes.get(key_of("stt", outside.hearing()))

    def _begun(self, heard: Scheduled) -> int | None:
        return 0 if heard.utterance is None else self._placed(heard.utterance)

    def _keep_piece(self, exchange: Exchange) -> None:
        length_us = cast(int, exchange.response["audio_us"])
        said = () if self._plan is None else self._plan.utterances
        spans = [(one.index, one.span.start_us, one.span.end_us) for one in said]
        utterance = utterance_at(exchange.t_us - length_us, exchange.t_us, spans)
        self._tapes[exchange.key].pieces.setdefault(utterance, []).append(exchange)

    def _now_spans(self) -> list[tuple[int, int, int]]:
        said = () if self._plan is None else self._plan.utterances
        begun = [(one, at_us) for one in said if (at_us := self._placed(one.index)) is not None]
        return [(one.index, at_us, at_us + one.span.duration_us) for one, at_us in begun]


class _Audio:
    """The audio that a stream gets; only its coming matters."""

    def __init__(self, stream: stt.RecognizeStream, answers: Answers):
        self._stream = stream
        self._answers = answers
        self._came = asyncio.Event()
        self.last_us = answers.now_us()

    async def read(self) -> None:
        async for _ in self._stream._input_ch:
            self.last_us = self._answers.now_us()
            self._came.set()

    async def more(self) -> None:
        self._came.clear()
        await self._came.wait()


def _lanes(streams: Sequence[Exchange]) -> list[list[Exchange]]:
    lanes: list[list[Exchange]] = []
    for stream in streams:
        free = (lane for lane in lanes if _closed_us(lane[-1]) <= stream.t_us + _HANDOFF_US)
        lane = next(free, None)
        if lane is None:
            lanes.append([stream])
        else:
            lane.append(stream)
    return lanes


def _closed_us(stream: Exchange) -> float:
    closed = stream.response["closed_us"]
    return closed if isinstance(closed, int) else float("inf")


def _lane(streams: Sequence[Exchange], plan: CallerPlan | None, source: Source) -> Lane:
    events: list[dict[str, Json]] = []
    base_us: dict[int, int] = {}
    for stream in streams:
        for event in cast("list[dict[str, Any]]", stream.response["events"]):
            events.append(event)
            base_us[id(event)] = cast(int, stream.response["base_us"])
    return Lane(stt_schedule(events, plan), base_us, source=source)
