"""The call as a whole: how it began, went on and ended, and how content the caller seemed."""

from __future__ import annotations

from collections.abc import Iterator

from lkgate.measure import field
from lkgate.measure.sample import absent, inapplicable, measured
from lkgate.measure.session import Session
from lkgate.measure.untold import holes, need_not_be_words
from lkgate.measure.words import contains, similarity, words_of
from lkgate.model.bundle import Span
from lkgate.model.event import Event
from lkgate.model.measurement import Sample
from lkgate.model.turn import Turn

# The caller says the same again if so much of it is the same.
_SAME = 0.75
_MIN_WORDS = 3
# A repetition that matters comes soon.
_REACH = 2
_ESCALATES = ("escalat", "human", "operator", "transfer", "supervisor", "representative")
_CORRECTS = (
    "i said", "i meant", "i mean", "that is not", "that's not", "that isn't", "that is wrong",
    "that's wrong", "not what i", "actually", "no wait", "no i", "no it", "no my", "no not",
    "you misunderstood", "you got that wrong", "let me correct", "correction",
)  # fmt: skip
# "No" at the end of a call corrects nothing.
_DECLINES = ("no thank", "no thanks", "no that is all", "no that's all", "no that's it")
_CORRECTING = tuple(map(words_of, _CORRECTS))
_DECLINING = tuple(map(words_of, _DECLINES))


def call_duration(session: Session) -> Iterator[Sample]:
    arrived, left = session.arrived_us(), session.left_us()
    yield measured(max(0, left - arrived), None, Span(arrived, max(arrived, left)))


def agent_join_time(session: Session) -> Iterator[Sample]:
    arrived = session.arrived_us()
    names = {track.participant for track in session.bundle.tracks("agent")}
    came = [
        event.t_us
        for event in session.of_kind("participant_connected")
        if event.data.get("identity") in names
    ]
    if not came:
        yield absent(None, session.whole, "nobody saw the agent come")
        return
    joined = max(arrived, min(came))
    yield measured(joined - arrived, None, Span(arrived, joined))


def dispatch_time(session: Session) -> Iterator[Sample]:
    return _job_phase(session, "requested", "assigned", "no worker took the job")


def job_start_time(session: Session) -> Iterator[Sample]:
    return _job_phase(session, "assigned", "joined", "the agent did not come")


def job_faults(session: Session) -> Iterator[Sample]:
    wrong = [event for event in session.of_kind("lkgate.job") if _fault(event) is not None]
    for event in wrong:
        yield measured(1.0, None, Span(event.t_us, event.t_us), _fault(event))
    if not wrong:
        yield measured(0.0, None, session.whole)


def _fault(event: Event) -> str | None:
    if event.data.get("phase") == "fault":
        return field.text(event.data, "what") or field.text(event.data, "fault")
    if event.data.get("phase") == "ended" and event.data.get("status") == "failed":
        return field.text(event.data, "error") or "the job failed"
    return None


def _job_phase(session: Session, begin: str, end: str, never: str) -> Iterator[Sample]:
    events = session.of_kind("lkgate.job")
    since = next((e.t_us for e in events if e.data.get("phase") == begin), None)
    if since is None:
        yield inapplicable(None, session.whole, f"nobody saw that the job was {begin}")
        return
    until = next((e.t_us for e in events if e.data.get("phase") == end and e.t_us >= since), None)
    if until is None:
        yield absent(None, Span(since, max(since, session.whole.end_us)), never)
    else:
        yield measured(until - since, None, Span(since, until))


def handoff_context_lost(session: Session) -> Iterator[Sample]:
    """One sample a handoff: the questions after it that the caller was asked before it."""
    asked: list[tuple[str, ...]] = []
    before: list[tuple[str, ...]] = []
    at: Turn | None = None
    again: list[str] = []
    for turn in session.of("agent"):
        if turn.handoffs:
            if at is not None:
                yield _asked_again(at, again)
            at, before, again = turn, list(asked), []
        questions = _questions(turn)
        again += [
            " ".join(words) for words in questions if any(_alike(words, other) for other in before)
        ]
        asked += questions
    if at is not None:
        yield _asked_again(at, again)
        # A question that nobody told of may be one of them.
        yield from holes(session, "agent")


def _alike(words: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether three quarters of the longer one are the other's."""
    known = set(other)
    shared = sum(word in known for word in words)
    # No alignment has more in common than that.
    if shared < _SAME * max(len(words), len(other)):
        return False
    return similarity(words, other) >= _SAME


def _asked_again(at: Turn, again: list[str]) -> Sample:
    return measured(len(again), at, at.span, "; ".join(f"'{one}' again" for one in again) or None)


def _questions(turn: Turn) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for message in turn.messages:
        sentences = message.text.replace("!", ".").replace("?", "?.").split(".")
        found += [words_of(one) for one in sentences if one.rstrip().endswith("?")]
    return [words for words in found if len(words) >= _MIN_WORDS]


def escalated(session: Session) -> Iterator[Sample]:
    for turn in session.turns:
        names = [call.name for call in turn.tools] + [h.new_agent or "" for h in turn.handoffs]
        name = next((n for n in names if any(part in n.lower() for part in _ESCALATES)), None)
        if name is not None:
            yield measured(1.0, turn, turn.span, name)
            return
    yield measured(0.0, None, session.whole)


def caller_repeats(session: Session) -> Iterator[Sample]:
    said: list[tuple[str, ...]] = []
    for turn in session.of("caller"):
        if turn.text is None:
            yield _wordless(turn, session)
            continue
        words = words_of(turn.text)
        again = len(words) >= _MIN_WORDS and any(_alike(words, other) for other in said[-_REACH:])
        note = f"'{turn.text}' again" if again else None
        yield measured(float(again), turn, turn.span, note)
        said.append(words)


def caller_corrections(session: Session) -> Iterator[Sample]:
    for turn in session.of("caller"):
        if turn.text is None:
            yield _wordless(turn, session)
            continue
        words = words_of(turn.text)
        corrects = any(contains(words, phrase) for phrase in _CORRECTING)
        corrects = corrects and not any(contains(words, phrase) for phrase in _DECLINING)
        yield measured(float(corrects), turn, turn.span, f"'{turn.text}'" if corrects else None)


def _wordless(turn: Turn, session: Session) -> Sample:
    """A cough says nothing; what the caller says for longer might be anything."""
    if turn.index in session.told_in:
        return inapplicable(turn, turn.span, "its words are told in another turn")
    reason = "the recogniser made no words of it"
    if need_not_be_words(turn, session):
        return inapplicable(turn, turn.span, reason)
    return absent(turn, turn.span, reason)
