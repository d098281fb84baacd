"""A written call as a plan: lines with anchors over a noise bed, for the caller of a live room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lkgate.caller.voice import Pcm
from lkgate.model.bundle import Span
from lkgate.model.plan import Anchor, CallerPlan, PlannedUtterance

_GAP_MS = 1500


@dataclass(frozen=True, slots=True)
class Line:
    """What the caller says, and when."""

    pcm: Pcm
    anchor: Anchor


def after_agent(delay_ms: int = 700, segments: int = 1) -> Anchor:
    """Once the agent has been silent, and not busy, for ``delay_ms``: an answer, or a silence."""
    return Anchor("after_agent", delay_ms * 1000, segments)


def into_agent(delay_ms: int = 1200, segments: int = 1) -> Anchor:
    """``delay_ms`` into the agent's ``segments``-th stretch of speech: a barge-in."""
    return Anchor("into_agent", delay_ms * 1000, segments)


def after_caller(delay_ms: int) -> Anchor:
    """A pause in the caller's own speech."""
    return Anchor("after_caller", delay_ms * 1000, 0)


def at_start(delay_ms: int) -> Anchor:
    """``delay_ms`` after the agent's audio is first heard, without a greeting to wait for."""
    return Anchor("start", delay_ms * 1000, 0)


def build(
    lines: Sequence[Line],
    *,
    sample_rate_hz: int,
    bed: Pcm | None = None,
    identity: str = "caller",
    attributes: Mapping[str, str] | None = None,
    hangup_after_ms: int = 1500,
    closing_segments: int = 1,
    patience_ms: int = 20_000,
) -> tuple[CallerPlan, Pcm]:
    """The plan of a script, and the PCM that it points into.

    Args:
        lines: in order; mono, at ``sample_rate_hz``.
        bed: room noise under everything, repeated as needed; ``None`` is digital silence.
        hangup_after_ms: silence after the last thing said, then the caller leaves.
        closing_segments: 1 if the agent answers the last line, else 0.

    Raises:
        ValueError: a line holds no samples.
    """
    gap = _GAP_MS * sample_rate_hz // 1000
    at = gap
    utterances: list[PlannedUtterance] = []
    size = gap + sum(line.pcm.size + gap for line in lines)
    mixed = np.zeros(size, np.int32)
    if bed is not None and bed.size:
        mixed += np.resize(bed, size)
    for index, line in enumerate(lines):
        if not line.pcm.size:
            raise ValueError(f"line {index} holds no samples")
        end = at + line.pcm.size
        mixed[at:end] += line.pcm
        span = Span(*(sample * 1_000_000 // sample_rate_hz for sample in (at, end)))
        utterances.append(PlannedUtterance(index, span, line.anchor))
        at = end + gap
    plan = CallerPlan(
        sample_rate_hz=sample_rate_hz,
        offset_us=0,
        utterances=tuple(utterances),
        hangup_after_us=hangup_after_ms * 1000,
        pacing="anchored",
        patience_us=patience_ms * 1000,
        identity=identity,
        attributes=dict(attributes or {}),
        closing_segments=closing_segments,
    )
    return plan, np.clip(mixed, -32768, 32767).astype(np.int16)


def room_tone(
    sample_rate_hz: int, *, seconds: float = 4.0, level_dbfs: float = -62.0, seed: int = 1
) -> Pcm:
    """Noise that falls with frequency, as rooms and telephones have it.

    Args:
        level_dbfs: root mean square.
        seed: the same seed gives the same samples.
    """
    count = int(seconds * sample_rate_hz)
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(count))
    hz = np.fft.rfftfreq(count, 1 / sample_rate_hz)
    # 1/f in power above 100 Hz; built from a spectrum, so that its end joins its beginning.
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(hz, 100.0)), count)
    rms = 32768 * 10 ** (level_dbfs / 20)
    tone: Pcm = np.rint(noise * rms / np.sqrt(np.mean(noise**2))).astype(np.int16)
    return tone
