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

    Raises:
        TooLongError: they have too many turns to be aligned.
    """
    mode, aligned = align(baseline.turns, candidate.turns)
    was, now = _waited(baseline), _waited(candidate)
    said = _utterances(baseline), _utterances(candidate)
    pairs: list[TurnPair] = []
    before_us = 0
    for at, (old, new) in enumerate(aligned):
        if old is None or new is None:
            found = _alone(old, new, said, before_us)
        else:
            found = _compare(old, new, aligned[at + 1] if at + 1 < len(aligned) else None, was, now)
        pairs.append(TurnPair(old, new, False, tuple(found)))
        before_us = before_us if new is None else max(before_us, new.span.end_us)
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


def _utterances(session: Session) -> frozenset[int]:
    return frozenset(index for turn in session.turns for index in turn.utterances)


def _compare(
    old: Turn, new: Turn, after: Pair | None, was: Waited, now: Waited
) -> list[Difference]:
    """Two turns that do the same job, and the pair that follows them."""
    if old.role == "agent":
        return sorted(agent_differences(old, new), key=lambda found: found.t_us)
    answers = after or (None, None)
    found = [
        *caller_differences(old, new),
        *latency_difference((old, _agent(answers[0])), (new, _agent(answers[1])), was, now),
    ]
    return sorted(found, key=lambda one: one.t_us)


def _agent(turn: Turn | None) -> Turn | None:
    return turn if turn is not None and turn.role == "agent" else None


def _alone(
    old: Turn | None,
    new: Turn | None,
    said: tuple[frozenset[int], frozenset[int]],
    before_us: int,
) -> list[Difference]:
    """A turn without a counterpart.

    Args:
        said: the utterances of the baseline, and of the candidate.
        before_us: when the candidate's turns before it had ended.
    """
    turn = old or new
    assert turn is not None
    if turn.utterances and said[1 if old else 0].issuperset(turn.utterances):
        # The same utterances were said, in turns cut otherwise: the agent's side tells of that.
        return []
    gone = new is None
    t_us = before_us if gone else turn.span.start_us
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
