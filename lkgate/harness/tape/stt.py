"""What recognisers heard, and when. Kept by session time; given again by the caller's utterances.

``response`` of a stream: ``ending``, ``closed_us``, ``base_us``: session time that times within
its events count from, ``events``: see :func:`encode`. ``response`` of one recognised piece of
audio: ``ending``, ``took_us``, ``audio_us``: the length of the piece, ``base_us``, ``event``.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from livekit.agents import stt
from livekit.agents.types import NOT_GIVEN, TimedString
from livekit.agents.utils import AudioBuffer
from livekit.agents.utils.audio import calculate_audio_duration

from lkgate.cassette import Exchange, Sink
from lkgate.cassette.keys import Request
from lkgate.harness.tape import plain
from lkgate.harness.tape.answers import Answers, took_us
from lkgate.harness.tape.deck import Recognize, Run
from lkgate.harness.tape.listen import ear
from lkgate.model.event import Json

_WORD_TIMES = ("start_time", "end_time", "confidence", "start_time_offset")


class StreamSink(Protocol):
    """Where a stream's events go as they come."""

    def listen(self, t_us: int, request: Mapping[str, Json], base_us: int) -> str:
        """A stream has begun; returns its id."""

    def heard(self, id: str, event: Mapping[str, Json]) -> None:
        """It said something."""

    def listened(self, id: str, t_us: int, ending: str, error: Json) -> None:
        """It has ended."""


async def record_stream(
    stream: stt.RecognizeStream,
    run: Run,
    request: Request,
    *,
    sink: StreamSink,
    now_us: Callable[[], int],
) -> None:
    """Let the provider listen, and keep what it hears."""
    began_us = now_us()
    base_us = began_us - round(stream.start_time_offset * 1e6)
    id = sink.listen(began_us, request, base_us)
    ending, error = "done", None

    def heard(event: stt.SpeechEvent) -> None:
        sink.heard(id, encode(event, now_us()))

    try:
        with ear(stream._event_ch, heard):
            await run()
    except asyncio.CancelledError:
        ending = "cancelled"
        raise
    except Exception as raised:
        # Whatever the provider raised is part of its answer; it goes on to LiveKit.
        ending, error = "error", plain.error(raised)
        raise
    finally:
        sink.listened(id, now_us(), ending, error)


async def record_piece(
    buffer: AudioBuffer,
    run: Recognize,
    request: Request,
    *,
    sink: Sink,
    now_us: Callable[[], int],
) -> stt.SpeechEvent:
    """Let the provider recognise one piece of audio, and keep what it heard."""
    began_us = now_us()
    response: dict[str, Json] = {
        "ending": "done",
        "audio_us": audio_us(buffer),
        "base_us": began_us,
    }
    try:
        event = await run()
        response["event"] = encode(event, now_us())
        return event
    except asyncio.CancelledError:
        response["ending"] = "cancelled"
        raise
    except Exception as error:
        # Whatever the provider raised is part of its answer; it goes on to LiveKit.
        response |= {"ending": "error", "error": plain.error(error)}
        raise
    finally:
        sink.add("stt", began_us, request, {**response, "took_us": now_us() - began_us})


async def play_piece(exchange: Exchange, request: Request, answers: Answers) -> stt.SpeechEvent:
    """What was heard in one piece of audio, after the time that it took."""
    began_us = answers.now_us()
    await answers.until(began_us + took_us(exchange))
    if exchange.ending == "error":
        raise answers.error_of(exchange)
    if exchange.ending == "cancelled":
        raise await answers.outlived("stt", exchange, request)
    event = exchange.response["event"]
    assert isinstance(event, dict)  # written by encode()
    moved_us = began_us - exchange.t_us
    # Times in its words count from the piece's own beginning.
    return decode(event, moved_us=moved_us, base_us=0, now_us=answers.now_us())


def audio_us(buffer: AudioBuffer) -> int:
    """The length of a piece of audio."""
    return round(calculate_audio_duration(buffer) * 1e6)


def encode(event: stt.SpeechEvent, now_us: int) -> dict[str, Json]:
    """An event as JSON; what LiveKit holds as wall clock becomes time on ``now_us``'s clock."""
    made: dict[str, Json] = {"t_us": now_us, "type": event.type.value}
    if event.request_id:
        made["request_id"] = event.request_id
    if event.alternatives:
        made["alternatives"] = [_data(data) for data in event.alternatives]
    if event.recognition_usage is not None:
        made["usage"] = plain.jsonable(event.recognition_usage)
    for name, value in (
        ("speech_start_us", event.speech_start_time),
        ("speech_end_us", event.speech_end_time),
    ):
        if value is not None:
            made[name] = now_us + round((value - time.time()) * 1e6)
    return made


def decode(
    value: Mapping[str, Any], *, moved_us: int, base_us: int, now_us: int
) -> stt.SpeechEvent:
    """The event again, ``moved_us`` later than in the recording.

    Args:
        base_us: how much later times within its words lie, for they count from the stream's start.
        now_us: session time now.
    """
    usage = value.get("usage")
    return stt.SpeechEvent(
        type=stt.SpeechEventType(value["type"]),
        request_id=value.get("request_id", ""),
        alternatives=[_speech(data, base_us / 1e6) for data in value.get("alternatives", [])],
        recognition_usage=None if usage is None else stt.RecognitionUsage(**usage),
        speech_start_time=_wall(value.get("speech_start_us"), moved_us, now_us),
        speech_end_time=_wall(value.get("speech_end_us"), moved_us, now_us),
    )


def _data(data: stt.SpeechData) -> dict[str, Json]:
    made: dict[str, Json] = {"language": str(data.language), "text": data.text}
    for field in dataclasses.fields(data):
        value = getattr(data, field.name)
        if field.name in made or value is None or value == field.default:
            continue
        if field.name == "words":
            made["words"] = [_word(word) for word in value]
        else:
            made[field.name] = plain.jsonable(value)
    return made


def _word(word: TimedString) -> dict[str, Json]:
    made: dict[str, Json] = {"text": str(word)}
    for name in _WORD_TIMES:
        seconds = plain.seconds(getattr(word, name))
        if seconds is not None:
            made[name] = seconds
    if word.speaker_id is not None:
        made["speaker_id"] = word.speaker_id
    return made


def _speech(data: Mapping[str, Any], later_s: float) -> stt.SpeechData:
    fields = dict(data)
    for name in ("start_time", "end_time"):
        if name in fields:
            fields[name] = max(0.0, fields[name] + later_s)
    if "words" in fields:
        fields["words"] = [_word_again(word, later_s) for word in fields["words"]]
    return stt.SpeechData(**fields)


def _word_again(word: Mapping[str, Any], later_s: float) -> TimedString:
    times = {name: word.get(name, NOT_GIVEN) for name in _WORD_TIMES}
    for name in ("start_time", "end_time"):
        if name in word:
            times[name] = max(0.0, word[name] + later_s)
    return TimedString(word["text"], **times, speaker_id=word.get("speaker_id"))


def _wall(recorded_us: int | None, moved_us: int, now_us: int) -> float | None:
    if recorded_us is None:
        return None
    return time.time() + (recorded_us + moved_us - now_us) / 1e6
