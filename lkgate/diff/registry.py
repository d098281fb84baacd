"""Every metric that compares a session with its baseline, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from lkgate.measure.metric import spec
from lkgate.measure.sample import measured, missing, summarise
from lkgate.measure.session import Session
from lkgate.model.bundle import Span
from lkgate.model.difference import CallDifference, Difference, DifferenceKind, TurnPair
from lkgate.model.measurement import Evidence, Measurement, MetricSpec, Sample


@dataclass(frozen=True, slots=True)
class Comparison:
    """A metric of two sessions and what measures it, given the candidate's length too."""

    spec: MetricSpec
    samples: Callable[[CallDifference, Span], Iterable[Sample]]


def _divergence(difference: CallDifference, whole: Span) -> Iterator[Sample]:
    found = difference.first_divergence
    if found is None:
        yield measured(0.0, None, whole)
        return
    yield _at(pair_of(difference, found.pair), found.difference, 1.0, found.reason)


def _diverged_turns(difference: CallDifference, whole: Span) -> Iterator[Sample]:
    count = len(difference.pairs)
    found = difference.first_divergence
    # The turn that diverges is lost itself, so that no divergence is ever a share of 0.
    lost = 1 + found.turns_lost if found else 0
    span = found.difference.candidate_span or whole if found else whole
    note = f"{lost} of {count} turns: {found.reason}" if found else None
    yield measured(lost / max(1, count), None, span, note, amount=lost, weight=max(1, count))


def _tool_selection(difference: CallDifference, whole: Span) -> Iterator[Sample]:
    kinds: tuple[DifferenceKind, ...] = ("tool_missing", "tool_extra", "tool_order")
    called = False
    for pair in comparable(difference):
        changed = [found for found in pair.differences if found.kind in kinds]
        for found in changed:
            yield _at(pair, found, 1.0, found.detail)
        made = pair.candidate.tools if pair.candidate else ()
        same = len(made) - sum(found.kind != "tool_missing" for found in changed)
        for _ in range(same):
            yield measured(0.0, pair.candidate, _span(pair, whole))
        called = called or bool(made) or bool(changed)
    if not called:
        yield measured(0.0, None, whole, "no tool was called, as before")


def _tool_arguments(difference: CallDifference, whole: Span) -> Iterator[Sample]:
    called = False
    for pair in comparable(difference):
        wrong = [found for found in pair.differences if found.kind == "tool_argument"]
        if wrong:
            yield _at(pair, wrong[0], 1.0, "; ".join(found.detail for found in wrong))
        elif pair.candidate and pair.candidate.tools:
            yield measured(0.0, pair.candidate, _span(pair, whole))
        called = called or bool(pair.candidate and pair.candidate.tools)
    if not called:
        yield measured(0.0, None, whole, "no tool was called")


def _each(kind: DifferenceKind, role: str) -> Callable[[CallDifference, Span], Iterator[Sample]]:
    def samples(difference: CallDifference, whole: Span) -> Iterator[Sample]:
        for pair in comparable(difference):
            if pair.baseline is None or pair.candidate is None or pair.candidate.role != role:
                continue
            found = next((one for one in pair.differences if one.kind == kind), None)
            if found is not None:
                yield _at(pair, found, 1.0, found.detail)
            else:
                yield measured(0.0, pair.candidate, _span(pair, whole))

    return samples


def comparable(difference: CallDifference) -> tuple[TurnPair, ...]:
    """Pairs up to the first divergence, the diverging one included."""
    return tuple(pair for pair in difference.pairs if not pair.after_divergence)


def pair_of(difference: CallDifference, at: int) -> TurnPair:
    return difference.pairs[at]


def _at(pair: TurnPair, found: Difference, value: float, note: str) -> Sample:
    span = found.candidate_span or Span(found.t_us, found.t_us)
    return measured(value, pair.candidate, span, note)


