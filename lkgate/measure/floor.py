"""Who holds the floor: speech of both sides cut into turns, before any event is attached."""

from __future__ import annotations

from dataclasses import dataclass, field

from lkgate.measure import span as spans_
from lkgate.measure.field import number, text
from lkgate.model.bundle import Bundle, Span
from lkgate.model.turn import TurnRole

# A speaker's own pause: shorter gaps do not end what is being said.
PAUSE_US = 700_000
# A caller who speaks again after so long a silence was not answered.
UNANSWERED_US = 5_000_000
# How far a state event may lie from the sound that it speaks about.
STATE_SLACK_US = 300_000


@dataclass(frozen=True, slots=True)
class Speech:
    """Both sides' speech.

    Attributes:
        caller: sorted, disjoint.
        agent: sorted, disjoint; short pauses inside one reply are closed.
        agent_left: when the agent's state left ``speaking``, sorted.
    """

    caller: tuple[Span, ...]
    agent: tuple[Span, ...]
    agent_left: tuple[int, ...]

    def agent_stopped_between(self, start_us: int, end_us: int) -> bool:
        """Whether the session says that the agent ended a reply about then."""
        return spans_.any_between(self.agent_left, start_us - STATE_SLACK_US, end_us)


@dataclass(slots=True)
class Draft:
    """A turn that is being put together."""

    role: TurnRole
    span: Span
    spans: list[Span] = field(default_factory=list)


def speech_of(bundle: Bundle) -> Speech:
    left = tuple(
        event.t_us
        for event in bundle.of_kind("agent_state_changed")
        if text(event.data, "old_state") == "speaking"
    )
    caller = spans_.union(s for track in bundle.tracks("caller") for s in track.speech)
    raw = spans_.union(s for track in bundle.tracks("agent") for s in track.speech)
    joined: list[Span] = []
    for span in raw:
        if joined and span.start_us - joined[-1].end_us <= PAUSE_US:
            last = joined[-1]
            # A reply that follows a quick caller closely is a new one, and the state says so.
            if not spans_.any_between(left, last.end_us - STATE_SLACK_US, span.start_us):
                joined[-1] = Span(last.start_us, span.end_us)
                continue
        joined.append(span)
    return Speech(caller, tuple(joined), left)


def cut(speech: Speech, impatient: tuple[int, ...] = ()) -> list[Draft]:
    """Turns by onset: consecutive speech of one side is one turn.

    The caller's speech is also cut where the agent was heard in a gap longer than a pause (it
    spoke on through a barge-in), and where the caller had to speak again for want of an answer:
    after a long silence, or because the plan's patience ran out (``impatient``, sorted moments).
    """
    drafts: list[Draft] = []
    order: list[tuple[Span, TurnRole]] = [(span, "caller") for span in speech.caller]
    order += [(span, "agent") for span in speech.agent]
    order.sort(key=lambda entry: (entry[0].start_us, entry[1] == "agent"))
    for span, role in order:
        last = drafts[-1] if drafts else None
        if last is not None and last.role == role and _continues(last, span, speech, impatient):
            last.spans.append(span)
            last.span = spans_.hull((last.span, span))
        else:
            drafts.append(Draft(role, span, [span]))
    return drafts


def _continues(last: Draft, span: Span, speech: Speech, impatient: tuple[int, ...]) -> bool:
    if last.role == "agent":
        return True
    if spans_.any_between(impatient, last.spans[0].start_us + 1, span.start_us):
        return False
    before = last.spans[-1].end_us
    if span.start_us - before <= PAUSE_US:
        return True
    if span.start_us - before > UNANSWERED_US:
        return False
    return not spans_.overlap(speech.agent, (Span(before, span.start_us),))


def impatient_moments(bundle: Bundle) -> tuple[int, ...]:
    """When the caller spoke again for want of an answer, sorted; rather early than late."""
    tired = {number(e.data, "index") for e in bundle.of_kind("lkgate.caller_impatient")}
    return tuple(said.start_us - STATE_SLACK_US for i, said in planned(bundle) if i in tired)


def planned(bundle: Bundle) -> tuple[tuple[int, Span], ...]:
    """The caller's planned utterances as the room heard them: index and session time, in order."""
    starts: dict[int, int] = {}
    found: list[tuple[int, Span]] = []
    for event in bundle.of_kind("lkgate.caller_utterance"):
        index = number(event.data, "index")
        if index is None:
            continue
        # The player writes ahead of what the room hears, and says so.
        told = number(event.data, "at_us")
        at_us = event.t_us if told is None else int(told)
        if event.data.get("phase") == "start":
            starts[int(index)] = at_us
        elif event.data.get("phase") == "end" and int(index) in starts:
            found.append((int(index), Span(starts.pop(int(index)), at_us)))
    end_us = bundle.manifest.duration_us
    found += [(index, Span(start, max(start, end_us))) for index, start in starts.items()]
    return tuple(sorted(found))
