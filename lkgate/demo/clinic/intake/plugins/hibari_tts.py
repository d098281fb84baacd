"""Hibari (https://pypi.org/project/hibari-tts) as a LiveKit TTS.

The model is loaded on the first request, so that a process which never speaks needs no weights.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from typing import TYPE_CHECKING, Never

import numpy as np
from livekit.agents import DEFAULT_API_CONNECT_OPTIONS, APIConnectOptions, tts, utils

if TYPE_CHECKING:
    from hibari import Hibari
    from numpy.typing import NDArray

SAMPLE_RATE_HZ = 24_000
SILENCE = 200
LEAD_MS = 30
TAIL_MS = 250
_loading = threading.Lock()


class HibariTTS(tts.TTS[Never]):
    """Whole sentences in, PCM out. LiveKit cuts a reply into sentences (``tts.StreamAdapter``).

    speed: 1.0 is the model's own pace.
    """

    def __init__(self, *, voice: str = "heart", speed: float = 1.0) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False),
            sample_rate=SAMPLE_RATE_HZ,
            num_channels=1,
        )
        self._voice = voice
        self._speed = speed

    @property
    def model(self) -> str:
        return f"hibari-{self._voice}"

    @property
    def provider(self) -> str:
        return "hibari"

    def synthesize(
        self, text: str, *, conn_options: APIConnectOptions = DEFAULT_API_CONNECT_OPTIONS
    ) -> tts.ChunkedStream:
        return _HibariStream(self, text, conn_options)

    def speak(self, text: str) -> bytes:
        """``text`` as mono 16-bit PCM; the same bytes for the same text, always."""
        with _loading:
            model = _model(self._voice)
        audio = model(text, speed=self._speed, seed=0)
        return _without_padding((np.clip(audio, -1.0, 1.0) * 32767.0).astype("<i2")).tobytes()


class _HibariStream(tts.ChunkedStream):
    def __init__(self, model: HibariTTS, text: str, conn_options: APIConnectOptions) -> None:
        super().__init__(tts=model, input_text=text, conn_options=conn_options)
        self._model = model

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(
            request_id=utils.shortuuid("hibari_"),
            sample_rate=SAMPLE_RATE_HZ,
            num_channels=1,
            mime_type="audio/pcm",
        )
        output_emitter.push(await asyncio.to_thread(self._model.speak, self._input_text))
        output_emitter.flush()


def _without_padding(pcm: NDArray[np.int16]) -> NDArray[np.int16]:
    """The model puts most of half a second of silence around a sentence; a caller would wait it."""
    loud = np.flatnonzero(np.abs(pcm) > SILENCE)
    if not loud.size:
        return pcm
    start = max(0, int(loud[0]) - SAMPLE_RATE_HZ * LEAD_MS // 1000)
    return pcm[start : int(loud[-1]) + SAMPLE_RATE_HZ * TAIL_MS // 1000]


@functools.cache
def _model(voice: str) -> Hibari:
    from hibari import Hibari

    return Hibari(voice=voice)
