"""Whether the agent called the right tools, in the right order, with the right arguments."""

from __future__ import annotations

from collections.abc import Iterator

from lkgate.measure.compare import Mismatch, mismatches
from lkgate.measure.pairing import Pairing, pair
from lkgate.measure.sample import measured
from lkgate.measure.session import Session
from lkgate.model.bundle import Span
from lkgate.model.label import ExpectedTool
from lkgate.model.measurement import Sample
from lkgate.model.turn import ToolCall, Turn

_Made = list[tuple[Turn, ToolCall]]


def tool_calls(session: Session) -> Iterator[Sample]:
    made = _made(session)
    note = ", ".join(call.name for _, call in made) or "no tool was called"
    yield measured(len(made), None, session.whole, note)


def tool_errors(session: Session) -> Iterator[Sample]:
    for turn, call in _made(session):
        note = f"{call.name} failed: {call.output}" if call.is_error else call.name
        yield measured(float(call.is_error), turn, _span(call), note)


def tool_selection_errors(session: Session) -> Iterator[Sample]:
    expected, made, pairing = _against_labels(session)
    for _, j in (*pairing.matched, *pairing.moved):
        yield measured(0.0, made[j][0], _span(made[j][1]), made[j][1].name)
    for i in pairing.missing:
        yield measured(1.0, None, session.whole, f"{expected[i].name} was not called")
    for j in pairing.extra:
        turn, call = made[j]
        yield measured(1.0, turn, _span(call), f"{call.name} was not to be called")
    yield from _none_due(session, expected, made)


def tool_order_errors(session: Session) -> Iterator[Sample]:
    expected, made, pairing = _against_labels(session)
    for wrong, pairs in ((False, pairing.matched), (True, pairing.moved)):
        for _, j in pairs:
            turn, call = made[j]
            note = f"{call.name} was called out of order" if wrong else call.name
            yield measured(float(wrong), turn, _span(call), note)
    yield from _none_due(session, expected, made)


def tool_argument_errors(session: Session) -> Iterator[Sample]:
    expected, made, pairing = _against_labels(session)
    for i, j in sorted((*pairing.matched, *pairing.moved)):
        turn, call = made[j]
        wrong = _wrong(expected[i], call)
        note = f"{call.name} {'; '.join(map(str, wrong))}" if wrong else call.name
        yield measured(float(bool(wrong)), turn, _span(call), note)
    yield from _none_due(session, expected, made)


def task_completed(session: Session) -> Iterator[Sample]:
    expected, made, pairing = _against_labels(session)
    wrong = [f"{expected[i].name} was not called" for i in pairing.missing]
    wrong += [f"{made[j][1].name} was not to be called" for j in pairing.extra]
    wrong += [f"{made[j][1].name} was called out of order" for _, j in pairing.moved]
    first: Turn | None = next((made[j][0] for j in pairing.extra), None)
    for i, j in (*pairing.matched, *pairing.moved):
        turn, call = made[j]
        found = [f"{call.name} {mismatch}" for mismatch in _wrong(expected[i], call)]
        if call.is_error:
            found.append(f"{call.name} failed")
        if found:
            wrong += found
            first = first or turn
    span = first.span if first is not None else session.whole
    yield measured(float(not wrong), first, span, "; ".join(wrong) or None)


def _made(session: Session) -> _Made:
    calls = [(turn, call) for turn in session.turns for call in turn.tools]
    return sorted(calls, key=lambda entry: entry[1].t_us)


def _against_labels(session: Session) -> tuple[tuple[ExpectedTool, ...], _Made, Pairing]:
    assert session.labels is not None  # the registry asks for this evidence
    expected = session.labels.tools
    made = _made(session)
    pairing = pair([tool.name for tool in expected], [call.name for _, call in made])
    return expected, made, pairing


def _none_due(session: Session, expected: tuple[ExpectedTool, ...], made: _Made) -> list[Sample]:
    """A call in which no tool was due and none was called is right, and counts as one."""
    if expected or made:
        return []
    return [measured(0.0, None, session.whole, "no tool was due, none was called")]


def _wrong(expected: ExpectedTool, call: ToolCall) -> list[Mismatch]:
    # A label names the arguments that matter; others are free.
    return mismatches(dict(expected.arguments), call.arguments, partial=True)


def _span(call: ToolCall) -> Span:
    return Span(call.t_us, call.ended_us or call.t_us)
