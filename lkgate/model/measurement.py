"""A named number with a unit, an n, and the turns behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lkgate.model.bundle import Span
from lkgate.model.turn import Modality

Unit = Literal["us", "ratio", "count", "words", "tokens", "money", "dB", "mos"]
Direction = Literal["lower", "higher", "none"]
Layer = Literal["media", "stt", "turn_taking", "llm", "tool", "tts"]
Scope = Literal["turn", "call"]
SampleStatus = Literal["measured", "absent", "not_applicable"]
Summary = Literal["median", "sum", "max", "rate"]
Evidence = Literal[
    "caller_audio",
    "agent_audio",
    "arrival",
    "media",
    "session",
    "caller_transcript",
    "agent_transcript",
    "confidence",
    "language",
    "media_quality",
    "levels",
    "speech_quality",
    "spoken",
    "synthesis",
    "job",
    "replay",
    "labels",
    "prices",
    "caller_history",
    "baseline",
]


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """What a metric is; the schema, the docs and the command line are made from it.

    Attributes:
        name: as written in a gate.
        unit: of its values; times are microseconds, money is in the price table's currency,
            levels are dB of full scale, ratings of speech (``mos``) go from 1 to 5.
        direction: which way is better.
        version: raised when the definition changes; a baseline of another version is stale.
        scope: ``turn``: one sample a turn (or barge-in, or tool call); ``call``: one a call.
        summary: how one call's samples become the call's value.
        layer: of the voice pipeline that it mostly speaks about, ``None`` for the whole call.
        evidence: what a session must hold for it to be measured.
        comparable: turns after the first divergence are left out of it.
        doc: one line: the definition.
        source: of the formula: who defined it, or LiveKit's name for it; empty if it is lkgate's
            own.
        misleads: how its number can say something else than it seems to.
    """

    name: str
    unit: Unit
    direction: Direction
    version: int
    scope: Scope
    summary: Summary
    layer: Layer | None
    evidence: tuple[Evidence, ...]
    comparable: bool
    doc: str
    source: str = ""
    misleads: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """The value of one turn (or barge-in, tool call, call).

    Attributes:
        status: ``absent``: it should exist and does not; ``not_applicable``: the metric does not
            apply here. Both have no value, and a reason.
        value: in the metric's unit.
        amount, weight: a ratio's numerator and denominator: ``rate`` is sum over sum. For other
            metrics ``amount`` is the value and ``weight`` 1.
        turn: index of the turn it speaks about, ``None`` for the whole call.
        span: session time to listen to.
        note: what was seen, in words.
        reason: why there is no value.
        estimated: modalities whose answer in this turn was a policy's estimate.
    """

    status: SampleStatus
    value: float | None
    amount: float
    weight: float
    turn: int | None
    span: Span
    note: str | None
    reason: str | None
    estimated: tuple[Modality, ...] = ()


@dataclass(frozen=True, slots=True)
class Measurement:
    """One metric of one session.

    Attributes:
        value: the call's summary over the measured samples, ``None`` with a ``reason`` if there
            are none.
        n: number of measured samples.
        reason: why ``value`` is ``None``.
        missing: the session lacks the evidence that the metric needs. ``False`` with no value: the
            metric has nothing to measure in this call (no barge-in in it, for instance).
        samples: all of them, in session order; one of status ``absent`` is a hole in the evidence.
    """

    metric: str
    version: int
    unit: Unit
    value: float | None
    n: int
    reason: str | None
    missing: bool
    samples: tuple[Sample, ...]
