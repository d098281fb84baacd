"""Who talked over whom, who was silent, and how much was said."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from lkgate.measure.sample import absent, inapplicable, measured
from lkgate.measure.session import Session
from lkgate.measure.span import containing, overlap, total_us, union
from lkgate.measure.untold import cut_short, unreported
from lkgate.measure.words import words_of
from lkgate.model.bundle import Span
from lkgate.model.measurement import Sample

# The agent cut in on the caller if this much of the caller's words was still to come.
_CUT_US = 200_000


def interruptions(session: Session) -> Iterator[Sample]:
    for turn in session.of("agent"):
        cut = cut_short(turn, session)
        if cut is not None:
            yield measured(float(cut), turn, turn.span)
        elif turn.messages:
            yield absent(turn, turn.span, "the session does not say whether it was cut short")
        else:
            yield from unreported(turn, session)


def barge_in_yield(session: Session) -> Iterator[Sample]:
    for turn in session.turns:
        for barge in turn.barge_ins:
            if barge.outcome == "finished":
                yield inapplicable(turn, barge.span, "the agent was at its end anyway")
            else:
                note = "the agent spoke on" if barge.outcome == "ignored" else None
                yield measured(barge.span.duration_us, turn, barge.span, note)


def barge_ins_ignored(session: Session) -> Iterator[Sample]:
    for turn in session.turns:
        for barge in turn.barge_ins:
            if barge.outcome == "finished":
                yield inapplicable(turn, barge.span, "the agent was at its end anyway")
            else:
                ignored = barge.outcome == "ignored"
                note = f"the agent spoke on for {barge.span.duration_us / 1e6:.1f} s"
                yield measured(float(ignored), turn, barge.span, note if ignored else None)


def agent_cut_ins(session: Session) -> Iterator[Sample]:
    for turn in session.of("agent"):
        if not turn.spans:
            continue
        onset = turn.spans[0].start_us
        at = containing(session.caller, onset)
        cut = at is not None and session.caller[at].end_us - onset >= _CUT_US
        left = Span(onset, session.caller[at].end_us) if cut and at is not None else turn.span
        note = f"{left.duration_us / 1e6:.1f} s of the caller's words were still to come"
        yield measured(float(cut), turn, left, note if cut else None)


def talk_over_ratio(session: Session) -> Iterator[Sample]:
    both = overlap(session.caller, session.agent)
    any_us = total_us(union(session.caller + session.agent))
    if any_us == 0:
        yield absent(None, session.whole, "nobody spoke")
        return
    worst = max(both, key=lambda span: span.duration_us, default=session.whole)
    over = total_us(both)
    note = f"longest {worst.duration_us / 1e6:.1f} s" if both else None
    yield measured(over / any_us, None, worst, note, amount=over, weight=any_us)


def silence_gap(session: Session) -> Iterator[Sample]:
    spoken = union(session.caller + session.agent)
    if not spoken:
        yield absent(None, session.whole, "nobody spoke")
        return
    gaps = [Span(a.end_us, b.start_us) for a, b in pairwise(spoken)]
    longest = max(gaps, key=lambda span: span.duration_us, default=Span(0, 0))
    yield measured(longest.duration_us, None, longest if gaps else session.whole)


def caller_words(session: Session) -> Iterator[Sample]:
    return _words(session, "caller")


def agent_words(session: Session) -> Iterator[Sample]:
    return _words(session, "agent")


def _words(session: Session, role: str) -> Iterator[Sample]:
    for turn in session.of(role):
        unknown = list(unreported(turn, session)) if turn.text is None else []
        # A sound of a caller who is heard, and is no hole, has no words.
        if any(role == "agent" or session.unheard() or one.status == "absent" for one in unknown):
            yield from unknown
        else:
            yield measured(len(words_of(turn.text or "")), turn, turn.span, turn.text_absent)
