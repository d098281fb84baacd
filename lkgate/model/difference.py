"""What differs between two sessions of the same caller, turn by turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lkgate.model.bundle import Span
from lkgate.model.event import Json
from lkgate.model.measurement import Layer
from lkgate.model.turn import Turn

DifferenceKind = Literal[
    "transcript",
    "agent_text",
    "tool_missing",
    "tool_extra",
    "tool_order",
    "tool_argument",
    "tool_result",
    "handoff",
    "latency",
    "speech_length",
    "interruption_ignored",
    "interruption_yielded",
    "barge_in_missing",
    "barge_in_extra",
    "turn_missing",
    "turn_extra",
]
LatencyPart = Literal["end_of_turn", "llm", "tool", "tts", "unexplained"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was.

    Attributes:
        kind: what kind of thing.
        layer: of the voice pipeline in which it shows.
        semantic: it changes what the conversation is about: later turns are not comparable.
        t_us: candidate session time at which it shows.
        baseline_turn, candidate_turn: turn indices, ``None`` where there is no such turn.
        baseline_span, candidate_span: what to listen to, ``None`` where there is nothing.
        tool: the tool's name, for tool differences.
        path: place in the tool's arguments (``$.slot.time``), for ``tool_argument``.
        old, new: the two values: texts, JSON values, or microseconds; ``None`` is absent.
        part: for ``latency``: the part that explains most of it; ``unexplained`` by those measured
            means transport and playout, the ``media`` layer.
        detail: one line in words, names and units included.
    """

    kind: DifferenceKind
    layer: Layer
    semantic: bool
    t_us: int
    baseline_turn: int | None
    candidate_turn: int | None
    baseline_span: Span | None
    candidate_span: Span | None
    tool: str | None
    path: str | None
    old: Json
    new: Json
    part: LatencyPart | None
    detail: str


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where the conversation stopped being the same conversation.

    Attributes:
        difference: the semantic difference that ends comparability.
        cause: the earliest difference that led to it, possibly itself.
        layer: the cause's layer.
        pair: position in ``CallDifference.pairs``; later pairs are after the divergence.
        turns_lost: pairs after it.
        reason: one line in words.
    """

    difference: Difference
    cause: Difference
    layer: Layer
    pair: int
    turns_lost: int
    reason: str


@dataclass(frozen=True, slots=True)
class TurnPair:
    """A turn of the baseline and the turn of the candidate that does the same job.

    Exactly one of the two may be ``None``.
    """

    baseline: Turn | None
    candidate: Turn | None
    after_divergence: bool
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class CallDifference:
    """Two sessions, aligned.

    Attributes:
        aligned_by: ``plan``: by the caller's utterances, exact; ``text``: by words and time.
        pairs: in the candidate's order; missing turns stand where the baseline had them.
        first_divergence: the earliest semantic difference, ``None`` if there is none.
    """

    aligned_by: Literal["plan", "text"]
    pairs: tuple[TurnPair, ...]
    first_divergence: Divergence | None

    @property
    def differences(self) -> tuple[Difference, ...]:
        return tuple(found for pair in self.pairs for found in pair.differences)
