"""The deck of a live worker: everything goes to the provider, and is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from livekit.agents import llm, stt, tts
from livekit.agents.utils import AudioBuffer
from livekit.agents.voice import RunContext

from lkgate.cassette import Part
from lkgate.harness.tape import llm as llm_tape
from lkgate.harness.tape import request
from lkgate.harness.tape import stt as stt_tape
from lkgate.harness.tape import tool as tool_tape
from lkgate.harness.tape import tts as tts_tape
from lkgate.harness.tape.deck import FunctionTool, Recognize, Run, Speak, Stand, Voice


class Recorder:
    """Records into a part.

    Args:
        now_us: the machine's wall clock.
    """

    prewarms = True

    def __init__(self, part: Part, now_us: Callable[[], int]):
        self.part = part
        self._now_us = now_us

    async def think(self, stream: llm.LLMStream, run: Run) -> None:
        """See :class:`lkgate.harness.tape.deck.Deck`, here and below."""
        wanted = request.of_llm(stream)
        await llm_tape.record(stream, run, wanted, sink=self.part, now_us=self._now_us)

    async def speak(self, stream: Voice, emitter: tts.AudioEmitter, run: Speak) -> None:
        await tts_tape.record(stream, emitter, run, sink=self.part, now_us=self._now_us)

    async def listen(self, stream: stt.RecognizeStream, run: Run) -> None:
        wanted = request.of_stt(stream._stt, request.language_of(stream))
        await stt_tape.record_stream(stream, run, wanted, sink=self.part, now_us=self._now_us)

    async def recognize(
        self, model: stt.STT[Any], buffer: AudioBuffer, language: str | None, run: Recognize
    ) -> stt.SpeechEvent:
        wanted = request.of_stt(model, language)
        return await stt_tape.record_piece(buffer, run, wanted, sink=self.part, now_us=self._now_us)

    def call(
        self, tool: FunctionTool, context: RunContext[Any], arguments: dict[str, Any]
    ) -> Stand | None:
        if tool_tape.is_plumbing(tool):
            return None
        call = tool_tape.call_of(context.function_call.name, arguments)
        return tool_tape.recorded(tool, context, call, sink=self.part, now_us=self._now_us)

    def realtime(self, label: str) -> None:
        self.part.write("unsupported", {"what": f"speech-to-speech model {label}"})
