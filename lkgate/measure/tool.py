"""Whether the agent called the right tools, in the right order, with the right arguments."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterator

from lkgate.measure.argument import wrong_arguments
from lkgate.measure.pairing import Pairing, pair
from lkgate.measure.sample import absent, measured
from lkgate.measure.session import Session
from lkgate.model.bundle import Span
from lkgate.model.label import ExpectedTool
from lkgate.model.measurement import Sample
from lkgate.model.turn import ToolCall, Turn

_Made = list[tuple[Turn, ToolCall]]


def tool_calls(session: Session) -> Iterator[Sample]:
    made = calls_of(session)
    note = ", ".join(call.name for _, call in made) or "no tool was called"
    yield measured(len(made), None, session.whole, note)


def tool_errors(session: Session) -> Iterator[Sample]:
    made = calls_of(session)
    yield from unseen(session, made)
    for turn, call in made:
        note = f"{call.name} failed: {call.output}" if call.is_error else call.name
        yield measured(float(call.is_error), turn, span_of(call), note)


def tool_selection_errors(session: Session) -> Iterator[Sample]:
    expected, made, pairing = against_labels(session)
    for _, j in (*pairing.matched, *pairing.moved):
        yield measured(0.0, made[j][0], span_of(made[j][1]), made[j][1].name)
    for i in pairing.missing:
        yield measured(1.0, None, session.whole, f"{expected[i].name} was not called")
    for j in pairing.extra:
        turn, call = made[j]
        yield measured(1.0, turn, span_of(call), f"{call.name} was not to be called")
    yield from _none_due(session, expected, made)


def tools_wrong(session: Session) -> Iterator[Sample]:
    return _selection(session, "wrong")


def tools_missing(session: Session) -> Iterator[Sample]:
    return _selection(session, "missing")


def tools_extra(session: Session) -> Iterator[Sample]:
    return _selection(session, "extra")


def _selection(session: Session, kind: str) -> Iterator[Sample]:
    """One sample for each tool that is due or called; 1 for those of one kind of error."""
    expected, made, pairing = against_labels(session)
    if kind != "missing":
        yield from unseen(session, made)
    wrong = _in_place_of(pairing)
    taken = set(wrong.values())
    for _, j in (*pairing.matched, *pairing.moved):
        yield measured(0.0, made[j][0], span_of(made[j][1]), made[j][1].name)
    for i, j in wrong.items():
        turn, call = made[j]
        note = f"{call.name} was called in place of {expected[i].name}"
        yield measured(float(kind == "wrong"), turn, span_of(call), note)
    for i in pairing.missing:
        if i not in wrong:
            note = f"{expected[i].name} was not called"
            yield measured(float(kind == "missing"), None, session.whole, note)
    for j in pairing.extra:
        if j not in taken:
            turn, call = made[j]
            note = f"{call.name} was not to be called"
            yield measured(float(kind == "extra"), turn, span_of(call), note)
    yield from _none_due(session, expected, made)


def _in_place_of(pairing: Pairing) -> dict[int, int]:
    """Missing tools and the extra ones that stand at the same place among the right ones."""
    wanted, made = zip(*pairing.matched, strict=True) if pairing.matched else ((), ())
    left: dict[int, deque[int]] = defaultdict(deque)
    for j in pairing.extra:
        left[bisect_left(made, j)].append(j)
    found: dict[int, int] = {}
    for i in pairing.missing:
        same = left[bisect_left(wanted, i)]
        if same:
            found[i] = same.popleft()
    return found


def tool_order_errors(session: Session) -> Iterator[Sample]:
    expected, made, pairing = against_labels(session)
    yield from unseen(session, made)
    for wrong, pairs in ((False, pairing.matched), (True, pairing.moved)):
        for _, j in pairs:
            turn, call = made[j]
            note = f"{call.name} was called out of order" if wrong else call.name
            yield measured(float(wrong), turn, span_of(call), note)
    yield from _none_due(session, expected, made)


def tool_argument_errors(session: Session) -> Iterator[Sample]:
    expected, made, pairing = against_labels(session)
    for i, j in sorted((*pairing.matched, *pairing.moved)):
        turn, call = made[j]
        wrong = wrong_arguments(expected[i], call.arguments)
        note = f"{call.name} {'; '.join(map(str, wrong))}" if wrong else call.name
        yield measured(float(bool(wrong)), turn, span_of(call), note)
    if expected and not pairing.matched and not pairing.moved:
        yield absent(None, session.whole, "none of the tools that were due was called")
    yield from _none_due(session, expected, made)


def calls_of(session: Session) -> _Made:
    """Every tool call with its turn, by the time it started."""
    calls = [(turn, call) for turn in session.turns for call in turn.tools]
    return sorted(calls, key=lambda entry: entry[1].t_us)


def against_labels(session: Session) -> tuple[tuple[ExpectedTool, ...], _Made, Pairing]:
    """The tools that the labels want, those that were called, and which are the same."""
    assert session.labels is not None  # the registry asks for this evidence
    expected = session.labels.tools
    made = calls_of(session)
    pairing = pair([tool.name for tool in expected], [call.name for _, call in made])
    return expected, made, pairing


def _none_due(session: Session, expected: tuple[ExpectedTool, ...], made: _Made) -> list[Sample]:
    """A call in which no tool was due and none was called is right, and counts as one."""
    if expected or made:
        return []
    return [measured(0.0, None, session.whole, "no tool was due, none was called")]


def unseen(session: Session, made: _Made) -> list[Sample]:
    """What is not known of the tools: that none was called where some were due may be so, or no
    event tells of them; and a call may have lost its name."""
    if session.labels is not None and session.labels.tools and not made:
        return [absent(None, session.whole, "none of the tools that were due was called")]
    return [
        absent(turn, span_of(call), "the name of a tool that was called is not told")
        for turn, call in made
        if not call.name
    ]


def span_of(call: ToolCall) -> Span:
    """From its start to its end, as far as they were seen."""
    return Span(call.t_us, call.ended_us or call.t_us)
