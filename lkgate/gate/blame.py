"""Which layer? For a failed rule, what changed first in each of its calls. Rules only, and pure.

In every call that breaks the rule, the layer is named in which the first change lies that can be
the reason: of the layers that act before what the rule is about, at or before the first place that
breaks it. If nothing that acts before it changed, it is the layer of the rule's own metric. What a
caller waits for is divided otherwise, for it is a sum: the part that grew most is named.

The calls then vote. A layer is named if more than half of the calls point at it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from lkgate.diff.latency import parts_of
from lkgate.gate.sign import ORDER, Sign, signs
from lkgate.gate.words import quantity
from lkgate.model.blame import LAYER_NAMES, Blame, FaultLayer, Suspect
from lkgate.model.bundle import Span
from lkgate.model.difference import LatencyPart
from lkgate.model.measurement import MetricSpec
from lkgate.model.turn import Turn
from lkgate.model.verdict import Evidence, Finding, FindingStatus, JudgedCall

_DISPATCH = ("dispatch_time", "job_start_time", "job_faults", "agent_join_time")
_HANDOFF = ("handoffs", "handoff_errors", "handoff_context_lost", "handoff_changes")
# Only the other side of the line, or its own layer, changes these.
_ALONE: frozenset[FaultLayer] = frozenset({"media", "dispatch", "tts"})
_HEARD: frozenset[FaultLayer] = frozenset({"media", "stt", "turn_taking"})
# A gap this near to a turn may have swallowed its first or last sound.
_SWALLOWED_US = 500_000
_DONE: frozenset[FaultLayer] = frozenset(ORDER) - {"tts", "dispatch"}
_WAITED = "response_latency"
_OF_PART: Mapping[LatencyPart, FaultLayer] = {
    "end_of_turn": "turn_taking",
    "llm": "llm",
    "tool": "tool",
    "tts": "tts",
}
_PART: Mapping[LatencyPart, str] = {
    "end_of_turn": "the end of the turn is decided",
    "llm": "the model's first word comes",
    "tool": "the tools are done",
    "tts": "the voice's first sound comes",
}


def blame(
    finding: Finding,
    calls: Sequence[JudgedCall],
    *,
    frozen: Mapping[FaultLayer, FindingStatus] = MappingProxyType({}),
) -> Blame:
    """Rank the layers that a failed rule may be the fault of.

    Args:
        finding: a rule that failed, with the places that break it.
        calls: all that were judged.
        frozen: what became of the same rule in replays of the candidate with one layer taken from
            the baseline, by that layer. A layer without which the rule holds is the one at fault,
            whatever changed first.
    """
    by_call: dict[str, list[Evidence]] = {}
    for place in finding.evidence:
        by_call.setdefault(place.call, []).append(place)
    known = {call.call: call for call in calls}
    found: dict[FaultLayer, list[tuple[str, Sign]]] = {}
    for name, places in by_call.items():
        sign = _first(finding.spec, known[name], places)
        if sign is not None:
            found.setdefault(sign.layer, []).append((name, sign))
    suspects = sorted(
        (_suspect(layer, seen) for layer, seen in found.items()),
        key=lambda one: (-len(one.calls), ORDER.index(one.layer)),
    )
    cured = [layer for layer in ORDER if frozen.get(layer) == "pass"]
    if cured:
        return _proven(cured, suspects, len(by_call))
    if not suspects and finding.spec.name == _WAITED:
        return Blame(None, (), len(by_call), "no part of the waiting holds half of what was added")
    return _voted(suspects, len(by_call))


def _proven(cured: Sequence[FaultLayer], suspects: Sequence[Suspect], calls: int) -> Blame:
    ranked = sorted(suspects, key=lambda one: one.layer not in cured)
    names = " or ".join(LAYER_NAMES[layer] for layer in cured)
    reason = f"with the baseline's {names} the rule holds"
    return Blame(cured[0] if len(cured) == 1 else None, tuple(ranked), calls, reason)


def _voted(suspects: Sequence[Suspect], calls: int) -> Blame:
    if not suspects:
        reason = "nothing that can be the reason changed before it"
        return Blame(None, (), calls, reason)
    first = suspects[0]
    counted = f"{len(first.calls)} of {calls} call{'' if calls == 1 else 's'}"
    if 2 * len(first.calls) <= calls:
        told = ", ".join(f"{LAYER_NAMES[one.layer]} in {len(one.calls)}" for one in suspects)
        return Blame(None, tuple(suspects), calls, f"what changed first is {told} of {calls} calls")
    reason = f"what changed first in {counted}: {first.detail}"
    return Blame(first.layer, tuple(suspects), calls, reason)


def _suspect(layer: FaultLayer, seen: Sequence[tuple[str, Sign]]) -> Suspect:
    call, sign = seen[0]
    return Suspect(layer, tuple(name for name, _ in seen), call, sign.t_us, sign.turn, sign.detail)


def _first(spec: MetricSpec, call: JudgedCall, places: Sequence[Evidence]) -> Sign | None:
    if spec.name == _WAITED:
        return _slowest_part(call, places)
    own = _own(spec)
    upstream = _upstream(own)
    until_us = min(place.span.end_us for place in places)
    before = [one for one in signs(call) if one.t_us <= until_us and one.layer in upstream]
    if own != "tts":
        before = [one for one in before if one.kind == "conversation"]
    if own != "media":
        shown = places if own in _HEARD else ()
        before = [
            one for one in before if one.layer != "media" or _told_on(one, before, call, shown)
        ]
    if before:
        return before[0]
    if own is None:
        return None
    place = min(places, key=lambda one: one.span.start_us)
    return Sign(place.span.start_us, own, "conversation", place.turn, _told(spec, call, place))


def _told_on(
    lost: Sign, others: Sequence[Sign], call: JudgedCall, places: Sequence[Evidence]
) -> bool:
    """Whether what was heard of the turns that lost sound changed: their words, or their end.

    What was lost and changed nothing there is not the reason for what comes later, however near.

    Args:
        places: that break the rule, if it is about what was heard; else none, for what a model or
            a tool does is no sign of what it was told.
    """
    gap = _gap(lost, call)
    # A live room's track has another name than the role of who speaks on it.
    role = lost.detail.partition(":")[0]
    turns = [
        turn
        for turn in call.turns
        if _meet(turn.span, gap) and (turn.role == role or role not in ("caller", "agent"))
    ]
    known = {turn.index for turn in turns}
    until_us = max((gap.end_us, *(turn.span.end_us for turn in turns))) + _SWALLOWED_US
    for one in others:
        later = one.layer in ("stt", "turn_taking") and one.t_us >= lost.t_us
        ended = one.layer == "turn_taking" and one.t_us <= until_us
        if later and (one.turn in known or ended):
            return True
    return any(place.turn in known or _meet(place.span, gap) for place in places)


def _gap(lost: Sign, call: JudgedCall) -> Span:
    samples = call.measurements["media_gaps"].samples
    return next(one.span for one in samples if one.span.start_us == lost.t_us)


def _meet(span: Span, gap: Span) -> bool:
    near = _SWALLOWED_US
    return span.start_us <= gap.end_us + near and span.end_us >= gap.start_us - near


def _own(spec: MetricSpec) -> FaultLayer | None:
    if spec.name in _DISPATCH:
        return "dispatch"
    if spec.name in _HANDOFF:
        return "handoff"
    return spec.layer


def _upstream(own: FaultLayer | None) -> frozenset[FaultLayer]:
    """The layers in which a change can be the reason for what a metric finds."""
    if own in _ALONE:
        return frozenset({own}) if own is not None else frozenset()
    return _HEARD if own in ("stt", "turn_taking") else _DONE


def _told(spec: MetricSpec, call: JudgedCall, place: Evidence) -> str:
    if place.note:
        return place.note
    now, was = call.measurements.get(spec.name), call.baseline_measurements.get(spec.name)
    if now is None or now.value is None:
        return spec.name
    told = f"{spec.name} is {quantity(now.value, spec.unit)} in the call"
    if was is not None and was.value == now.value:
        told += ", as it was before"
    elif was is not None and was.value is not None:
        told += f", was {quantity(was.value, spec.unit)}"
    return told


def _slowest_part(call: JudgedCall, places: Sequence[Evidence]) -> Sign | None:
    """The part that most of the added waiting of a call's slower turns lies in."""
    total = 0.0
    grown: dict[LatencyPart, int] = {}
    for place in places:
        if place.turn is None or place.baseline_turn is None:
            continue
        if place.value is None or place.baseline_value is None:
            continue
        total += place.value - place.baseline_value
        old = _asked(call.baseline_turns, place.baseline_turn)
        for part, change in parts_of(old, _asked(call.turns, place.turn)).items():
            grown[part] = grown.get(part, 0) + change
    if not grown:
        return None
    part = max(grown, key=lambda one: grown[one])
    if total <= 0 or 2 * grown[part] < total:
        return None
    first = min(places, key=lambda one: one.span.start_us)
    detail = f"{_PART[part]} {quantity(grown[part] / len(places), 'us')} later"
    return Sign(first.span.end_us, _OF_PART[part], "pace", first.turn, detail)


def _asked(turns: Sequence[Turn], index: int) -> tuple[Turn, Turn | None]:
    """A caller's turn and the agent's that answers it."""
    answer = turns[index + 1] if index + 1 < len(turns) else None
    return turns[index], answer if answer is not None and answer.role == "agent" else None
