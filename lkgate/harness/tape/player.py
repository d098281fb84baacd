"""The deck of a replayed call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

from livekit.agents import llm, stt, tts
from livekit.agents.utils import AudioBuffer
from livekit.agents.voice import RunContext

from lkgate.cassette import Exchange, NewCassette, key_of
from lkgate.cassette.keys import Request
from lkgate.errors import ReplayError
from lkgate.harness.tape import llm as llm_tape
from lkgate.harness.tape import place, request
from lkgate.harness.tape import stt as stt_tape
from lkgate.harness.tape import tool as tool_tape
from lkgate.harness.tape import tts as tts_tape
from lkgate.harness.tape.answers import Answers, is_untimed, source_of
from lkgate.harness.tape.deck import FunctionTool, Recognize, Run, Speak, Stand, Voice
from lkgate.harness.tape.ear import Ear
from lkgate.harness.tape.mouth import Mouth, Policy
from lkgate.harness.tape.stream_log import StreamLog
from lkgate.harness.tape.text import Text
from lkgate.model.event import Json
from lkgate.model.turn import Modality

Mode = Literal["cassette", "record", "live"]


class Player:
    """Answers from a cassette; what it does not hold, by ``mode`` and by the tools' policies.

    Args:
        mode: see :mod:`lkgate.harness.tape`.
        tools: ``{"default": policy, "by_name": {name: policy}}``; a policy is ``"error"``,
            ``"run"`` or ``{"value": ...}``. One given by name as ``run`` executes that tool even
            where its answer was recorded: the project says that the tool only works on the
            program's own state. A tool is never executed that is given by name as ``error``; by
            default only those that were recorded handing the call over to another agent.
        new: takes what providers answer in mode ``record``.
        on_miss: by modality, what happens in mode ``cassette`` to a request that has no answer:
            ``error`` (the default), ``estimate`` (speech only) or ``live``.
    """

    def __init__(
        self,
        answers: Answers,
        ear: Ear,
        *,
        mode: Mode,
        tools: Mapping[str, Json],
        new: NewCassette | None,
        on_miss: Mapping[str, Policy] | None = None,
    ):
        self._answers = answers
        self._ear = ear
        self._mode: Mode = mode
        self._on_miss = on_miss or {}
        # What the provider is to answer cannot be begun from the cassette.
        early = mode == "cassette" and self._on_miss.get("tts") != "live"
        policy: Policy = self._on_miss.get("tts", "error") if mode == "cassette" else "live"
        self._mouth = Mouth(answers, early=early, policy=policy)
        self._new = new
        by_name = tools.get("by_name")
        self._by_name: Mapping[str, Json] = by_name if isinstance(by_name, dict) else {}
        self._policy: Json = tools.get("default", "error")

    @property
    def prewarms(self) -> bool:
        """Where nobody is asked, no connection is opened either."""
        return self._mode != "cassette" or "live" in self._on_miss.values()

    async def think(self, stream: llm.LLMStream, run: Run) -> None:
        """See :class:`lkgate.harness.tape.deck.Deck`, here and below."""
        wanted = request.of_llm(stream)
        exchange = None if self._mode == "live" else self._answers.take("llm", wanted)
        found, reason = wanted, None
        if exchange is None and self._mode != "live" and self._answers.cassette.derived("llm"):
            at = place.place_of(stream, place.session_here())
            if at is None:
                reason = _BESIDE
            else:
                found, exchange = at, self._answers.take("llm", at)
        if exchange is not None and (exchange.whole or self._closed("llm")):
            untimed = is_untimed(exchange)
            self._answers.told("llm", key_of("llm", found), source_of(exchange), untimed=untimed)
            await llm_tape.play(stream, exchange, found, self._answers)
            return
        with self._provider("llm", wanted, found, reason):
            if self._new is None:
                await run()
            else:
                now_us = self._answers.now_us
                await llm_tape.record(stream, run, wanted, sink=self._new, now_us=now_us)

    async def speak(self, stream: Voice, emitter: tts.AudioEmitter, run: Speak) -> None:
        if self._mode == "live":
            with self._provider("tts", request.of_tts(stream._tts, "")):
                await run(emitter)
            return
        async with Text(stream, self._answers.now_us) as text:
            if await self._mouth.speak(stream, emitter, text):
                return
            try:
                while not text.ended:
                    await text.change()
            finally:  # even if the speech is interrupted before its text is whole
                wanted = request.of_tts(stream._tts, text.words)
                failure = self._mouth.failure(stream, text) if self._closed("tts") else None
            if failure is not None:
                raise failure
        text.give_back()
        with self._provider("tts", wanted):
            if self._new is None:
                await run(emitter)
                return
            now_us = self._answers.now_us
            await tts_tape.record(stream, emitter, run, sink=self._new, now_us=now_us)

    async def listen(self, stream: stt.RecognizeStream, run: Run) -> None:
        wanted = request.of_stt(stream._stt, request.language_of(stream))
        lane = None if self._mode == "live" else self._ear.lane(wanted)
        if lane is not None:
            self._answers.told("stt", key_of("stt", wanted), lane.source)
            await self._ear.play(stream, lane, self._answers)
            return
        with self._provider("stt", wanted):
            if self._new is None:
                await run()
            else:
                sink, now_us = StreamLog(self._new), self._answers.now_us
                await stt_tape.record_stream(stream, run, wanted, sink=sink, now_us=now_us)

    async def recognize(
        self, model: stt.STT[Any], buffer: AudioBuffer, language: str | None, run: Recognize
    ) -> stt.SpeechEvent:
        wanted = request.of_stt(model, language)
        answers, now_us = self._answers, self._answers.now_us
        began_us = now_us()
        exchange = None
        if self._mode != "live":
            exchange = self._ear.piece(wanted, began_us, stt_tape.audio_us(buffer))
        if exchange is not None and (exchange.whole or self._closed("stt")):
            self._answers.told("stt", key_of("stt", wanted), source_of(exchange))
            return await stt_tape.play_piece(exchange, wanted, answers)
        with self._provider("stt", wanted):
            if self._new is None:
                return await run()
            return await stt_tape.record_piece(buffer, run, wanted, sink=self._new, now_us=now_us)

    def call(
        self, tool: FunctionTool, context: RunContext[Any], arguments: dict[str, Any]
    ) -> Stand | None:
        name = context.function_call.name
        call = tool_tape.call_of(name, arguments)
        named = self._by_name.get(name)
        policy = self._policy if named is None else named
        if tool_tape.is_plumbing(tool):
            if named == "error":
                return tool_tape.refused(name, call, self._answers, _refusal(name, None, tool))
            return None
        key = key_of("tool", call)
        exchange = self._answers.take("tool", call)
        if exchange is not None and "run" not in exchange.response and named != "run":
            lost = tool_tape.lost(exchange, tool, context)
            self._answers.told("tool", key, source_of(exchange), name, lost)
            return tool_tape.played(exchange, tool, context, call, self._answers)
        if isinstance(policy, dict) and "value" in policy:
            self._answers.told("tool", key, "policy", name)
            return tool_tape.fixed(policy["value"])
        # Without a recorded handoff the conversation could not go on.
        goes_on = exchange is not None and tool_tape.handed_over(exchange) and named != "error"
        if policy != "run" and not goes_on:
            reason = _refusal(name, exchange, tool)
            return tool_tape.refused(name, call, self._answers, reason)
        self._answers.told("tool", key, "live", name)
        if self._mode == "cassette":
            return None
        # What it asks may answer in real time only.
        if self._new is None or exchange is not None:
            return tool_tape.executed(tool, around=_real_pace)
        now_us = self._answers.now_us
        return tool_tape.recorded(
            tool, context, call, sink=self._new, now_us=now_us, around=_real_pace
        )

    def realtime(self, label: str) -> None:
        raise ReplayError(
            f"a realtime (speech-to-speech) build cannot be replayed yet: {label} answers audio "
            "with audio, which no cassette can hold",
            next_step="Replay a build that hears, thinks and speaks with models of their own.",
        )

    def _closed(self, modality: Modality) -> bool:
        """Whether no provider of this modality may be asked."""
        return self._mode == "cassette" and self._on_miss.get(modality) != "live"

    @contextmanager
    def _provider(
        self,
        modality: Modality,
        wanted: Request,
        missed: Request | None = None,
        reason: str | None = None,
    ) -> Iterator[None]:
        """Ask the provider, at real pace; where none may be asked it is a miss instead.

        Args:
            missed: what was looked for, if that is not ``wanted``.
            reason: why there is no answer.
        """
        if self._closed(modality):
            raise self._answers.failure(modality, wanted if missed is None else missed, reason)
        self._answers.told(modality, key_of(modality, wanted), "live")
        with _real_pace():
            yield


# An answer to something else than the conversation cannot be told from outside.
_BESIDE = "it asks about something else than what is to be said next in the conversation"


@contextmanager
def _real_pace() -> Iterator[None]:
    """While something is asked that only answers in real time."""
    loop = asyncio.get_running_loop()
    begin: Callable[[], None] | None = getattr(loop, "real_begin", None)
    end: Callable[[], None] | None = getattr(loop, "real_end", None)
    if begin is None or end is None:  # an ordinary loop is at real pace anyway
        yield
        return
    begin()
    try:
        yield
    finally:
        end()


def _refusal(name: str, exchange: Exchange | None, tool: FunctionTool) -> str | None:
    """Why a tool is not executed, ``None`` if it was only never recorded."""
    if exchange is not None:
        why = f"what it did cannot be replayed ({exchange.response['run']})"
    elif tool_tape.is_plumbing(tool):
        why = "it is refused by name"
    elif tool_tape.hands_over(tool):
        why = "it hands the call over to another agent, which was never recorded"
    else:
        return None
    return f'{why}, and [tool.lkgate.tools] does not say {name} = "run"'
