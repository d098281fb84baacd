"""Models as a plugin would make them, whose answers are a script: no network, no weights.

The agents beside this file are ordinary programs; only their models are these.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import numpy as np
from livekit.agents import APIConnectOptions, llm, stt, tts, utils
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, NotGivenOr

RATE = 24_000


class ScriptedSTT(stt.STT):
    """Hears the next line of the script whenever somebody has spoken and then paused."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__(capabilities=stt.STTCapabilities(streaming=True, interim_results=True))
        self.lines = list(lines)

    async def _recognize_impl(self, buffer, *, language=NOT_GIVEN, conn_options):
        raise NotImplementedError

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.RecognizeStream:
        return _Listening(stt=self, conn_options=conn_options, sample_rate=16_000)


class _Listening(stt.RecognizeStream):
    async def _run(self) -> None:
        position, began, quiet, heard = 0.0, None, 0.0, 0
        later: list[asyncio.Task[None]] = []
        async for frame in self._input_ch:
            if isinstance(frame, self._FlushSentinel):
                continue
            loud = np.abs(np.frombuffer(frame.data, np.int16).astype(int)).max() > 1500
            position += frame.duration
            if loud:
                quiet = 0.0
                if began is None and heard < len(self._stt.lines):
                    began = position
                    self._send(stt.SpeechEventType.INTERIM_TRANSCRIPT, heard, began, position)
                continue
            quiet += frame.duration
            if began is not None and quiet >= 0.25:
                later.append(asyncio.create_task(self._final(heard, began, position)))
                heard, began = heard + 1, None

    async def _final(self, index: int, began: float, position: float) -> None:
        await asyncio.sleep(0.2)
        self._send(stt.SpeechEventType.FINAL_TRANSCRIPT, index, began, position)

    def _send(self, kind: stt.SpeechEventType, index: int, began: float, end: float) -> None:
        line = self._stt.lines[index]
        text = line if kind == stt.SpeechEventType.FINAL_TRANSCRIPT else line.split()[0]
        data = stt.SpeechData(
            language="en", text=text, start_time=began, end_time=end, confidence=0.9
        )
        self._event_ch.send_nowait(
            stt.SpeechEvent(type=kind, request_id=f"line-{index}", alternatives=[data])
        )


class ScriptedLLM(llm.LLM):
    """Answers by a word of the last user message.

    ``rules``: ``(word, text)`` or ``(word, (tool, arguments))``; the last answer of a tool is read
    out; anything else gets ``otherwise``.
    """

    def __init__(self, rules, otherwise: str = "How can I help you?") -> None:
        super().__init__()
        self.rules, self.otherwise = rules, otherwise

    def chat(
        self,
        *,
        chat_ctx,
        tools=None,
        conn_options=DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls=NOT_GIVEN,
        tool_choice=NOT_GIVEN,
        extra_kwargs=NOT_GIVEN,
    ) -> llm.LLMStream:
        return _Answering(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class _Answering(llm.LLMStream):
    async def _run(self) -> None:
        await asyncio.sleep(0.3)
        answer = self._answer()
        delta = llm.ChoiceDelta(role="assistant")
        if isinstance(answer, str):
            for word in answer.split(" "):
                delta = llm.ChoiceDelta(role="assistant", content=word + " ")
                self._event_ch.send_nowait(llm.ChatChunk(id="answer", delta=delta))
                await asyncio.sleep(0.02)
            return
        name, arguments = answer
        call = llm.FunctionToolCall(
            name=name, arguments=json.dumps(arguments), call_id=utils.shortuuid("call_")
        )
        delta.tool_calls = [call]
        self._event_ch.send_nowait(llm.ChatChunk(id="answer", delta=delta))

    def _answer(self):
        items = self._chat_ctx.items
        if items and items[-1].type == "function_call_output":
            return f"I found this: {items[-1].output}."
        for item in reversed(items):
            if item.type == "message" and item.role == "user":
                said = (item.text_content or "").lower()
                for word, answer in self._llm.rules:
                    if word in said:
                        return answer
                return self._llm.otherwise
        return self._llm.otherwise


class ScriptedTTS(tts.TTS):
    """A tone, 60 ms for every letter."""

    def __init__(self, rate: int = RATE) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False), sample_rate=rate, num_channels=1
        )

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        return _Speaking(tts=self, input_text=text, conn_options=conn_options)


class _Speaking(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        rate = self._tts.sample_rate
        output_emitter.initialize(
            request_id=utils.shortuuid("speech_"),
            sample_rate=rate,
            num_channels=1,
            mime_type="audio/pcm",
        )
        await asyncio.sleep(0.15)
        pcm = tone(self._input_text, rate)
        for at in range(0, len(pcm), rate // 5):
            output_emitter.push(pcm[at : at + rate // 5])
            await asyncio.sleep(0.02)
        output_emitter.flush()


def tone(text: str, rate: int = RATE) -> bytes:
    t = np.arange(int(rate * 0.06 * len(text))) / rate
    pitch = 120 + sum(text.encode()) % 120
    wave = 0.25 * np.sin(2 * np.pi * pitch * t) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * t))
    return (wave * 32767).astype(np.int16).tobytes()
