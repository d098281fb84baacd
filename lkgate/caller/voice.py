"""The caller's microphone: recorded utterances, and the recording's own room tone between them.

Pure: samples in, samples out. An utterance is the recorded PCM, sample for sample. Silence is the
PCM of the recorded gap: it goes on from where the last utterance ended, is looped with a short
crossfade when the gap gets longer, and is left early when it gets shorter, always through the
recorded lead-in of the next utterance, so that a soft first consonant is not cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]

_LEAD_MS = 200  # recorded sound right before an utterance: never looped, always led through
_TAIL_MS = 200  # recorded sound right after one: never looped
_FADE_MS = 10
_LOOP_MIN_MS = 150  # a shorter loop would be heard as a tone


@dataclass(frozen=True, slots=True)
class _Gap:
    """Recorded sound between two utterances: indices into the PCM.

    ``lead`` is where the next utterance's lead-in begins, ``[loop_start, loop_end)`` what is
    repeated when the gap has to be longer, possibly taken from another gap.
    """

    start: int
    lead: int
    end: int
    loop_start: int
    loop_end: int


class Voice:
    """Reads the caller's PCM as :meth:`tone` and :meth:`speech`, in turns, utterance by utterance.

    Args:
        pcm: the recording's caller track.
        utterances: half-open sample ranges, in order, not overlapping.
        sample_rate_hz: of ``pcm``.
    """

    def __init__(self, pcm: Pcm, utterances: list[tuple[int, int]], sample_rate_hz: int) -> None:
        per_ms = sample_rate_hz / 1000
        self._fade = max(1, round(_FADE_MS * per_ms))
        silence = max(2 * self._fade, round(_LOOP_MIN_MS * per_ms))
        self._utterances = utterances
        self._gaps = _gaps(
            utterances,
            pcm.size,
            lead=round(_LEAD_MS * per_ms),
            tail=round(_TAIL_MS * per_ms),
            shortest=silence,
        )
        self._pcm = pcm
        if any(gap.loop_end > pcm.size for gap in self._gaps):
            # A recording without any gap: digital silence stands behind it.
            self._pcm = np.concatenate([pcm, np.zeros(silence, np.int16)])
        self._next = 0
        self._at = self._gaps[0].start
        self._stop = 0  # end of the utterance being said
        self._fading_from = 0
        self._fading_left = 0

    @property
    def next(self) -> int:
        """Index of the utterance that :meth:`begin` would say."""
        return self._next

    @property
    def speaking(self) -> bool:
        return self._at < self._stop

    def begin(self) -> None:
        """Say the next utterance: :meth:`speech` reads it until :attr:`speaking` is false."""
        self._at, self._stop = self._utterances[self._next]
        self._fading_left = 0
        self._next += 1

    def speech(self, n: int) -> Pcm:
        """The utterance's next samples, at most ``n``."""
        end = min(self._at + n, self._stop)
        out = self._pcm[self._at : end]
        self._at = end
        if end == self._stop:
            self._stop = 0
        return out

    def tone(self, n: int, wait: int | None) -> Pcm:
        """Room tone, at most ``n`` samples.

        Args:
            n: samples wanted.
            wait: samples until the next utterance's first one as known by now, ``None`` if not
                known. Never more than these are returned.
        """
        parts: list[Pcm] = []
        left = n if wait is None else min(n, wait)
        while left:
            part = self._piece(left, wait)
            parts.append(part)
            left -= part.size
            wait = None if wait is None else wait - part.size
        if not parts:
            return self._pcm[:0]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _piece(self, n: int, wait: int | None) -> Pcm:
        gap = self._gaps[self._next]
        if wait is not None and self._next < len(self._utterances):
            lead_in = gap.end - gap.lead
            if wait <= lead_in and self._at != gap.end - wait:
                self._jump(gap.end - wait)
            if gap.start <= self._at == gap.end - wait:
                return self._read(n)
            if wait > lead_in:
                n = min(n, wait - lead_in)
        in_gap = gap.start <= self._at < gap.lead
        in_loop = gap.loop_start <= self._at < gap.loop_end
        if not in_gap and not in_loop:
            self._jump(gap.loop_start)
            in_gap, in_loop = gap.start <= self._at < gap.lead, True
        end = gap.lead if in_gap else gap.loop_end
        return self._read(min(n, end - self._at))

    def _jump(self, to: int) -> None:
        self._fading_from, self._fading_left = self._at, self._fade
        self._at = to

    def _read(self, n: int) -> Pcm:
        out = self._pcm[self._at : self._at + n]
        self._at += n
        fading = min(self._fading_left, n)
        if not fading:
            return out
        done = self._fade - self._fading_left
        rise = (np.arange(done, done + fading) + 1) / (self._fade + 1)
        old = self._pcm[self._fading_from : self._fading_from + fading].astype(np.float64)
        mixed = out[:fading] * rise
        mixed[: old.size] += old * (1 - rise[: old.size])
        out = out.copy()
        out[:fading] = np.rint(mixed).astype(np.int16)
        self._fading_from += fading
        self._fading_left -= fading
        return out


def _gaps(
    utterances: list[tuple[int, int]], size: int, *, lead: int, tail: int, shortest: int
) -> list[_Gap]:
    bounds = [0, *(edge for span in utterances for edge in span), size]
    edges = [(bounds[i], bounds[i + 1]) for i in range(0, len(bounds), 2)]
    loops: list[tuple[int, int]] = []
    leads: list[int] = []
    for index, (start, end) in enumerate(edges):
        half = (end - start) // 2
        leads.append(end - (min(lead, half) if index < len(utterances) else 0))
        loops.append((start + (min(tail, half) if index else 0), leads[-1]))
    longest = max(loops, key=lambda loop: loop[1] - loop[0])
    if longest[1] - longest[0] < shortest:
        longest = (size, size + shortest)
    return [
        _Gap(
            start, leads[i], end, *(loops[i] if loops[i][1] - loops[i][0] >= shortest else longest)
        )
        for i, (start, end) in enumerate(edges)
    ]
