"""Moonshine (https://pypi.org/project/moonshine-voice) as a streaming LiveKit STT.

The model is loaded when the first stream starts, so that a process which never listens needs no
weights. Recognition runs on a thread of the stream's own, off the event loop.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Never

import numpy as np
from livekit import rtc
from livekit.agents import (
    DEFAULT_API_CONNECT_OPTIONS,
    NOT_GIVEN,
    APIConnectOptions,
    NotGivenOr,
    stt,
    utils,
)
from livekit.agents.language import LanguageCode

if TYPE_CHECKING:
    from moonshine_voice.moonshine_api import TranscriptLine
    from moonshine_voice.transcriber import Stream, Transcriber

SAMPLE_RATE_HZ = 16_000
INTERIM_EVERY_S = 0.6
PAD_S = 0.4
_NEVER_S = 1e9
_loading = threading.Lock()


class MoonshineSTT(stt.STT[Never]):
    """Interim transcripts while the caller speaks, a final one at the end of each stretch."""

    def __init__(self) -> None:
        super().__init__(
            capabilities=stt.STTCapabilities(
                streaming=True, interim_results=True, offline_recognize=False, manual_flush=True
            )
        )

    @property
    def model(self) -> str:
        return "moonshine-tiny-en"

    @property
    def provider(self) -> str:
        return "moonshine"

    async def _recognize_impl(
        self,
        buffer: utils.AudioBuffer,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions,
    ) -> stt.SpeechEvent:
        raise NotImplementedError("MoonshineSTT streams; use stream()")

    def stream(
        self,
        *,
        language: NotGivenOr[str] = NOT_GIVEN,
        conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS,
    ) -> stt.RecognizeStream:
        return _MoonshineStream(self, conn_options)


class _MoonshineStream(stt.RecognizeStream):
    def __init__(self, model: MoonshineSTT, conn_options: APIConnectOptions) -> None:
        super().__init__(stt=model, conn_options=conn_options, sample_rate=SAMPLE_RATE_HZ)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="moonshine") as worker:
            ear = await loop.run_in_executor(worker, _Ear)
            try:
                async for first in self._input_ch:
                    # what queued up while the thread was busy goes in one piece
                    batch = [first]
                    while not self._input_ch.empty():
                        batch.append(self._input_ch.recv_nowait())
                    for words in await loop.run_in_executor(worker, ear.hear, batch):
                        self._emit(words)
            finally:
                await asyncio.shield(loop.run_in_executor(worker, ear.close))

    def _emit(self, words: _Words) -> None:
        kind = stt.SpeechEventType.INTERIM_TRANSCRIPT
        if words.final:
            kind = stt.SpeechEventType.FINAL_TRANSCRIPT
        data = stt.SpeechData(
            language=LanguageCode("en"),
            text=words.text,
            start_time=words.start_s + self.start_time_offset,
            end_time=words.end_s + self.start_time_offset,
            confidence=1.0,
        )
        self._event_ch.send_nowait(stt.SpeechEvent(type=kind, alternatives=[data]))
        if words.final:
            usage = stt.RecognitionUsage(audio_duration=words.end_s - words.start_s)
            self._event_ch.send_nowait(
                stt.SpeechEvent(type=stt.SpeechEventType.RECOGNITION_USAGE, recognition_usage=usage)
            )


@dataclass(frozen=True, slots=True)
class _Words:
    text: str
    final: bool
    start_s: float
    end_s: float


class _Ear:
    """One Moonshine stream after another; used from one thread.

    A new one begins after every final transcript, for a stream's cost grows with its length.
    """

    def __init__(self) -> None:
        with _loading:
            self._transcriber = _transcriber()
        self._stream: Stream | None = None
        self._began_s = 0.0
        self._heard_s = 0.0
        self._looked_s = 0.0

    def hear(
        self, batch: list[rtc.AudioFrame | stt.RecognizeStream._FlushSentinel]
    ) -> list[_Words]:
        """Takes audio and flush marks in order; what was understood since the last call."""
        words: list[_Words] = []
        pending: list[np.ndarray] = []
        for piece in batch:
            if isinstance(piece, rtc.AudioFrame):
                pending.append(np.frombuffer(piece.data, dtype=np.int16))
                continue
            self._add(pending)
            pending = []
            words += self._finish()
        self._add(pending)
        if self._stream is not None and self._heard_s - self._looked_s >= INTERIM_EVERY_S:
            words += self._look(self._stream)
        return words

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _add(self, pending: list[np.ndarray]) -> None:
        if not pending:
            return
        if self._stream is None:
            self._stream = self._transcriber.create_stream(update_interval=_NEVER_S)
            self._stream.start()
            self._began_s = self._looked_s = self._heard_s
        samples = np.concatenate(pending).astype(np.float32) / 32768.0
        self._stream.add_audio(samples.tolist(), SAMPLE_RATE_HZ)
        self._heard_s += len(samples) / SAMPLE_RATE_HZ

    def _look(self, stream: Stream) -> list[_Words]:
        self._looked_s = self._heard_s
        lines = stream.update_transcription().lines
        words = [self._words(line, line.is_complete) for line in lines if line.is_updated]
        if lines and all(line.is_complete for line in lines):
            self.close()
        return [said for said in words if said.text]

    def _finish(self) -> list[_Words]:
        if self._stream is None:
            return []
        # Without some quiet after it, and without force, the last word is often misheard.
        self._stream.add_audio([0.0] * int(PAD_S * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
        force = self._transcriber.MOONSHINE_FLAG_FORCE_UPDATE
        lines = self._stream.update_transcription(force).lines
        words = [
            self._words(line, True) for line in lines if line.is_updated or not line.is_complete
        ]
        self.close()
        return [said for said in words if said.text]

    def _words(self, line: TranscriptLine, final: bool) -> _Words:
        start_s = self._began_s + line.start_time
        return _Words(line.text.strip(), final, start_s, start_s + line.duration)


@functools.cache
def _transcriber() -> Transcriber:
    import moonshine_voice
    from moonshine_voice.moonshine_api import ModelArch
    from moonshine_voice.transcriber import Transcriber

    weights = Path(moonshine_voice.__file__).parent / "assets" / "tiny-en"
    options = {
        "transcription_interval": INTERIM_EVERY_S,
        "return_audio_data": "false",
    }
    return Transcriber(str(weights), ModelArch.TINY, options=options)
