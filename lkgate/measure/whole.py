"""What is known about a call as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from lkgate.measure import field
from lkgate.measure.sample import absent, inapplicable, measured
from lkgate.measure.session import Session
from lkgate.model.bundle import Span
from lkgate.model.event import Event
from lkgate.model.measurement import Sample
from lkgate.model.turn import Turn

# Silence that the sender chose: nothing is missing.
_OF_THE_SENDER = ("mute", "discontinuous_transmission")


def handoffs(session: Session) -> Iterator[Sample]:
    made = [(turn, handoff) for turn in session.turns for handoff in turn.handoffs]
    note = ", ".join(f"{h.old_agent} to {h.new_agent}" for _, h in made) or None
    first = made[0][0] if made else None
    yield measured(len(made), first, first.span if first else session.whole, note)


def llm_input_tokens(session: Session) -> Iterator[Sample]:
    yield _tokens(session, "input_tokens")


def llm_output_tokens(session: Session) -> Iterator[Sample]:
    yield _tokens(session, "output_tokens")


def _tokens(session: Session, key: str) -> Sample:
    events = session.bundle.of_kind("session_usage_updated")
    if not events:
        return absent(None, session.whole, "the session reported no usage")
    # Each event carries the session's running totals, by model.
    models = [
        usage
        for usage in field.mappings(events[-1].data, "usage")
        if field.text(usage, "type") in ("llm", "llm_usage")
    ]
    counts = [field.number(usage, key) for usage in models]
    known = [count for count in counts if count is not None]
    if not models:
        return inapplicable(None, session.whole, "the session used no LLM")
    if len(known) < len(models):
        return absent(None, session.whole, f"the session's usage has no {key}")
    return measured(sum(known), None, session.whole)


def model_misses(session: Session) -> Iterator[Sample]:
    return _misses(session, ("llm", "stt", "tool"))


def speech_misses(session: Session) -> Iterator[Sample]:
    return _misses(session, ("tts",))


def _misses(session: Session, modalities: tuple[str, ...]) -> Iterator[Sample]:
    seen = [
        event
        for event in session.bundle.of_kind("lkgate.model_miss")
        if field.text(event.data, "modality") in modalities
    ]
    for event in seen:
        modality = field.text(event.data, "modality")
        note = f"{modality}: {field.text(event.data, 'difference') or 'never recorded'}"
        at = _turn_at(session, event)
        yield measured(1.0, at, Span(event.t_us, event.t_us), note)
    if not seen:
        yield measured(0.0, None, session.whole)


def call_completed(session: Session) -> Iterator[Sample]:
    failed = session.bundle.of_kind("lkgate.program_error", "lkgate.network_refused")
    hangups = session.bundle.of_kind("lkgate.caller_hangup")
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
    for event in session.bundle.of_kind("lkgate.caller_utterance"):
        index = field.number(event.data, "index")
        if index is not None and event.data.get("phase") == phase:
            found.add(int(index))
    return found


def caller_impatient(session: Session) -> Iterator[Sample]:
    seen = session.bundle.of_kind("lkgate.caller_impatient")
    for event in seen:
        at = _turn_at(session, event)
        note = "the caller spoke although what it waited for did not happen"
        yield measured(1.0, at, Span(event.t_us, event.t_us), note)
    if not seen:
        yield measured(0.0, None, session.whole)


def media_gaps(session: Session) -> Iterator[Sample]:
    seen = [
        event
        for event in session.bundle.of_kind("lkgate.gap")
        if field.text(event.data, "cause") not in _OF_THE_SENDER
    ]
    for event in seen:
        start = field.number(event.data, "start_us") or event.t_us
        end = field.number(event.data, "end_us") or event.t_us
        note = f"{field.text(event.data, 'track')}: {field.text(event.data, 'cause')}"
        missing = field.number(event.data, "missing_us")
        length = end - start if missing is None else missing
        yield measured(max(0.0, length), None, Span(int(start), int(end)), note)
    if not seen:
        yield measured(0.0, None, session.whole)


def _turn_at(session: Session, event: Event) -> Turn | None:
    """The last turn that had begun."""
    begun = [turn for turn in session.turns if turn.span.start_us <= event.t_us]
    return begun[-1] if begun else None
