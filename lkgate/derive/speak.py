"""The agent's voice, cut from its own track."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lkgate.bundle import read_pcm
from lkgate.cassette import outside
from lkgate.derive.answer import Answer
from lkgate.derive.cut import word_ends
from lkgate.derive.talk import Said, Talk, speaking
from lkgate.model.bundle import Bundle, Span, Track
from lkgate.model.event import Json

# How late the agent's audio may reach the recorder. More is no delay.
_MOST_LATE_US = 1_000_000
_SAMPLE_BYTES = 2


def answers(
    bundle: Bundle, recording: Path, talk: Talk, put: Callable[[bytes], str]
) -> Iterator[Answer]:
    """The speech of every message whose sound is in the recording.

    Args:
        put: keeps a blob and returns its digest.
    """
    tracks = [track for track in bundle.tracks("agent") if track.path and track.channels == 1]
    if not tracks:
        return
    late_us = _late_us(bundle, tracks)
    pcm = {track.id: read_pcm(recording, track) for track in tracks}
    for said in talk.said("assistant"):
        if said.heard is None:
            continue
        at = Span(said.heard.start_us + late_us, said.heard.end_us + late_us)
        track = max(tracks, key=lambda track: _shared_us(track.speech, at))
        speech = [span for span in track.speech if _shared_us([span], at)]
        if not speech:
            continue
        if not talk.timed:
            # A transcript's times are those of a person, or of words on their way to the screen.
            at = Span(speech[0].start_us, speech[-1].end_us)
        elif said.cut:
            # Until it is sure that it was interrupted, the agent holds its tongue.
            at = Span(at.start_us, min(at.end_us, max(span.end_us for span in speech)))
        yield _answer(said, track, _samples(pcm[track.id], track, at), put)


def _answer(
    said: Said, track: Track, pcm: NDArray[np.int16], put: Callable[[bytes], str]
) -> Answer:
    ends = word_ends(pcm, track.sample_rate_hz, said.text)
    chars = np.cumsum([len(word) + 1 for word in said.text.split(" ")]) - 1
    words: list[Json] = [
        [int(upto), end * _SAMPLE_BYTES] for upto, end in zip(chars, ends, strict=True)
    ]
    response: dict[str, Json] = {
        "ending": "cancelled" if said.cut else "done",
        "took_us": len(pcm) * 1_000_000 // track.sample_rate_hz,
        "ttfb_us": said.ttfb_us or 0,
        "audio": {
            "blob": put(pcm.astype("<i2", copy=False).tobytes()),
            "sample_rate_hz": track.sample_rate_hz,
            "channels": 1,
        },
        "words": words,
    }
    if said.ttfb_us is None:
        response["untimed"] = True
    return Answer("tts", said.at_us, outside.speech(said.text), response)


def _late_us(bundle: Bundle, tracks: Sequence[Track]) -> int:
    """How much later the recorder heard the agent than the agent says that it spoke.

    By the message whose sound came soonest: a voice may take a moment until it is audible.
    """
    begun = sorted(span.start_us for track in tracks for span in track.speech)
    late: list[int] = []
    for at_us in speaking(bundle):
        after = [start_us - at_us for start_us in begun if 0 <= start_us - at_us < _MOST_LATE_US]
        if after:
            late.append(after[0])
    return min(late, default=0)


def _shared_us(spans: Sequence[Span], at: Span) -> int:
    return sum(
        max(0, min(span.end_us, at.end_us) - max(span.start_us, at.start_us)) for span in spans
    )


def _samples(pcm: NDArray[np.int16], track: Track, at: Span) -> NDArray[np.int16]:
    first, last = (
        min(len(pcm), max(0, (t_us - track.offset_us) * track.sample_rate_hz // 1_000_000))
        for t_us in (at.start_us, at.end_us)
    )
    return pcm[first:last]
