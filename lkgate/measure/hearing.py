"""What the speech recogniser says about its own work."""

from __future__ import annotations

from collections.abc import Iterator

from lkgate.measure import field
from lkgate.measure.sample import inapplicable, measured
from lkgate.measure.session import Session
from lkgate.measure.untold import NO_METRICS, unmeasured, unreported
from lkgate.model.bundle import Span
from lkgate.model.measurement import Sample

# Less sure than this, and a careful agent asks again.
LOW_CONFIDENCE = 0.5


def transcript_confidence(session: Session) -> Iterator[Sample]:
    return _confidence(session, low=False)


def low_confidence_share(session: Session) -> Iterator[Sample]:
    return _confidence(session, low=True)


def _confidence(session: Session, *, low: bool) -> Iterator[Sample]:
    for turn in session.of("caller"):
        if not turn.messages:
            yield from unreported(turn, session)
        for message in turn.messages:
            sure = message.confidence
            if sure is None:
                yield unmeasured(turn, session, "the recogniser gave no confidence")
            else:
                note = f"'{message.text}' with {sure:.0%}"
                yield measured(float(sure < LOW_CONFIDENCE) if low else sure, turn, turn.span, note)


def transcription_delay(session: Session) -> Iterator[Sample]:
    for turn in session.of("caller"):
        delays = [m.transcription_delay_us for m in turn.messages if m.transcription_delay_us]
        if delays:
            yield measured(delays[-1], turn, turn.span)
        elif any(message.timed for message in turn.messages):
            yield inapplicable(turn, turn.span, "LiveKit measured no such delay here")
        elif turn.messages:
            yield unmeasured(turn, session, NO_METRICS)
        else:
            yield from unreported(turn, session)


def language_mismatches(session: Session) -> Iterator[Sample]:
    assert session.labels is not None  # the registry asks for this evidence
    spoken = session.labels.cohort.get("language")
    if spoken is None:
        yield inapplicable(None, session.whole, "the labels' cohort names no language")
        return
    for event in session.of_kind("user_input_transcribed"):
        heard = field.text(event.data, "language")
        if heard is not None and event.data.get("is_final") is True:
            wrong = _base(heard) != _base(spoken)
            at = session.turn_at(event.t_us)
            note = f"heard as {heard}, is {spoken}" if wrong else None
            yield measured(float(wrong), at, Span(event.t_us, event.t_us), note)


def _base(language: str) -> str:
    """``en`` of ``en-GB``: an accent is no other language."""
    return language.replace("_", "-").split("-")[0].lower()
