"""What somebody who listened to the audio noted: levels, quality, and words truly spoken."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator

from lkgate.measure import field
from lkgate.measure.number import canonical
from lkgate.measure.sample import absent, inapplicable, measured
from lkgate.measure.session import Session
from lkgate.measure.untold import unreported
from lkgate.measure.words import errors
from lkgate.model.bundle import Span
from lkgate.model.event import Event
from lkgate.model.measurement import Sample
from lkgate.model.turn import Turn


def caller_level(session: Session) -> Iterator[Sample]:
    return _each(session, "lkgate.audio_level", "caller", "level_dbfs")


def agent_level(session: Session) -> Iterator[Sample]:
    return _each(session, "lkgate.audio_level", "agent", "level_dbfs")


def clipped_audio(session: Session) -> Iterator[Sample]:
    turns = _Turns(session)
    for event in session.of_kind("lkgate.audio_level"):
        turn = turns.of(event)
        clipped = field.number(event.data, "clipped_samples")
        samples = field.number(event.data, "samples")
        if clipped is None or not samples:
            yield absent(turn, _span(event), "nobody counted the samples")
        else:
            note = field.text(event.data, "role") if clipped else None
            share = clipped / samples
            yield measured(share, turn, _span(event), note, amount=clipped, weight=samples)


def caller_speech_quality(session: Session) -> Iterator[Sample]:
    return _each(session, "lkgate.speech_quality", "caller", "overall")


def agent_speech_quality(session: Session) -> Iterator[Sample]:
    return _each(session, "lkgate.speech_quality", "agent", "overall")


def packet_loss_quality(session: Session) -> Iterator[Sample]:
    for role in ("caller", "agent"):
        yield from _each(session, "lkgate.speech_quality", role, "packet_loss")


def spoken_word_error_rate(session: Session) -> Iterator[Sample]:
    """(S + D + I) / N of what was heard of the voice against what the session says it said."""
    turns = _Turns(session)
    told: dict[int, list[Event]] = defaultdict(list)
    for event in session.of_kind("lkgate.spoken"):
        at = turns.of(event)
        if at is not None:
            told[session.told_in.get(at.index, at.index)].append(event)
    for turn in session.of("agent"):
        heard = told[turn.index]
        if turn.interrupted:
            yield inapplicable(turn, turn.span, "it was cut short in the middle of a word")
        elif turn.text is None and turn.spans:
            yield from unreported(turn, session)
        elif turn.text is not None and turn.spans:
            words = canonical(turn.text)
            said = canonical(" ".join(field.text(event.data, "text") or "" for event in heard))
            wrong = errors(words, said)
            if not words:
                yield inapplicable(turn, turn.span, "it has no words")
                continue
            note = f"sounds like: {' '.join(said)}" if wrong else None
            rate = wrong / len(words)
            yield measured(rate, turn, turn.span, note, amount=wrong, weight=len(words))


def _each(session: Session, kind: str, role: str, key: str) -> Iterator[Sample]:
    turns = _Turns(session)
    for event in session.of_kind(kind):
        if _role(event) != role:
            continue
        value = field.number(event.data, key)
        if value is None:
            yield absent(turns.of(event), _span(event), f"the {role}'s sound has no {key}")
        else:
            yield measured(value, turns.of(event), _span(event), role)


def _role(event: Event) -> str | None:
    return field.text(event.data, "role")


def _span(event: Event) -> Span:
    start, end = (field.number(event.data, key) for key in ("start_us", "end_us"))
    return Span(
        int(event.t_us if start is None else start), int(event.t_us if end is None else end)
    )


class _Turns:
    """The turn of the same side that the middle of a stretch lies in."""

    def __init__(self, session: Session) -> None:
        self._spoken: dict[str, list[tuple[Span, Turn]]] = defaultdict(list)
        for turn in session.turns:
            self._spoken[turn.role] += [(span, turn) for span in turn.spans]

    def of(self, event: Event) -> Turn | None:
        span = _span(event)
        middle = (span.start_us + span.end_us) // 2
        # Of one side, stretches are disjoint and in order.
        spoken = self._spoken[_role(event) or ""]
        at = bisect_left(spoken, middle, key=lambda one: one[0].end_us)
        found = at < len(spoken) and spoken[at][0].start_us <= middle
        return spoken[at][1] if found else None
