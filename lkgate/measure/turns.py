"""A bundle as a sequence of turns.

The audio decides when somebody spoke; the events tell what was said and done. An event belongs
to the turn that it can have come from, by session time (see ``_Floor``).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
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


class _Floor:
    """The turns of a session in the making, found by when they were, however many there are.

    Caller turns are disjoint and in order, and so are agent turns that sounded. What the agent does
    without a sound becomes a turn that stands behind the caller turn that it answers.
    """

    def __init__(self, drafts: list[Draft]) -> None:
        self.callers: list[_Attached] = []
        self._spoken: list[_Attached] = []
        # Of the agent, before the first caller turn and behind each.
        self._answers: list[list[_Attached]] = [[]]
        for draft in drafts:
            turn = _Attached(draft)
            if draft.role == "caller":
                self.callers.append(turn)
                self._answers.append([])
            else:
                self._spoken.append(turn)
                self._answers[-1].append(turn)
        self._starts = [turn.draft.span.start_us for turn in self.callers]
        self._ends = [turn.draft.span.end_us for turn in self.callers]
        self._asked = [turn.draft.spans[0].end_us for turn in self.callers]
        self._onsets = [turn.draft.span.start_us for turn in self._spoken]

    def turns(self) -> list[_Attached]:
        asked: list[list[_Attached]] = [[], *([turn] for turn in self.callers)]
        return [
            turn
            for pair in zip(asked, self._answers, strict=True)
            for turns in pair
            for turn in turns
        ]

    def answering(self, t_us: int) -> _Attached:
        """The agent turn that acts at ``t_us``: the one that answers the last caller turn before.

        A caller turn is answered at the earliest when its first stretch of speech has ended. An
        agent that acts without a sound gets a turn without spans.
        """
        answers = self._answers[bisect_right(self._asked, t_us)]
        if not answers:
            answers.append(_Attached(Draft("agent", Span(t_us, t_us))))
        elif not answers[0].draft.spans:
            answers[0].draft.span = Span(answers[0].draft.span.start_us, t_us)
        return answers[0]

    def answered_by(self, t_us: int, modality: Modality) -> list[_Attached]:
        """The turns that an answer at ``t_us`` has a part in.

        A recogniser is asked once and hears the caller from then on. Whoever else answers does so
        in the agent's turn; an answer that came to nothing has no part in any.
        """
        if modality == "stt":
            return self.callers
        return self._answers[bisect_right(self._asked, t_us)][:1]

    def speaking(self, t_us: int) -> _Attached:
        """The agent turn that a message reported at ``t_us`` was spoken in.

        LiveKit reports a message when its speech has ended or was cut off, so it is the last one
        that had begun; unless the caller has said something whole since: then nobody heard it.
        """
        at = bisect_left(self._onsets, t_us) - 1
        if at >= 0:
            turn = self._spoken[at]
            spoken = max(s.end_us for s in turn.draft.spans if s.start_us < t_us)
            later = bisect_right(self._starts, spoken)
            if later == len(self._ends) or self._ends[later] >= t_us:
                return turn
        return self.answering(t_us)

    def hear(self, message: Message) -> None:
        """Words belong to the last caller turn begun; words without any speech belong nowhere."""
        at = bisect_right(self._starts, message.t_us) - 1
        if at >= 0:
            self.callers[at].messages.append(message)

    def place(self, index: int, said: Span) -> None:
        """An utterance of the plan belongs to the caller turn that shares most time with it."""
        wide = (Span(said.start_us, said.end_us + _UTTERANCE_SLACK_US),)
        best: _Attached | None = None
        most = 0
        first = bisect_right(self._ends, said.start_us)
        for turn in self.callers[first : bisect_left(self._starts, wide[0].end_us)]:
            shared = total_us(overlap(tuple(turn.draft.spans), wide))
            if shared > most:
                best, most = turn, shared
        if best is not None:
            best.utterances.append(index)


def turns_of(bundle: Bundle) -> tuple[Turn, ...]:
    """All turns of a session in order of their onset. Empty if nobody spoke or acted."""
    speech = speech_of(bundle)
    floor = _Floor(cut(speech, impatient_moments(bundle)))
    agent_messages = messages_of(bundle, "agent")
    caller_messages = messages_of(bundle, "caller")
    for call in tool_calls(bundle):
        floor.answering(call.t_us).tools.append(call)
    for handoff in handoffs(bundle):
        floor.answering(handoff.t_us).handoffs.append(handoff)
    for event in bundle.of_kind("lkgate.model_answer"):
        modality = next((m for m in _MODALITIES if m == text(event.data, "modality")), None)
        origin = text(event.data, "origin")
        if modality and origin == "policy":
            floor.answering(event.t_us).estimated.add(modality)
        elif modality and origin == "estimated":
            for turn in floor.answered_by(event.t_us, modality):
                turn.estimated.add(modality)
        elif modality and origin == "derived":
            for turn in floor.answered_by(event.t_us, modality):
                turn.derived.add(modality)
                if event.data.get("untimed") is True:
                    turn.estimated.add(modality)
    for message in agent_messages or ():
        floor.speaking(message.t_us).messages.append(message)
    for message in caller_messages or ():
        floor.hear(message)
    for index, said in planned(bundle):
        floor.place(index, said)
    absent = {
        "agent": _why_no_text(bundle, agent_messages),
        "caller": _why_no_text(bundle, caller_messages),
    }
    return _finished(floor.turns(), speech, agent_messages or (), absent)


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
