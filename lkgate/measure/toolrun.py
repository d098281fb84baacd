"""How tools were called: how long they took, again, and before it was time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from lkgate.measure.compare import mismatches
from lkgate.measure.hearing import LOW_CONFIDENCE
from lkgate.measure.sample import absent, inapplicable, measured
from lkgate.measure.session import Session
from lkgate.measure.span import total_us
from lkgate.measure.tool import calls_of, span_of, unseen
from lkgate.measure.untold import WORD_US
from lkgate.measure.words import contains, words_of
from lkgate.model.measurement import Sample
from lkgate.model.turn import Message, ToolCall

_AGREEING = (
    "yes", "yeah", "yep", "yup", "sure", "correct", "right", "okay", "ok", "exactly", "perfect",
    "please do", "go ahead", "that works", "sounds good", "of course",
)  # fmt: skip
_REFUSING = ("no", "not", "don't", "wait", "stop", "never")


def tool_latency(session: Session) -> Iterator[Sample]:
    made = calls_of(session)
    yield from [] if made else unseen(session, made)
    for turn, call in made:
        if not call.timed:
            yield absent(turn, span_of(call), f"the start of {call.name} was not seen")
        elif call.ended_us is None:
            yield absent(turn, span_of(call), f"the end of {call.name} was not seen")
        else:
            yield measured(call.ended_us - call.t_us, turn, span_of(call), call.name)


def tool_retries(session: Session) -> Iterator[Sample]:
    last: dict[str, ToolCall] = {}
    made = calls_of(session)
    yield from unseen(session, made)
    for turn, call in made:
        before = last.get(call.name)
        again = before is not None and (
            before.is_error or not mismatches(before.arguments, call.arguments)
        )
        note = f"{call.name} again" if again else call.name
        yield measured(float(again), turn, span_of(call), note)
        last[call.name] = call


def tools_after_unclear_intent(session: Session) -> Iterator[Sample]:
    caller, agent = _Said(session, "caller"), _Said(session, "agent")
    made = calls_of(session)
    yield from unseen(session, made)
    for turn, call in made:
        if _untold(session, "caller", call) or _untold(session, "agent", call):
            yield absent(turn, span_of(call), f"nothing tells what was said before {call.name}")
            continue
        why = _unclear(caller.last(call), agent.last(call))
        yield measured(float(why is not None), turn, span_of(call), why and f"{call.name}: {why}")


def _unclear(said: Message | None, asked: Message | None) -> str | None:
    if said is not None and said.confidence is not None and said.confidence < LOW_CONFIDENCE:
        return f"'{said.text}' was heard with {said.confidence:.0%}"
    open_ = asked is not None and asked.text.rstrip().endswith("?")
    if asked is not None and open_ and (said is None or said.t_us < asked.t_us):
        return f"'{asked.text}' was not answered yet"
    return None


def tools_unconfirmed(session: Session) -> Iterator[Sample]:
    assert session.labels is not None  # the registry asks for this evidence
    changing = {tool.name for tool in session.labels.tools if tool.changes}
    if not changing:
        yield inapplicable(None, session.whole, "the labels name no tool that changes anything")
        return
    words, caller = session.labels.confirmations, _Said(session, "caller")
    made = calls_of(session)
    yield from unseen(session, made)
    for turn, call in made:
        if call.name in changing and _untold(session, "caller", call):
            yield absent(turn, span_of(call), f"nothing tells what was said before {call.name}")
        elif call.name in changing:
            said = caller.last(call)
            agreed = said is not None and agrees(said.text, words)
            heard = f"after '{said.text}'" if said else "before the caller said anything"
            yield measured(float(not agreed), turn, span_of(call), f"{call.name} {heard}")


def agrees(text: str, confirmations: tuple[str, ...] = ()) -> bool:
    """Whether the caller's words are a yes.

    Args:
        confirmations: words that say so; empty for the English ones, of which a refusal in the
            same breath makes none.
    """
    words = words_of(text)
    if confirmations:
        return any(contains(words, words_of(phrase)) for phrase in confirmations)
    if any(word in _REFUSING for word in words[:2]):
        return False
    return any(contains(words, words_of(phrase)) for phrase in _AGREEING)


def tool_precondition_errors(session: Session) -> Iterator[Sample]:
    assert session.labels is not None  # the registry asks for this evidence
    wanted = {tool.name: tool.after for tool in session.labels.tools if tool.after}
    if not wanted:
        yield inapplicable(None, session.whole, "the labels name no tool that has to wait")
        return
    done: set[str] = set()
    made = calls_of(session)
    yield from unseen(session, made)
    for turn, call in made:
        if call.name in wanted:
            lacking = [name for name in wanted[call.name] if name not in done]
            note = f"{call.name} before {', '.join(lacking)}" if lacking else call.name
            yield measured(float(bool(lacking)), turn, span_of(call), note)
        if not call.is_error:
            done.add(call.name)


def _untold(session: Session, role: str, call: ToolCall) -> bool:
    """Whether nothing tells what one side said last before a call. A refusal is short: any sound
    that is long enough for a word may have been one."""
    heard = [
        turn
        for turn in session.of(role)
        if turn.spans
        and turn.spans[0].end_us <= call.t_us
        and total_us(turn.spans) >= WORD_US
        and turn.index not in session.told_in
    ]
    return bool(heard) and not heard[-1].messages


class _Said:
    """The messages of one side, by when they were reported."""

    def __init__(self, session: Session, role: str) -> None:
        said = [message for turn in session.of(role) for message in turn.messages]
        self._messages = sorted(said, key=lambda message: message.t_us)
        self._times = [message.t_us for message in self._messages]

    def last(self, call: ToolCall) -> Message | None:
        """The last one before a call; the first of those of one moment."""
        at = bisect_right(self._times, call.t_us)
        return self._messages[bisect_left(self._times, self._times[at - 1])] if at else None
