"""Speech: recorded operation by operation, and made again as the text arrives.

``response``: ``ending``, ``took_us``, ``audio`` (the blob with all PCM of the exchange,
``sample_rate_hz``, ``channels``), ``acquire_us`` and ``reused`` of the provider's connection, and
``ops``: ``[name, delay_us, input, ...]``. ``input`` is how much of the text the provider had when
it did so: ``[characters of normalised text, flushes, ended]``; ``delay_us`` counts from the moment
when that much was there. So speech that began while the text was still being written begins so
again, and never before its words are there. Names:

- ``initialize, stream, frame_size_ms``; ``segment, id``; ``end_segment``; ``flush``; ``end``;
- ``push, first, last``: bytes of the audio; ``frame, first, last``: the same as a frame;
- ``timed, words``: ``[text, start_time, end_time]``;
- ``started``: the provider was asked (LiveKit counts the time to the first byte from here);
- ``usage, input_tokens, output_tokens``.

Encoded speech (mp3, opus) is kept as LiveKit decoded it, so that a replay needs no decoder.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from livekit import rtc
from livekit.agents import tts
from livekit.agents.types import USERDATA_TIMED_TRANSCRIPT, TimedString

from lkgate.cassette import Sink, keys
from lkgate.harness.tape import plain, request
from lkgate.harness.tape.deck import Speak, Voice
from lkgate.harness.tape.listen import ear, overheard
from lkgate.model.event import Json


async def record(
    stream: Voice,
    emitter: tts.AudioEmitter,
    run: Speak,
    *,
    sink: Sink,
    now_us: Callable[[], int],
) -> None:
    """Let the provider speak, and keep what it says."""
    tape = _Recording(stream, emitter, now_us)
    ending, error = "done", None
    try:
        with tape.running():
            await run(emitter)
            if tape.encoded:
                emitter.end_input()
                await emitter.join()
    except asyncio.CancelledError:
        ending = "cancelled"
        raise
    except Exception as raised:
        # Whatever the provider raised is part of its answer; it goes on to LiveKit.
        ending, error = "error", plain.error(raised)
        raise
    finally:
        if keys.words(tape.text):
            response = tape.response(sink)
            response["ending"] = ending
            if error is not None:
                response["error"] = error
            sink.add("tts", tape.began_us, request.of_tts(stream._tts, tape.text), response)


class _Recording:
    def __init__(self, stream: Voice, emitter: tts.AudioEmitter, now_us: Callable[[], int]):
        self._stream = stream
        self._emitter = emitter
        self._now_us = now_us
        self.began_us = now_us()
        self._input_us = self.began_us
        self._flushes = 0
        self._ended = False
        self.text = ""
        self.encoded = False
        self._ops: list[Json] = []
        self._audio = bytearray()
        self._rate_hz = stream._tts.sample_rate
        self._channels = stream._tts.num_channels
        self._segment: str | None = None

    def running(self) -> ExitStack:
        stack = ExitStack()
        if isinstance(self._stream, tts.SynthesizeStream):
            channel = self._stream._input_ch
            stack.enter_context(overheard(channel, recv_nowait=self._read, close=self._close))
            stack.enter_context(overheard(self._stream, _mark_started=self._started))
            if channel.closed:  # everything was said before the provider's turn came
                self._ended = True
        else:
            self.text, self._ended = self._stream.input_text, True
        stack.enter_context(overheard(self._stream, _set_token_usage=self._usage))
        stack.enter_context(ear(self._stream._event_ch, self._sent))
        names = (
            "initialize",
            "start_segment",
            "end_segment",
            "push",
            "push_frame",
            "push_timed_transcript",
            "flush",
            "end_input",
        )
        methods = {name: getattr(self, f"_{name}") for name in names}
        stack.enter_context(overheard(self._emitter, **methods))
        return stack

    def response(self, sink: Sink) -> dict[str, Json]:
        made: dict[str, Json] = {
            "took_us": self._now_us() - self.began_us,
            "ops": self._ops,
            "acquire_us": round(self._stream._acquire_time * 1e6),
            "reused": self._stream._connection_reused,
        }
        if self._audio:
            made["audio"] = {
                "blob": sink.put(bytes(self._audio)),
                "sample_rate_hz": self._rate_hz,
                "channels": self._channels,
            }
        return made

    def _op(self, name: str, *fields: Json) -> None:
        position: list[Json] = [len(keys.words(self.text)), self._flushes, self._ended]
        self._ops.append([name, self._now_us() - self._input_us, position, *fields])

    # what the provider reads

    def _read(self, original: Callable[[], Any]) -> Any:
        value = original()
        self._input_us = self._now_us()
        if isinstance(value, str):
            self.text += value
        else:
            self._flushes += 1
        self._ended = self._stream_input().closed and self._stream_input().empty()
        return value

    def _close(self, original: Callable[[], None]) -> None:
        original()
        if not self._ended and self._stream_input().empty():
            self._input_us, self._ended = self._now_us(), True

    def _stream_input(self) -> Any:
        assert isinstance(self._stream, tts.SynthesizeStream)
        return self._stream._input_ch

    # what it does

    def _started(self, original: Callable[[], None]) -> None:
        self._op("started")
        original()

    def _usage(self, original: Callable[..., None], **tokens: int) -> None:
        self._op("usage", tokens.get("input_tokens", 0), tokens.get("output_tokens", 0))
        original(**tokens)

    def _initialize(self, original: Callable[..., None], **options: Any) -> None:
        original(**options)
        self.encoded = not self._emitter._is_raw_pcm
        self._rate_hz, self._channels = options["sample_rate"], options["num_channels"]
        self._op("initialize", bool(options.get("stream")), options.get("frame_size_ms", 200))

    def _start_segment(self, original: Callable[..., None], *, segment_id: str) -> None:
        if not self.encoded:
            self._op("segment", segment_id)
        original(segment_id=segment_id)

    def _end_segment(self, original: Callable[[], None]) -> None:
        if not self.encoded:
            self._op("end_segment")
        original()

    def _push(self, original: Callable[[bytes], None], data: bytes) -> None:
        if not self.encoded:
            self._keep("push", bytes(data))
        original(data)

    def _push_frame(self, original: Callable[[Any], None], frame: rtc.AudioFrame) -> None:
        if not self.encoded:
            self._keep("frame", bytes(frame.data))
        original(frame)

    def _push_timed_transcript(self, original: Callable[[Any], None], delta_text: Any) -> None:
        if not self.encoded:
            self._timed(delta_text if isinstance(delta_text, list) else [delta_text])
        original(delta_text)

    def _flush(self, original: Callable[[], None]) -> None:
        # The emitter flushes by itself when speech is late, and will do so in a replay.
        by_itself = sys._getframe(2).f_globals.get("__name__") == tts.AudioEmitter.__module__
        if not self.encoded and not by_itself:
            self._op("flush")
        original()

    def _end_input(self, original: Callable[[], None]) -> None:
        if not self.encoded:
            self._op("end")
        original()

    def _sent(self, speech: tts.SynthesizedAudio) -> None:
        """Decoded speech leaves the emitter."""
        if not self.encoded:
            return
        if speech.segment_id and self._segment != speech.segment_id:
            self._op("segment", speech.segment_id)
        self._segment = speech.segment_id
        self._timed(speech.frame.userdata.get(USERDATA_TIMED_TRANSCRIPT) or [])
        self._keep("frame", bytes(speech.frame.data))
        if speech.is_final and speech.segment_id:
            self._op("end_segment")

    def _timed(self, words: list[TimedString]) -> None:
        made: list[Json] = [
            [str(word), plain.seconds(word.start_time), plain.seconds(word.end_time)]
            for word in words
            if isinstance(word, TimedString)
        ]
        if made:
            self._op("timed", made)

    def _keep(self, name: str, data: bytes) -> None:
        first = len(self._audio)
        self._audio += data
        self._op(name, first, len(self._audio))
