"""Two sessions of one call: aligned, compared, and where they stopped being the same.

What decides that a conversation has become another one is what it does, not how it is worded:
other tools, other arguments, another handoff, an answer that is missing or new. Other words around
the same acts, to which the caller's plan still is an answer, are a difference and nothing more.
"""

from __future__ import annotations

from dataclasses import replace

from lkgate.diff.align import Pair, align
from lkgate.diff.latency import Waited, latency_difference
from lkgate.diff.turn import agent_differences, caller_differences, unpaired, unpaired_tools
from lkgate.measure.latency import response_latency
from lkgate.measure.session import Session
from lkgate.model.difference import CallDifference, Difference, Divergence, TurnPair
from lkgate.model.turn import Turn

# What can be the reason for a difference in meaning that shows later in the same exchange.
_CAUSES = (
    "transcript",
    "interruption_ignored",
    "interruption_yielded",
    "barge_in_missing",
    "barge_in_extra",
    "tool_result",
)
# The caller's turn before the agent's, and the exchange before it.
_REACH = 3


def diff(baseline: Session, candidate: Session) -> CallDifference:
    """Compare a candidate with its baseline.

    Returns:
        pairs in order; those behind the first semantic difference are marked, and still compared.
    """
    mode, aligned = align(baseline.turns, candidate.turns)
    was, now = _waited(baseline), _waited(candidate)
    pairs = [
        TurnPair(old, new, False, tuple(_compare(aligned, at, was, now)))
        for at, (old, new) in enumerate(aligned)
    ]
    divergence = _divergence(pairs)
    if divergence is not None:
        pairs = [
            replace(pair, after_divergence=at > divergence.pair) for at, pair in enumerate(pairs)
        ]
    return CallDifference(
        aligned_by=mode,
        pairs=tuple(pairs),
        first_divergence=divergence,
    )


def _waited(session: Session) -> Waited:
    if session.absent.keys() & {"caller_audio", "agent_audio"}:
        return Waited({})
    return Waited({s.turn: s for s in response_latency(session) if s.turn is not None})


def _compare(aligned: list[Pair], at: int, was: Waited, now: Waited) -> list[Difference]:
    old, new = aligned[at]
    if old is None or new is None:
        return _alone(aligned, at)
    if old.role == "agent":
        return sorted(agent_differences(old, new), key=lambda found: found.t_us)
    answers = aligned[at + 1] if at + 1 < len(aligned) else (None, None)
    found = [
        *caller_differences(old, new),
        *latency_difference((old, _agent(answers[0])), (new, _agent(answers[1])), was, now),
    ]
    return sorted(found, key=lambda one: one.t_us)


def _agent(turn: Turn | None) -> Turn | None:
    return turn if turn is not None and turn.role == "agent" else None


def _alone(aligned: list[Pair], at: int) -> list[Difference]:
    old, new = aligned[at]
    turn = old or new
    assert turn is not None
    other = {
        index
        for a, b in aligned
        for one in (b if old else a,)
        if one is not None
        for index in one.utterances
    }
    if turn.utterances and set(turn.utterances) <= other:
        # The same utterances were said, in turns cut otherwise: the agent's side tells of that.
        return []
    t_us = turn.span.start_us
    if new is None:
        before = [b.span.end_us for _, b in aligned[:at] if b is not None]
        t_us = max(before, default=0)
    gone = new is None
    return [
        unpaired(turn, missing=gone, t_us=t_us),
        *unpaired_tools(turn, missing=gone, t_us=t_us),
    ]


def _divergence(pairs: list[TurnPair]) -> Divergence | None:
    for at, pair in enumerate(pairs):
        semantic = next((found for found in pair.differences if found.semantic), None)
        if semantic is None:
            continue
        near = [f for one in pairs[max(0, at - _REACH) : at + 1] for f in one.differences]
        causes = [f for f in near if f.kind in _CAUSES and f.t_us <= semantic.t_us]
        cause = min(causes, key=lambda found: found.t_us, default=semantic)
        reason = semantic.detail
        if cause is not semantic:
            reason = f"{cause.detail}; then {semantic.detail}"
        return Divergence(semantic, cause, cause.layer, at, len(pairs) - at - 1, reason)
    return None