def _span(pair: TurnPair, whole: Span) -> Span:
    return pair.candidate.span if pair.candidate else whole


_SESSIONS: tuple[Evidence, ...] = ("session", "baseline")
_SOUNDS: tuple[Evidence, ...] = ("caller_audio", "agent_audio", "session", "baseline")

_COMPARISONS = (
    Comparison(
        spec(
            "divergence", "count", "lower", "call", "sum", None, _SOUNDS,
            "Calls in which the conversation became another one: other tools or arguments, "
            "another handoff, a turn missing or new.",
            misleads="Other words around the same acts are no divergence. A baseline that was "
            "wrong makes a build that mends it diverge.",
        ),
        _divergence,
    ),
    Comparison(
        spec(
            "diverged_turns", "ratio", "lower", "call", "rate", None, _SOUNDS,
            "Turns from the first divergence on, that turn included, as a share of all.",
            misleads="It is how much of a call can no longer be compared, not how much of it is "
            "wrong.",
        ),
        _diverged_turns,
    ),
    Comparison(
        spec(
            "tool_selection_changes", "count", "lower", "turn", "sum", "llm", _SESSIONS,
            "Tools called, left out or reordered against the baseline, up to the first "
            "divergence.",
            misleads="What happens after the divergence is not counted: one early change hides "
            "later ones.",
        ),
        _tool_selection,
    ),
    Comparison(
        spec(
            "tool_argument_changes", "count", "lower", "turn", "sum", "llm", _SESSIONS,
            "Turns that call a tool of the baseline with other arguments, up to the first "
            "divergence.",
            misleads="Every argument counts, to the letter: a free text that is worded otherwise "
            "is a change. tool_argument_errors compares by the labels' rules.",
        ),
        _tool_arguments,
    ),
    Comparison(
        spec(
            "tool_result_changes", "count", "none", "turn", "sum", "tool", _SESSIONS,
            "Agent turns in which the same tool call gave another result.",
            misleads="A tool that runs in the replay can give another result with the same code: "
            "the time, a new reference.",
        ),
        _each("tool_result", "agent"),
    ),
    Comparison(
        spec(
            "handoff_changes", "count", "lower", "turn", "sum", "llm", _SESSIONS,
            "Agent turns that hand off to another agent than the baseline does.",
            misleads="An agent that was only given another name is another agent.",
        ),
        _each("handoff", "agent"),
    ),
    Comparison(
        spec(
            "transcript_changes", "count", "lower", "turn", "sum", "stt", _SESSIONS,
            "Caller turns in which the agent heard other words than in the baseline.",
            misleads="Other words can be better ones: word_error_rate says which are right.",
        ),
        _each("transcript", "caller"),
    ),
    Comparison(
        spec(
            "agent_text_changes", "count", "none", "turn", "sum", "llm", _SESSIONS,
            "Agent turns with other words than the baseline's.",
            misleads="The same said otherwise is a change.",
        ),
        _each("agent_text", "agent"),
    ),
)  # fmt: skip

COMPARISONS: Mapping[str, Comparison] = {entry.spec.name: entry for entry in _COMPARISONS}


def compare_all(
    baseline: Session, candidate: Session, difference: CallDifference
) -> dict[str, Measurement]:
    """Every comparison of a candidate with its baseline, by name."""
    found: dict[str, Measurement] = {}
    for name, entry in COMPARISONS.items():
        reason = _absent(entry.spec, baseline, candidate)
        if reason is not None:
            found[name] = missing(entry.spec, reason)
        else:
            found[name] = summarise(entry.spec, entry.samples(difference, candidate.whole))
    return found


def _absent(wanted: MetricSpec, baseline: Session, candidate: Session) -> str | None:
    for evidence in wanted.evidence:
        if evidence in candidate.absent:
            return candidate.absent[evidence]
        if evidence in baseline.absent:
            return f"the baseline has {baseline.absent[evidence]}"
    return None
