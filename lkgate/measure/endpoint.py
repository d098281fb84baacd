"""Whether the agent knew when the caller had finished."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import pairwise

from lkgate.measure.floor import PAUSE_US, UNANSWERED_US
from lkgate.measure.sample import absent, measured
from lkgate.measure.session import Session
from lkgate.measure.span import total_us, union
from lkgate.measure.untold import unmeasured, unreported
from lkgate.model.bundle import Span
from lkgate.model.measurement import Sample

# Less of the caller's words than this was no more than the end of a sound.
_REST_US = 200_000


def endpointing_false_stops(session: Session) -> Iterator[Sample]:
    for turn in session.of("agent"):
        if turn.spans:
            rest = unsaid(session.caller, turn.spans[0].start_us)
            note = f"{total_us(rest) / 1e6:.1f} s of the caller's words came after it"
            span = Span(rest[0].start_us, rest[-1].end_us) if rest else turn.span
            yield measured(float(bool(rest)), turn, span, note if rest else None)


def caller_cut_off(session: Session) -> Iterator[Sample]:
    for turn in session.of("agent"):
        if turn.spans:
            rest = unsaid(session.caller, turn.spans[0].start_us)
            span = Span(rest[0].start_us, rest[-1].end_us) if rest else turn.span
            yield measured(total_us(rest), turn, span)


def unsaid(caller: tuple[Span, ...], onset_us: int) -> tuple[Span, ...]:
    """What the caller still said of a sentence that was not finished at ``onset_us``.

    The sentence goes on if the caller is speaking then, or speaks again within a speaker's own
    pause; it ends at the first longer pause. Empty if less than a word of it was left.

    Args:
        caller: sorted, disjoint.
    """
    rest: list[Span] = []
    begun = bisect_left(caller, onset_us, key=lambda span: span.start_us)
    if begun == 0:
        return ()
    last = caller[begun - 1].end_us
    for span in caller[begun - 1 if last > onset_us else begun :]:
        if span.start_us - last > PAUSE_US:
            break
        rest.append(Span(max(span.start_us, onset_us), span.end_us))
        last = span.end_us
    return tuple(rest) if total_us(rest) >= _REST_US else ()


def split_turns(session: Session) -> Iterator[Sample]:
    for turn in session.of("caller"):
        if not turn.messages:
            yield from unreported(turn, session)
            continue
        # Only an item is made when LiveKit ends a turn.
        items = [m for m in turn.messages if m.is_item]
        if not items:
            yield unmeasured(turn, session, "nothing tells when LiveKit ended this turn")
            continue
        early = [m for m in items if m.t_us < turn.span.end_us - _REST_US]
        note = "; ".join(f"ended after '{message.text}'" for message in early) or None
        yield measured(len(early), turn, turn.span, note)


def missed_turns(session: Session) -> Iterator[Sample]:
    spoken = union(session.caller + session.agent)
    if not spoken:
        yield absent(None, session.whole, "nobody spoke")
        return
    gaps = [Span(a.end_us, b.start_us) for a, b in pairwise(spoken)]
    long = [gap for gap in gaps if gap.duration_us > UNANSWERED_US]
    for gap in long:
        note = f"nobody spoke for {gap.duration_us / 1e6:.1f} s"
        yield measured(1.0, session.turn_at(gap.start_us), gap, note)
    if not long:
        yield measured(0.0, None, session.whole)
