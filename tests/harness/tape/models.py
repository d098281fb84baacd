"""Scripted models for the seams: every kind of class that LiveKit knows, with exact timings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from livekit import rtc
from livekit.agents import APIConnectOptions, llm, stt, tts
from livekit.agents.language import LanguageCode
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS, NOT_GIVEN, NotGivenOr, TimedString
from livekit.agents.utils import AudioBuffer

RATE_HZ = 24_000
NO_RETRY = APIConnectOptions(max_retry=0)

Script = Callable[[llm.ChatContext], Sequence[tuple[float, Any]]]


class FakeLLM(llm.LLM[Any]):
    """``script`` maps a context to ``(seconds to wait, text, tool call, usage or error)``."""

    def __init__(self, script: Script, *, model: str = "scripted-1") -> None:
        super().__init__()
        self.script = script
        self.asked = 0
        self.warmed = 0
        self._model = model

    @property
    def model(self) -> str:
        return self._model

    @property
    def provider(self) -> str:
        return "fake"

    def prewarm(self, *, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.warmed += 1

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        tools: list[llm.Tool] | None = None,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
        parallel_tool_calls: NotGivenOr[bool] = NOT_GIVEN,
        tool_choice: NotGivenOr[llm.ToolChoice] = NOT_GIVEN,
        extra_kwargs: NotGivenOr[dict[str, Any]] = NOT_GIVEN,
    ) -> llm.LLMStream:
        return _Thought(self, chat_ctx=chat_ctx, tools=tools or [], conn_options=conn_options)


class _Thought(llm.LLMStream):
    async def _run(self) -> None:
        model = self._llm
        assert isinstance(model, FakeLLM)
        model.asked += 1
        for wait_s, what in model.script(self._chat_ctx):
            await asyncio.sleep(wait_s)
            if isinstance(what, Exception):
                raise what
            if isinstance(what, llm.CompletionUsage):
                self._event_ch.send_nowait(llm.ChatChunk(id="r-1", usage=what))
                continue
            delta = llm.ChoiceDelta(role="assistant")
            if isinstance(what, llm.FunctionToolCall):
                delta.tool_calls = [what]
            else:
                delta.content = what
            self._event_ch.send_nowait(llm.ChatChunk(id="r-1", delta=delta))


class FakeTTS(tts.TTS[Any]):
    """10 ms a letter; a streaming one begins with the first word that it has."""

    def __init__(self, *, voice: str = "anna", streaming: bool = True, mime: str = "audio/pcm"):
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=streaming, aligned_transcript=True),
            sample_rate=RATE_HZ,
            num_channels=1,
        )
        self._voice = voice
        self._api_key = "a-secret"
        self.mime = mime
        self.asked = 0
        self.warmed = 0

    @property
    def model(self) -> str:
        return "scripted-voice"

    @property
    def provider(self) -> str:
        return "fake"

    def prewarm(self) -> None:
        self.warmed += 1

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        return _Said(tts=self, input_text=text, conn_options=conn_options)

    def stream(
        self, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.SynthesizeStream:
        return _Speech(tts=self, conn_options=conn_options)


class _Said(tts.ChunkedStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        model = self._tts
        assert isinstance(model, FakeTTS)
        model.asked += 1
        output_emitter.initialize(
            request_id="said", sample_rate=RATE_HZ, num_channels=1, mime_type=model.mime
        )
        await asyncio.sleep(0.2)
        data = wave(self._input_text)
        if model.mime != "audio/pcm":
            data = wav(data)
        for at in range(0, len(data), 4_800):
            output_emitter.push(data[at : at + 4_800])
            await asyncio.sleep(0.03)
        self._set_token_usage(input_tokens=3, output_tokens=len(self._input_text))
        output_emitter.flush()


class _Speech(tts.SynthesizeStream):
    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        model = self._tts
        assert isinstance(model, FakeTTS)
        model.asked += 1
        output_emitter.initialize(
            request_id="speech",
            sample_rate=RATE_HZ,
            num_channels=1,
            mime_type="audio/pcm",
            stream=True,
        )
        output_emitter.start_segment(segment_id="segment")
        self._acquire_time = 0.125
        at_s = 0.0
        async for piece in self._input_ch:
            if isinstance(piece, str):
                self._mark_started()
                await asyncio.sleep(0.1)
                data = wave(piece)
                output_emitter.push_timed_transcript(TimedString(piece, start_time=at_s))
                output_emitter.push(data)
                at_s += len(data) / 2 / RATE_HZ
        output_emitter.end_segment()


class FakeSTT(stt.STT[Any]):
    """``script``: ``(seconds since the stream began, event)``; pieces are answered in turn."""

    def __init__(
        self,
        script: Sequence[tuple[float, stt.SpeechEvent]] = (),
        *,
        pieces: Sequence[str] = (),
        language: str = "en",
    ) -> None:
        super().__init__(
            capabilities=stt.STTCapabilities(streaming=not pieces, interim_results=True)
        )
        self.script = script
        self._pieces = list(pieces)
        self._language = language
        self.asked = 0
        self.warmed = 0

    @property
    def model(self) -> str:
        return "scripted-ear"

    @property
    def provider(self) -> str:
        return "fake"

    def prewarm(self) -> None:
        self.warmed += 1

    async def _recognize_impl(
        self,
        buffer: AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions,
    ) -> stt.SpeechEvent:
        self.asked += 1
        await asyncio.sleep(0.3)
        return final(self._pieces.pop(0), 0.1, 0.9)

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.RecognizeStream:
        return _Heard(stt=self, conn_options=conn_options)


class _Heard(stt.RecognizeStream):
    async def _run(self) -> None:
        model = self._stt
        assert isinstance(model, FakeSTT)
        model.asked += 1
        began = asyncio.get_running_loop().time()
        for at_s, event in model.script:
            await asyncio.sleep(began + at_s - asyncio.get_running_loop().time())
            self._event_ch.send_nowait(event)
        async for _ in self._input_ch:
            pass


def final(text: str, start_s: float, end_s: float) -> stt.SpeechEvent:
    """What a recogniser says at last."""
    words = [TimedString(text, start_time=start_s, end_time=end_s)]
    data = stt.SpeechData(
        language=LanguageCode("en"),
        text=text,
        start_time=start_s,
        end_time=end_s,
        confidence=0.9,
        words=words,
    )
    return stt.SpeechEvent(stt.SpeechEventType.FINAL_TRANSCRIPT, "q", alternatives=[data])


def wave(text: str) -> bytes:
    """10 ms a letter, another tone for every text."""
    t = np.arange(len(text) * RATE_HZ // 100) / RATE_HZ
    pitch = 100 + sum(text.encode()) % 200
    return (8_000 * np.sin(2 * np.pi * pitch * t)).astype("<i2").tobytes()


def wav(pcm: bytes) -> bytes:
    """The same speech, encoded."""
    return rtc.AudioFrame(pcm, RATE_HZ, 1, len(pcm) // 2).to_wav_bytes()


def silence(seconds: float) -> rtc.AudioFrame:
    """A frame of nothing."""
    samples = int(seconds * 16_000)
    return rtc.AudioFrame(bytes(2 * samples), 16_000, 1, samples)
