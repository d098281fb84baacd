"""A bundle as a sequence of turns.

The audio decides when somebody spoke; the events tell what was said and done. An event belongs
to the turn that it can have come from, by session time (see ``_Attached``).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lkgate.measure.action import handoffs, tool_calls
from lkgate.measure.barge import barge_ins
from lkgate.measure.field import text
from lkgate.measure.floor import Draft, Speech, cut, impatient_moments, planned, speech_of
from lkgate.measure.message import messages_of
from lkgate.measure.span import hull, overlap, total_us
from lkgate.model.bundle import Bundle, Span
from lkgate.model.turn import Handoff, Message, Modality, ToolCall, Turn

# The detector may find an utterance this much before or after the player's own times.
_UTTERANCE_SLACK_US = 400_000
_MODALITIES: tuple[Modality, ...] = ("stt", "llm", "tts", "tool")


@dataclass(slots=True)
class _Attached:
    """A draft turn with what the events say about it."""

    draft: Draft
    messages: list[Message] = field(default_factory=list)
    tools: list[ToolCall] = field(default_factory=list)
    handoffs: list[Handoff] = field(default_factory=list)
    utterances: list[int] = field(default_factory=list)
    estimated: set[Modality] = field(default_factory=set)
    derived: set[Modality] = field(default_factory=set)


def turns_of(bundle: Bundle) -> tuple[Turn, ...]:
    """All turns of a session in order of their onset. Empty if nobody spoke or acted."""
    speech = speech_of(bundle)
    turns = [_Attached(draft) for draft in cut(speech, impatient_moments(bundle))]
    agent_messages = messages_of(bundle, "agent")
    caller_messages = messages_of(bundle, "caller")
    for call in tool_calls(bundle):
        _answering(turns, call.t_us).tools.append(call)
    for handoff in handoffs(bundle):
        _answering(turns, handoff.t_us).handoffs.append(handoff)
    for event in bundle.of_kind("lkgate.model_answer"):
        modality = next((m for m in _MODALITIES if m == text(event.data, "modality")), None)
        origin = text(event.data, "origin")
        if modality and origin == "policy":
            _answering(turns, event.t_us).estimated.add(modality)
        elif modality and origin == "estimated":
            for turn in _answered_by(turns, event.t_us, modality):
                turn.estimated.add(modality)
        elif modality and origin == "derived":
            for turn in _answered_by(turns, event.t_us, modality):
                turn.derived.add(modality)
                if event.data.get("untimed") is True:
                    turn.estimated.add(modality)
    for message in agent_messages or ():
        _speaking(turns, message.t_us).messages.append(message)
    for message in caller_messages or ():
        _hear(turns, message)
    for index, said in planned(bundle):
        _place(turns, index, said)
    absent = {
        "agent": _why_no_text(bundle, agent_messages),
        "caller": _why_no_text(bundle, caller_messages),
    }
    return _finished(turns, speech, agent_messages or (), absent)


def _answering(turns: list[_Attached], t_us: int) -> _Attached:
    """The agent turn that acts at ``t_us``: the one that answers the last caller turn before.

    A caller turn is answered at the earliest when its first stretch of speech has ended. An
    agent that acts without a sound gets a turn without spans.
    """
    asked = -1
    for position, turn in enumerate(turns):
        if turn.draft.role == "caller" and turn.draft.spans[0].end_us <= t_us:
            asked = position
    after = asked + 1
    if after < len(turns) and turns[after].draft.role == "agent":
        answer = turns[after]
        if not answer.draft.spans:
            answer.draft.span = Span(answer.draft.span.start_us, t_us)
        return answer
    silent = _Attached(Draft("agent", Span(t_us, t_us)))
    turns.insert(after, silent)
    return silent


def _answered_by(turns: list[_Attached], t_us: int, modality: Modality) -> list[_Attached]:
    """The turns that an answer at ``t_us`` has a part in.

    A recogniser is asked once and hears the caller from then on. Whoever else answers does so in
    the agent's turn; an answer that came to nothing has no part in any.
    """
    if modality == "stt":
        return [turn for turn in turns if turn.draft.role == "caller"]
    asked = [
        position
        for position, turn in enumerate(turns)
        if turn.draft.role == "caller" and turn.draft.spans[0].end_us <= t_us
    ]
    after = asked[-1] + 1 if asked else 0
    return [turn for turn in turns[after : after + 1] if turn.draft.role == "agent"]


def _speaking(turns: list[_Attached], t_us: int) -> _Attached:
    """The agent turn that a message reported at ``t_us`` was spoken in.

    LiveKit reports a message when its speech has ended or was cut off, so it is the last one
    that had begun; unless the caller has said something whole since: then nobody heard it.
    """
    for position in range(len(turns) - 1, -1, -1):
        draft = turns[position].draft
        if draft.role == "agent" and draft.spans and draft.span.start_us < t_us:
            spoken = max(s.end_us for s in draft.spans if s.start_us < t_us)
            if any(
                later.draft.role == "caller"
                and later.draft.span.start_us > spoken
                and later.draft.span.end_us < t_us
                for later in turns[position + 1 :]
            ):
                break
            return turns[position]
    return _answering(turns, t_us)


def _hear(turns: list[_Attached], message: Message) -> None:
    """Words belong to the last caller turn begun; words without any speech belong nowhere."""
    for turn in reversed(turns):
        if turn.draft.role == "caller" and turn.draft.span.start_us <= message.t_us:
            turn.messages.append(message)
            return


def _place(turns: list[_Attached], index: int, said: Span) -> None:
    """An utterance of the plan belongs to the caller turn that shares most time with it."""
    wide = (Span(said.start_us, said.end_us + _UTTERANCE_SLACK_US),)
    best: _Attached | None = None
    most = 0
    for turn in turns:
        if turn.draft.role == "caller":
            shared = total_us(overlap(tuple(turn.draft.spans), wide))
            if shared > most:
                best, most = turn, shared
    if best is not None:
        best.utterances.append(index)


def _why_no_text(bundle: Bundle, messages: tuple[Message, ...] | None) -> str:
    if messages is not None:
        return "the session reported no words for this turn"
    return bundle.manifest.absent.get("session", "the session reported no words at all")


def _finished(
    turns: list[_Attached],
    speech: Speech,
    agent_messages: tuple[Message, ...],
    absent: dict[str, str],
) -> tuple[Turn, ...]:
    drafts = [turn.draft for turn in turns]
    into = barge_ins(drafts, speech, agent_messages)
    answers: int | None = None
    done: list[Turn] = []
    for index, turn in enumerate(turns):
        draft = turn.draft
        if draft.role == "caller":
            answers = index
        said = " ".join(message.text for message in turn.messages) or None
        flags = [m.interrupted for m in turn.messages if m.interrupted is not None]
        done.append(
            Turn(
                index=index,
                role=draft.role,
                span=hull(draft.spans) if draft.spans else draft.span,
                spans=tuple(draft.spans),
                messages=tuple(turn.messages),
                text=said,
                text_absent=None if said else absent[draft.role],
                tools=tuple(turn.tools),
                handoffs=tuple(turn.handoffs),
                utterances=tuple(sorted(turn.utterances)),
                barge_ins=into.get(index, ()),
                answers=answers if draft.role == "agent" else None,
                interrupted=any(flags) if flags and draft.role == "agent" else None,
                estimated=tuple(sorted(turn.estimated)),
                derived=tuple(sorted(turn.derived)),
            )
        )
    return tuple(done)
