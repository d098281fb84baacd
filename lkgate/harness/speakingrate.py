"""LiveKit's speaking rate of the agent's audio, without computing every spectrum ten times over.

The synchronizer of transcripts looks at a second of audio ten times a second, so nine tenths of
the spectra of each look are those of the one before. Here they are kept. The numbers are the ones
that LiveKit's own method gives, bit for bit.
"""

from __future__ import annotations

import functools
import weakref
from dataclasses import dataclass

import numpy as np
from livekit.agents.voice.transcription._speaking_rate import SpeakingRateStream
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Look:
    """The audio that was looked at, the magnitudes of its spectra, and how they change.

    Rows are in the order of time; ``changes`` has one entry less than ``magnitudes`` has rows.
    """

    audio: Floats
    magnitudes: NDArray[np.float64]
    changes: NDArray[np.float64]


def install() -> None:
    """Replace the method of the class, for every stream there will be."""
    looks: weakref.WeakKeyDictionary[SpeakingRateStream, _Look] = weakref.WeakKeyDictionary()

    def spectral_flux(self: SpeakingRateStream, audio: Floats, sample_rate: int) -> float:
        length = int(sample_rate * 0.025)
        look = looks[self] = _look(audio, length, self._step_size_samples, looks.get(self))
        return float(np.mean(look.changes)) if look.changes.size else 0.0

    SpeakingRateStream._spectral_flux = spectral_flux  # type: ignore[method-assign]


def _look(audio: Floats, length: int, step: int, before: _Look | None) -> _Look:
    """Spectra of windows of ``length`` samples, a half apart. ``audio`` may be reused later."""
    hop = length // 2
    audio = audio.copy()
    known = 0
    if (
        before is not None
        and step > 0
        and step % hop == 0
        and before.audio.size == audio.size
        and np.array_equal(before.audio[step:], audio[:-step])
    ):
        known = max(0, len(before.magnitudes) - step // hop)
    magnitudes = _magnitudes(audio[known * hop :], length, hop)
    if before is not None and known:
        magnitudes = np.concatenate([before.magnitudes[step // hop :], magnitudes])
    fresh = magnitudes[max(0, known - 1) :]
    changes = np.abs(fresh[1:] - fresh[:-1]).sum(axis=1)
    if before is not None and known:
        changes = np.concatenate([before.changes[step // hop :], changes])
    return _Look(audio, magnitudes, changes)


def _magnitudes(audio: Floats, length: int, hop: int) -> NDArray[np.float64]:
    count = (len(audio) - length) // hop + 1
    if count <= 0:
        return np.zeros((0, length // 2 + 1))
    window, scale = _window(length)
    parts = np.lib.stride_tricks.sliding_window_view(audio, length)[::hop]
    spectra = np.fft.rfft(parts * window) * scale
    return np.abs(spectra)


@functools.cache
def _window(length: int) -> tuple[NDArray[np.float64], float]:
    window = np.hanning(length)
    return window, float(1.0 / np.sqrt(np.sum(window**2)))
