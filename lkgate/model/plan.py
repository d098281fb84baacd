"""The caller of a recording as a plan that can be played into another build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from lkgate.model.bundle import Span

AnchorKind = Literal["start", "after_agent", "into_agent", "after_caller"]
Pacing = Literal["anchored", "absolute"]


@dataclass(frozen=True, slots=True)
class Anchor:
    """What an utterance waits for.

    Attributes:
        kind: ``start``: the caller hears the room; ``after_agent``: the agent fell silent;
            ``into_agent``: the agent is speaking (a barge-in); ``after_caller``: the caller's own
            previous utterance ended and nobody answered in between.
        delay_us: from that moment to the utterance's first sample, never negative.
        agent_segments: stretches of agent speech that the recording had between the caller's
            previous utterance and this one; the anchor is the last of them. 0 for ``after_agent``
            means the stretch that the caller's previous utterance was spoken into.
        grace_us: how long the agent may be silent between those stretches before the caller takes
            fewer of them for the whole reply.
        while_busy: the recorded agent was thinking, or between two sentences, when the caller
            spoke: the caller does not wait for it to be done.
    """

    kind: AnchorKind
    delay_us: int
    agent_segments: int
    grace_us: int = 1_500_000
    while_busy: bool = False


@dataclass(frozen=True, slots=True)
class PlannedUtterance:
    """One stretch of caller speech, played sample for sample.

    Attributes:
        index: position in the plan.
        span: where it lies on the recording's clock.
        anchor: when it is said.
    """

    index: int
    span: Span
    anchor: Anchor


@dataclass(frozen=True, slots=True)
class CallerPlan:
    """Everything that the caller does in a replay.

    Attributes:
        sample_rate_hz: of the caller's mono 16-bit PCM.
        offset_us: session time of the PCM's first sample.
        utterances: in order.
        hangup_after_us: silence after the last thing said by either side, then the caller leaves.
        pacing: ``anchored`` follows the agent's replies, ``absolute`` keeps the clock.
        patience_us: how long an anchor may stay unmet before the caller speaks anyway.
        identity, attributes: the caller's participant, as recorded.
        closing_segments: stretches of agent speech that the recording had after the last utterance.
    """

    sample_rate_hz: int
    offset_us: int
    utterances: tuple[PlannedUtterance, ...]
    hangup_after_us: int
    pacing: Pacing
    patience_us: int
    identity: str
    attributes: Mapping[str, str]
    closing_segments: int = 0
