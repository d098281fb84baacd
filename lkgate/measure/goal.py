"""Whether the call did what it was for, by the labels, and without a shortcut."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lkgate.measure.argument import wrong_arguments
from lkgate.measure.pairing import pair
from lkgate.measure.sample import absent, inapplicable, measured
from lkgate.measure.session import Session
from lkgate.measure.tool import against_labels, calls_of, span_of, unseen
from lkgate.measure.untold import holes, unreported
from lkgate.measure.words import contains, words_of
from lkgate.model.bundle import Span
from lkgate.model.label import Labels, Step
from lkgate.model.measurement import Sample
from lkgate.model.turn import Turn

_VERB = {"says": "say", "tool": "call", "handoff": "hand off to"}


@dataclass(frozen=True, slots=True)
class Act:
    """Something that the agent did: a step that it made, when, and in which turn."""

    step: Step
    t_us: int
    turn: Turn


def task_completed(session: Session) -> Iterator[Sample]:
    wrong, first = not_done(session)
    unheard = untold(session)
    if unheard and not wrong:
        yield unheard[0]
        return
    span = first.span if first is not None else session.whole
    yield measured(float(not wrong), first, span, "; ".join(wrong) or None)


def not_done(session: Session) -> tuple[list[str], Turn | None]:
    """Everything that the labels want and the call has not, and the first turn to look at."""
    labels = _labels(session)
    expected, made, pairing = against_labels(session)
    wrong = [f"{expected[i].name} was not called" for i in pairing.missing]
    wrong += [f"{made[j][1].name} was not to be called" for j in pairing.extra]
    wrong += [f"{made[j][1].name} was called out of order" for _, j in pairing.moved]
    first: Turn | None = next((made[j][0] for j in pairing.extra), None)
    for i, j in (*pairing.matched, *pairing.moved):
        turn, call = made[j]
        found = [
            f"{call.name} {mismatch}" for mismatch in wrong_arguments(expected[i], call.arguments)
        ]
        if call.is_error:
            found.append(f"{call.name} failed")
        if found:
            wrong += found
            first = first or turn
    for step, act in _steps(session):
        # Whether words that were heard and not told are those that are due, nobody knows.
        if act is None and not (step.kind == "says" and holes(session, "agent")):
            wrong.append(_not(step))
    for turn, call in made:
        if call.name in labels.forbidden_tools:
            wrong.append(f"{call.name} is forbidden")
            first = first or turn
    for turn in session.of("agent"):
        for phrase in _said_of(turn, labels.forbidden_phrases):
            wrong.append(f"'{phrase}' is forbidden")
            first = first or turn
    return wrong, first


def required_steps_missed(session: Session) -> Iterator[Sample]:
    steps = _steps(session)
    if not steps:
        yield inapplicable(None, session.whole, "the labels require no step")
    for step, act in steps:
        if act is None and step.kind == "says" and (unknown := holes(session, "agent")):
            yield unknown[0]
        elif act is None:
            yield measured(1.0, None, session.whole, _not(step))
        else:
            yield measured(0.0, act.turn, Span(act.t_us, act.t_us), step.what)


def forbidden_tools(session: Session) -> Iterator[Sample]:
    never = _labels(session).forbidden_tools
    if not never:
        yield inapplicable(None, session.whole, "the labels forbid no tool")
        return
    made = calls_of(session)
    yield from unseen(session, made)
    for turn, call in made:
        bad = call.name in never
        note = f"{call.name} is forbidden" if bad else call.name
        yield measured(float(bad), turn, span_of(call), note)
    if not made and not _labels(session).tools:
        yield measured(0.0, None, session.whole, "no tool was called")


def forbidden_phrases(session: Session) -> Iterator[Sample]:
    never = _labels(session).forbidden_phrases
    if not never:
        yield inapplicable(None, session.whole, "the labels forbid no phrase")
        return
    for turn in session.of("agent"):
        if turn.text is None and turn.spans:
            yield from unreported(turn, session)
            continue
        said = _said_of(turn, never)
        note = "; ".join(f"'{phrase}' is forbidden" for phrase in said) or None
        yield measured(len(said), turn, turn.span, note)


def handoff_errors(session: Session) -> Iterator[Sample]:
    wanted = _labels(session).handoffs
    if wanted is None:
        yield inapplicable(None, session.whole, "the labels say nothing of handoffs")
        return
    if not wanted and not session.of_kind("conversation_item_added"):
        yield absent(None, session.whole, "the session reported none of its handoffs")
        return
    made = [(turn, handoff) for turn in session.turns for handoff in turn.handoffs]
    pairing = pair(wanted, [handoff.new_agent or "" for _, handoff in made])
    for i in pairing.missing:
        yield measured(1.0, None, session.whole, f"no handoff to {wanted[i]}")
    for wrong, places in (
        (None, [j for _, j in pairing.matched]),
        ("out of order", [j for _, j in pairing.moved]),
        ("not wanted", pairing.extra),
    ):
        for j in places:
            turn, handoff = made[j]
            note = f"handoff to {handoff.new_agent}" + (f": {wrong}" if wrong else "")
            at = Span(handoff.t_us, handoff.t_us)
            yield measured(float(wrong is not None), turn, at, note)
    if not wanted and not made:
        yield measured(0.0, None, session.whole, "no handoff was due, none was made")


def hung_up_early(session: Session) -> Iterator[Sample]:
    wrong, _ = not_done(session)
    unheard = untold(session)
    if unheard and not wrong and session.caller_left_first():
        yield unheard[0]
        return
    early = bool(wrong) and session.caller_left_first()
    left = session.left_us()
    note = f"the caller left: {'; '.join(wrong)}" if early else None
    yield measured(float(early), None, Span(left, left), note)


def _labels(session: Session) -> Labels:
    assert session.labels is not None  # the registry asks for this evidence
    return session.labels


def _not(step: Step) -> str:
    return f"the agent did not {_VERB[step.kind]} '{step.what}' when it was due"


def _steps(session: Session) -> list[tuple[Step, Act | None]]:
    """Each required step and the act that made it, none of them before the one of the last."""
    acts = _acts(session)
    at = 0
    found: list[tuple[Step, Act | None]] = []
    for step in _labels(session).required:
        place = next((n for n in range(at, len(acts)) if _makes(acts[n].step, step)), None)
        found.append((step, None if place is None else acts[place]))
        if place is not None:
            # One sentence may say two things; one call is one step.
            at = place + (step.kind != "says")
    return found


def _acts(session: Session) -> list[Act]:
    found: list[Act] = []
    for turn in session.of("agent"):
        found += [Act(Step("says", m.text), m.t_us, turn) for m in turn.messages]
        found += [Act(Step("tool", call.name), call.t_us, turn) for call in turn.tools]
        found += [Act(Step("handoff", h.new_agent or ""), h.t_us, turn) for h in turn.handoffs]
    return sorted(found, key=lambda act: act.t_us)


def _makes(made: Step, wanted: Step) -> bool:
    if made.kind != wanted.kind:
        return False
    if made.kind == "says":
        return contains(words_of(made.what), words_of(wanted.what))
    return made.what == wanted.what


def untold(session: Session) -> list[Sample]:
    """Turns in which the agent may have said what the labels forbid, or what they require and
    no message has: it was heard, and nothing says what it said."""
    lacking = any(step.kind == "says" and act is None for step, act in _steps(session))
    return holes(session, "agent") if lacking or _labels(session).forbidden_phrases else []


def _said_of(turn: Turn, phrases: tuple[str, ...]) -> list[str]:
    words = words_of(turn.text or "")
    return [phrase for phrase in phrases if contains(words, words_of(phrase))]
