"""An agent that answers as scripted, in simulated time, and the caller's view of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lkgate.caller.heard import Heard, Stretch
from lkgate.caller.performance import Performance
from lkgate.model.bundle import Span
from lkgate.model.event import Json
from lkgate.model.plan import Anchor, CallerPlan, PlannedUtterance

RATE = 8000
CHUNK_US = 50_000


def plan(
    *said: tuple[int, int, Anchor],
    hangup_ms: int = 1000,
    closing: int = 0,
    patience_ms: int = 20_000,
) -> CallerPlan:
    """A plan at 8 kHz; each utterance as (start_ms, end_ms, anchor) on a clock that begins at 0."""
    return CallerPlan(
        sample_rate_hz=RATE,
        offset_us=0,
        utterances=tuple(
            PlannedUtterance(i, Span(start * 1000, end * 1000), anchor)
            for i, (start, end, anchor) in enumerate(said)
        ),
        hangup_after_us=hangup_ms * 1000,
        pacing="anchored",
        patience_us=patience_ms * 1000,
        identity="caller",
        attributes={},
        closing_segments=closing,
    )


def after_agent(delay_ms: int, segments: int = 1) -> Anchor:
    return Anchor("after_agent", delay_ms * 1000, segments)


def into_agent(delay_ms: int, segments: int = 1) -> Anchor:
    return Anchor("into_agent", delay_ms * 1000, segments)


def after_caller(delay_ms: int) -> Anchor:
    return Anchor("after_caller", delay_ms * 1000, 0)


def at_start(delay_ms: int) -> Anchor:
    return Anchor("start", delay_ms * 1000, 0)


@dataclass
class Notes:
    """What the caller noted."""

    items: list[tuple[str, Mapping[str, Json]]] = field(default_factory=list)

    def __call__(self, kind: str, data: Mapping[str, Json]) -> None:
        self.items.append((kind, dict(data)))

    def of(self, kind: str) -> list[Mapping[str, Json]]:
        return [data for one, data in self.items if one == kind]


@dataclass
class FakeAgent:
    """Speech and states on the session's clock, microseconds.

    Attributes:
        speech: stretches.
        states: (from when, state); none means an agent that never says.
        certain_us: silence after which the caller's detector is sure of a stop.
        heard_us: sound that the detector needs before it reports a start.
    """

    speech: list[Span]
    states: list[tuple[int, str]] = field(default_factory=list)
    certain_us: int = 300_000
    heard_us: int = 130_000

    def perceived(self, now_us: int, heard: Heard) -> None:
        """Bring ``heard`` up to what a caller can know at ``now_us``."""
        heard.agent_seen = True
        heard.room_us = heard.begin_us = 0
        heard.stretches[:] = [
            Stretch(
                span.start_us,
                span.end_us if now_us >= span.end_us + self.certain_us else None,
                span.end_us if now_us >= span.end_us + 100_000 else None,
            )
            for span in self.speech
            if now_us >= span.start_us + self.heard_us
        ]
        for from_us, state in self.states:
            if now_us >= from_us:
                heard.state = state


def perform(
    plan: CallerPlan,
    agent: FakeAgent,
    *,
    pcm: NDArray[np.int16] | None = None,
    until_us: int = 120_000_000,
    begin_us: int = 0,
) -> tuple[Performance, Notes, NDArray[np.int16]]:
    """Play ``plan`` against ``agent``; returns the performance, its notes and what it said."""
    heard, notes = Heard(), Notes()
    end_us = plan.utterances[-1].span.end_us if plan.utterances else 0
    if pcm is None:
        pcm = np.zeros(end_us * RATE // 1_000_000 + RATE, np.int16)
    performance = Performance(plan, pcm, heard, note=notes, begin_us=begin_us)
    said: list[NDArray[np.int16]] = []
    while performance.now_us < until_us:
        agent.perceived(performance.now_us, heard)
        chunk = performance.chunk(CHUNK_US * RATE // 1_000_000)
        if chunk is None:
            break
        said.append(chunk)
    return performance, notes, np.concatenate(said)
