"""How the agent's voice sounded: its pauses and its pace."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from lkgate.measure import field
from lkgate.measure.floor import STATE_SLACK_US
from lkgate.measure.sample import absent, inapplicable, measured
from lkgate.measure.session import Session
from lkgate.measure.span import any_between, overlap, total_us, union
from lkgate.measure.untold import speech_told, unreported
from lkgate.measure.words import words_of
from lkgate.model.bundle import Span
from lkgate.model.measurement import Sample

# A pace needs some seconds to be one.
_MIN_PACE_US = 1_000_000


def speech_pause(session: Session) -> Iterator[Sample]:
    heard = union(span for track in session.bundle.tracks("agent") for span in track.speech)
    ended = tuple(
        event.t_us
        for event in session.of_kind("agent_state_changed")
        if field.text(event.data, "old_state") == "speaking"
    )
    for turn in session.of("agent"):
        if not turn.spans:
            continue
        gaps = [
            gap
            for gap in (Span(a.end_us, b.start_us) for a, b in pairwise(overlap(heard, turn.spans)))
            # Between two replies, and while the caller speaks, the agent is silent with reason.
            if not any_between(ended, gap.start_us - STATE_SLACK_US, gap.end_us)
            and not overlap(session.caller, (gap,))
        ]
        longest = max(gaps, key=lambda gap: gap.duration_us, default=None)
        yield measured(longest.duration_us if longest else 0, turn, longest or turn.span)


def speaking_rate(session: Session) -> Iterator[Sample]:
    for turn in session.of("agent"):
        # Of a speech that went on after a sound, the words are all in one turn.
        spoken_us = total_us(speech_told(session, turn))
        if turn.interrupted:
            yield inapplicable(turn, turn.span, "it was cut short")
        elif spoken_us < _MIN_PACE_US:
            if turn.spans:
                yield inapplicable(turn, turn.span, "too short to have a pace")
        elif turn.text is None:
            yield from unreported(turn, session)
        else:
            words = len(words_of(turn.text))
            yield measured(words / (spoken_us / 60e6), turn, turn.span, f"{words} words")


def tts_real_time_factor(session: Session) -> Iterator[Sample]:
    for event in session.of_kind("lkgate.synthesis"):
        at = next((turn for turn in session.of("agent") if turn.span.end_us > event.t_us), None)
        span = Span(event.t_us, event.t_us) if at is None else at.span
        took, lasts = field.number(event.data, "took_us"), field.number(event.data, "audio_us")
        if took is None or lasts is None:
            yield absent(at, span, "nobody measured how long the voice took")
        elif lasts <= 0:
            yield inapplicable(at, span, "the voice made no sound")
        else:
            note = f"{took / 1e6:.2f} s for {lasts / 1e6:.2f} s"
            yield measured(took / lasts, at, span, note, amount=took, weight=lasts)
