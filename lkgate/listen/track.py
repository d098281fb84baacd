"""A track's sound, in the pieces that are listened to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from lkgate.model.bundle import Bundle, Span, Track
from lkgate.model.event import Event, Json

Pcm = npt.NDArray[np.int16]
Wave = npt.NDArray[np.float32]

MODEL_HZ = 16_000


@dataclass(frozen=True, slots=True)
class Heard:
    """An event that was found by listening: when, of which kind, and what it says."""

    t_us: int
    kind: str
    data: Mapping[str, Json]


def noted(bundle: Bundle, found: Iterable[Heard]) -> Bundle:
    """A bundle with more events than it has on disk."""
    last = len(bundle.events)
    more = [Event(one.t_us, last + at, one.kind, one.data) for at, one in enumerate(found)]
    events = sorted((*bundle.events, *more), key=lambda event: (event.t_us, event.seq))
    return replace(bundle, events=tuple(events))


@dataclass(frozen=True, slots=True)
class Sounds:
    """A track and its samples, mono."""

    track: Track
    pcm: Pcm

    def cut(self, span: Span) -> Pcm:
        """The samples of a stretch of session time, as far as the track has them."""
        rate, offset = self.track.sample_rate_hz, self.track.offset_us
        start, end = ((t - offset) * rate // 1_000_000 for t in (span.start_us, span.end_us))
        return self.pcm[max(0, start) : max(0, end)]

    def about(self, span: Span) -> dict[str, Json]:
        """Which track and which stretch of it: the first fields of every event."""
        return {
            "track": self.track.id,
            "role": self.track.role,
            "start_us": span.start_us,
            "end_us": span.end_us,
        }


def joined(speech: Sequence[Span], *, bridge_us: int, longest_us: int) -> list[Span]:
    """Stretches of speech put together over short pauses, up to a length."""
    found: list[Span] = []
    for span in speech:
        last = found[-1] if found else None
        if (
            last is not None
            and span.start_us - last.end_us <= bridge_us
            and span.end_us - last.start_us <= longest_us
        ):
            found[-1] = Span(last.start_us, span.end_us)
        else:
            found.append(span)
    return found


def wave(pcm: Pcm, sample_rate_hz: int) -> Wave:
    """Samples between -1 and 1 at the rate of the models, by the whole spectrum at once."""
    plain = pcm.astype(np.float64) / 32_768.0
    if sample_rate_hz != MODEL_HZ and len(plain):
        size = max(1, round(len(plain) * MODEL_HZ / sample_rate_hz))
        spectrum = np.fft.rfft(plain)
        kept = np.zeros(size // 2 + 1, dtype=np.complex128)
        shared = min(len(kept), len(spectrum))
        kept[:shared] = spectrum[:shared]
        plain = np.fft.irfft(kept, size) * (size / len(plain))
    return np.clip(plain, -1.0, 1.0).astype(np.float32)
