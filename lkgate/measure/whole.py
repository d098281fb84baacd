"""What is known about a call as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from lkgate.measure import field
from lkgate.measure.sample import absent, measured
from lkgate.measure.session import Session
from lkgate.model.bundle import Span
from lkgate.model.measurement import Sample


def handoffs(session: Session) -> Iterator[Sample]:
    if not session.of_kind("conversation_item_added"):
        yield absent(None, session.whole, "the session reported none of its handoffs")
        return
    made = [(turn, handoff) for turn in session.turns for handoff in turn.handoffs]
    note = ", ".join(f"{h.old_agent} to {h.new_agent}" for _, h in made) or None
    first = made[0][0] if made else None
    yield measured(len(made), first, first.span if first else session.whole, note)


def model_misses(session: Session) -> Iterator[Sample]:
    return _misses(session, ("llm", "stt", "tool"))


def speech_misses(session: Session) -> Iterator[Sample]:
    return _misses(session, ("tts",))


def _misses(session: Session, modalities: tuple[str, ...]) -> Iterator[Sample]:
    seen = [
        event
        for event in session.of_kind("lkgate.model_miss")
        if field.text(event.data, "modality") in modalities
    ]
    for event in seen:
        modality = field.text(event.data, "modality")
        note = f"{modality}: {field.text(event.data, 'difference') or 'never recorded'}"
        at = session.turn_at(event.t_us)
        yield measured(1.0, at, Span(event.t_us, event.t_us), note)
    if not seen:
        yield measured(0.0, None, session.whole)


def call_completed(session: Session) -> Iterator[Sample]:
    failed = session.of_kind("lkgate.program_error", "lkgate.network_refused")
    hangups = session.of_kind("lkgate.caller_hangup")
    begun, ended = _utterances(session, "start"), _utterances(session, "end")
    wrong: list[tuple[str, int]] = []
    for event in failed:
        told = field.text(event.data, "message") or field.text(event.data, "host") or event.kind
        wrong.append((told, event.t_us))
    if not hangups:
        wrong.append(("the caller did not get to the end", session.whole.end_us))
    wrong += [
        (f"utterance {n} was not said to its end", session.left_us()) for n in sorted(begun - ended)
    ]
    t_us = wrong[0][1] if wrong else session.whole.end_us
    span = Span(t_us, t_us) if wrong else session.whole
    yield measured(float(not wrong), None, span, "; ".join(told for told, _ in wrong) or None)


def _utterances(session: Session, phase: str) -> set[int]:
    found = set()
    for event in session.of_kind("lkgate.caller_utterance"):
        index = field.number(event.data, "index")
        if index is not None and event.data.get("phase") == phase:
            found.add(int(index))
    return found


def caller_impatient(session: Session) -> Iterator[Sample]:
    seen = session.of_kind("lkgate.caller_impatient")
    for event in seen:
        at = session.turn_at(event.t_us)
        note = "the caller spoke although what it waited for did not happen"
        yield measured(1.0, at, Span(event.t_us, event.t_us), note)
    if not seen:
        yield measured(0.0, None, session.whole)
