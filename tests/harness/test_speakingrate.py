"""The speaking rate of a transcript's synchronizer, against LiveKit's own method."""

from __future__ import annotations

import numpy as np
import pytest
from livekit.agents.voice.transcription._speaking_rate import SpeakingRateStream

from lkgate.harness import speakingrate

_ORIGINAL = SpeakingRateStream._spectral_flux


class _Stream(SpeakingRateStream):
    """One without a task."""

    def __init__(self, step: int) -> None:
        self._step_size_samples = step


@pytest.fixture
def replaced() -> object:
    speakingrate.install()
    try:
        yield
    finally:
        SpeakingRateStream._spectral_flux = _ORIGINAL  # type: ignore[method-assign]


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 24_000, 48_000])
def test_it_is_livekits_own_bit_for_bit(replaced: None, rate: int) -> None:
    step = rate // 10
    chance = np.random.default_rng(rate)
    loudness = np.repeat(chance.uniform(0, 0.3, 40), step)
    audio = (chance.normal(0, 1, loudness.size) * loudness).astype(np.float32)
    stream = _Stream(step)
    window = np.empty(rate, np.float32)  # one array for all, as LiveKit does
    for look in range(25):
        window[:] = audio[look * step : look * step + rate]
        if look == 12:  # another segment begins
            window[:] = chance.normal(0, 0.1, rate)
        expected = _ORIGINAL(stream, window, rate)
        assert stream._spectral_flux(window, rate) == expected
    rest = audio[: rate // 2 + 7]  # at the end of a segment
    assert stream._spectral_flux(rest, rate) == _ORIGINAL(stream, rest, rate)
