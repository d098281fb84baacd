"""Giving recorded speech again. How it is kept: :mod:`lkgate.harness.tape.tts`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from livekit import rtc
from livekit.agents import tts
from livekit.agents.types import NOT_GIVEN, TimedString

from lkgate.cassette import Cassette, Exchange
from lkgate.cassette.keys import Request
from lkgate.harness.tape import request
from lkgate.harness.tape.answers import Answers, took_us
from lkgate.harness.tape.cuts import Cut, Cuts
from lkgate.harness.tape.deck import Voice
from lkgate.harness.tape.text import Position, Text
from lkgate.harness.tape.voice import Other, Sound
from lkgate.model.event import Json


class Shelf:
    """All recorded speech, by model and voice."""

    def __init__(self, cassette: Cassette):
        # Whether a text was ever spoken as a whole, or only its beginning is known.
        self._texts: dict[tuple[str, str], dict[str, bool]] = {}
        for exchange in cassette.of("tts"):
            if exchange.origin == "derived":
                continue  # found by its words alone
            wanted = cassette.request(exchange)
            texts = self._texts.setdefault(_voice(wanted), {})
            text = str(wanted["text"])
            texts[text] = texts.get(text, False) or exchange.whole or _text_ended(exchange)

    def choose(self, wanted: Request, *, ended: bool) -> Sequence[str]:
        """Recorded texts that the text so far may become; the first is the one if it has ended."""
        texts = self._texts.get(_voice(wanted), {})
        so_far = str(wanted["text"])
        if ended and so_far in texts:
            return (so_far,)
        found = [text for text, whole in texts.items() if _may_be(text, so_far, whole, ended)]
        found.sort(key=len, reverse=True)
        longest: list[str] = []
        for text in found:
            # The beginning of a text that is known further is nothing else.
            if texts[text] or not any(other.startswith(text) for other in longest):
                longest.append(text)
        return longest


async def find(
    stream: Voice, text: Text, shelf: Shelf, cuts: Cuts, *, early: bool
) -> str | Cut | None:
    """The recorded text that is being asked for, or the stretch of the agent's own track.

    ``None`` if there is none.

    Args:
        early: answer as soon as there is only one that it can become.
    """
    while True:
        wanted = request.of_tts(stream._tts, text.words)
        if text.ended or (early and text.words):
            found = shelf.choose(wanted, ended=text.ended)
            if found and (text.ended or len(found) == 1):
                return found[0]
            if not found:
                cut = cuts.find(text.words, ended=text.ended)
                if cut is not None or text.ended or not cuts.may_be(text.words):
                    return cut
        await text.change()


async def play(
    stream: Voice,
    emitter: tts.AudioEmitter,
    text: Text,
    exchange: Exchange,
    answers: Answers,
) -> None:
    """Speak a recorded answer while its text arrives.

    Raises:
        Other: the text becomes another one than the recorded.
        APIError: the recorded error.
    """
    recorded = str(answers.cassette.request(exchange)["text"])
    whole = exchange.whole or _text_ended(exchange)
    speaker = _Speaker(stream, emitter, exchange, answers.cassette)
    for name, delay_us, position, *fields in cast("list[list[Any]]", exchange.response["ops"]):
        since_us = await _arrival(text, (position[0], position[1], position[2]))
        await answers.until(since_us + delay_us)
        _check(text, recorded, whole, speaker)
        speaker.do(name, fields)
        if name in ("push", "frame"):
            speaker.said = position[0]
    while not text.ended:
        await text.change()
    _check(text, recorded, whole, speaker)
    last_us = text.last_us
    if exchange.ending == "error":
        raise answers.error_of(exchange)
    if exchange.ending == "cancelled":
        wanted = request.of_tts(stream._tts, text.words)
        await answers.until(max(last_us, text.first_us + took_us(exchange)))
        raise await answers.outlived("tts", exchange, wanted)


def silence(stream: Voice, emitter: tts.AudioEmitter) -> None:
    """Nothing was asked to be spoken."""
    model = stream._tts
    emitter.initialize(
        request_id="lkgate",
        sample_rate=model.sample_rate,
        num_channels=model.num_channels,
        mime_type="audio/pcm",
        stream=isinstance(stream, tts.SynthesizeStream),
    )


class _Speaker:
    def __init__(
        self, stream: Voice, emitter: tts.AudioEmitter, exchange: Exchange, cassette: Cassette
    ):
        self._stream = stream
        self._emitter = emitter
        self._id = f"lkgate-{exchange.key[:8]}-{exchange.ordinal}"
        response = exchange.response
        stream._acquire_time = cast(int, response["acquire_us"]) / 1e6
        stream._connection_reused = bool(response["reused"])
        audio = response.get("audio")
        self.said = 0
        self._begun = self._in_segment = False
        self._pcm = b""
        self._rate_hz, self._channels = stream._tts.sample_rate, stream._tts.num_channels
        if isinstance(audio, dict):
            self._pcm = cassette.blob(str(audio["blob"]))
            self._rate_hz = cast(int, audio["sample_rate_hz"])
            self._channels = cast(int, audio["channels"])

    def sound(self) -> Sound:
        """What it has spoken so far, to be gone on with."""
        made = Sound(self._stream, self._emitter, self._id, self._rate_hz, self._channels)
        made.begun, made.in_segment = self._begun, self._in_segment
        return made

    def do(self, name: str, fields: Sequence[Any]) -> None:
        emitter = self._emitter
        match name:
            case "initialize":
                self._begun = True
                emitter.initialize(
                    request_id=self._id,
                    sample_rate=self._rate_hz,
                    num_channels=self._channels,
                    mime_type="audio/pcm",
                    stream=fields[0],
                    frame_size_ms=fields[1],
                )
            case "segment":
                self._in_segment = True
                emitter.start_segment(segment_id=fields[0])
            case "push":
                emitter.push(self._pcm[fields[0] : fields[1]])
            case "frame":
                emitter.push_frame(self._frame(self._pcm[fields[0] : fields[1]]))
            case "timed":
                emitter.push_timed_transcript([_timed(word) for word in fields[0]])
            case "flush":
                emitter.flush()
            case "end_segment":
                self._in_segment = False
                emitter.end_segment()
            case "end":
                emitter.end_input()
            case "usage":
                self._stream._set_token_usage(input_tokens=fields[0], output_tokens=fields[1])
            case "started":
                if isinstance(self._stream, tts.SynthesizeStream):
                    self._stream._mark_started()

    def _frame(self, data: bytes) -> rtc.AudioFrame:
        samples = len(data) // 2 // self._channels
        return rtc.AudioFrame(data, self._rate_hz, self._channels, samples)


async def _arrival(text: Text, position: Position) -> int:
    while (since_us := text.since_us(position)) is None:
        await text.change()
    return since_us


def _check(text: Text, recorded: str, whole: bool, speaker: _Speaker) -> None:
    so_far = text.words
    if text.ended and whole:
        fits = so_far == recorded
    else:
        fits = recorded.startswith(so_far) or (not whole and so_far.startswith(recorded))
    if not fits:
        raise Other(speaker.sound(), speaker.said)


def _may_be(text: str, so_far: str, whole: bool, ended: bool) -> bool:
    if not whole and so_far.startswith(text):
        return True
    return not ended and text.startswith(so_far)


def _text_ended(exchange: Exchange) -> bool:
    ops = cast("list[list[Any]]", exchange.response["ops"])
    return bool(ops) and bool(ops[-1][2][2])


def _voice(wanted: Request) -> tuple[str, str]:
    return str(wanted["model"]), str(sorted(cast("dict[str, Json]", wanted["voice"]).items()))


def _timed(word: list[Any]) -> TimedString:
    text, start, end = word
    return TimedString(
        text,
        start_time=NOT_GIVEN if start is None else start,
        end_time=NOT_GIVEN if end is None else end,
    )
