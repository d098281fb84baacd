"""How much of a rule rests on answers that were made up or derived, for the report to say so."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lkgate.gate.collect import Collected, compares, paired
from lkgate.model.gate import Rule
from lkgate.model.measurement import MetricSpec
from lkgate.model.turn import Turn
from lkgate.model.verdict import JudgedCall


def is_estimated(turn: Turn) -> bool:
    """Whether a policy made up an answer in it."""
    return bool(turn.estimated)


def is_derived(turn: Turn) -> bool:
    """Whether an answer in it was made from what was heard of the recorded call."""
    return bool(turn.derived)


def samples_resting_on(
    what: Callable[[Turn], bool],
    rule: Rule,
    spec: MetricSpec,
    call: JudgedCall,
    found: Collected,
) -> int:
    """How many of a call's samples rest on such turns, in the replay or in what it is held to.

    A sample of a whole call does if any turn of it does. The baseline counts where the rule or
    its metric compares with it.
    """
    turns, before = call.turns, call.baseline_turns
    if not any(map(what, turns)) and not any(map(what, before)):
        return 0
    against = compares(rule) or "baseline" in spec.evidence
    twins: dict[int | None, int | None] = {None: None}
    if call.difference is not None:
        twins |= {
            pair.candidate.index: pair.baseline.index
            for pair in call.difference.pairs
            if pair.candidate and pair.baseline
        }
    count = 0
    for point in found.points:
        at = point.sample.turn
        rests = _rests(what, spec, turns, at)
        if against and at in twins:
            rests = rests or _rests(what, spec, before, twins[at])
        count += rests
    if compares(rule) and not paired(spec):
        # Of turns that only the baseline has.
        had = set(twins.values())
        count += sum(
            _rests(what, spec, before, sample.turn)
            for sample in found.baseline
            if sample.turn not in had
        )
    return count


def _rests(
    what: Callable[[Turn], bool], spec: MetricSpec, turns: Sequence[Turn], at: int | None
) -> bool:
    found = {turn.index for turn in turns if what(turn)}
    if at is None or "agent_audio" not in spec.evidence:
        return bool(found) if at is None else at in found
    # What a caller waits for is in the agent's turn that answers; what becomes of an interruption,
    # in the one that was spoken into.
    answer = {turn.index for turn in turns if turn.answers == at}
    into = {one.agent_turn for turn in turns if turn.index == at for one in turn.barge_ins}
    return not found.isdisjoint({at} | answer | into)
