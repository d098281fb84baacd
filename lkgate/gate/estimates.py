"""How much of a rule rests on answers that a policy made up, for the report to say so."""

from __future__ import annotations

from collections.abc import Sequence

from lkgate.gate.collect import Collected, compares, paired
from lkgate.model.gate import JudgedCall, Rule
from lkgate.model.measurement import MetricSpec
from lkgate.model.turn import Turn


def estimated_samples(rule: Rule, spec: MetricSpec, call: JudgedCall, found: Collected) -> int:
    """How many of a call's samples rest on an estimate, in the replay or in what it is held to.

    A sample of a whole call does if any turn of it does. The baseline counts where the rule or
    its metric compares with it.
    """
    turns, before = call.turns, call.baseline_turns
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
        made_up = _estimated(turns, at)
        if against and at in twins:
            made_up = made_up or _estimated(before, twins[at])
        count += made_up
    if compares(rule) and not paired(spec):
        # Of turns that only the baseline has.
        had = set(twins.values())
        count += sum(
            _estimated(before, sample.turn) for sample in found.baseline if sample.turn not in had
        )
    return count


def _estimated(turns: Sequence[Turn], at: int | None) -> bool:
    return any(turn.estimated for turn in turns if at is None or turn.index == at)
