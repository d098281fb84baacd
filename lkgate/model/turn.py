"""Who had the floor, in order: what a session's audio and events say about its turns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lkgate.model.bundle import Span
from lkgate.model.event import Json

TurnRole = Literal["caller", "agent"]
BargeInOutcome = Literal["yielded", "ignored", "finished"]
Modality = Literal["stt", "llm", "tts", "tool"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One function tool that the agent called.

    Attributes:
        call_id: LiveKit's id, ``None`` if the source had none.
        name, arguments, output: as the session reported them; arguments are JSON if they parse.
        is_error: whether the tool failed.
        t_us: when it started, or was reported if no start was seen.
        ended_us: when it ended, ``None`` if no end was seen.
        timed: whether its start was seen.
    """

    call_id: str | None
    name: str
    arguments: Json
    output: Json
    is_error: bool
    t_us: int
    ended_us: int | None
    timed: bool = False


@dataclass(frozen=True, slots=True)
class Handoff:
    """Control went from one agent to another."""

    old_agent: str | None
    new_agent: str | None
    t_us: int


@dataclass(frozen=True, slots=True)
class Message:
    """What one side said according to the session, with LiveKit's own latencies.

    Attributes:
        text: as transcribed (caller) or as spoken (agent).
        interrupted: LiveKit cut the agent's message short; ``None`` if the source cannot know.
        t_us: session time at which the message was reported.
        timed: whether the source gave LiveKit's metrics at all.
        transcription_delay_us, end_of_turn_delay_us: caller messages; ``None`` is "not measured".
        llm_ttft_us, tts_ttfb_us: agent messages; ``None`` is "not measured".
        confidence: caller messages: the recogniser's, from 0 to 1; ``None`` is "not given".
    """

    text: str
    interrupted: bool | None
    t_us: int
    timed: bool
    transcription_delay_us: int | None
    end_of_turn_delay_us: int | None
    llm_ttft_us: int | None
    tts_ttfb_us: int | None
    confidence: float | None = None

    @property
    def is_item(self) -> bool:
        """Whether LiveKit made a conversation item of it: a transcript alone does not tell whether
        anybody was cut short."""
        return self.interrupted is not None


@dataclass(frozen=True, slots=True)
class BargeIn:
    """The caller began to speak while the agent was speaking.

    Attributes:
        onset_us: the caller's first sound.
        silent_us: when the agent fell silent after that.
        outcome: ``yielded``: the agent stopped for the caller; ``ignored``: it spoke on to its end;
            ``finished``: it was at its end anyway.
        agent_turn: index of the turn that was spoken into.
    """

    onset_us: int
    silent_us: int
    outcome: BargeInOutcome
    agent_turn: int

    @property
    def span(self) -> Span:
        return Span(self.onset_us, max(self.onset_us, self.silent_us))


@dataclass(frozen=True, slots=True)
class Turn:
    """One side's words until the other side spoke. Times are those heard in the room.

    Attributes:
        index: position in the session, from 0.
        role: who had the floor.
        span: from the first sound to the last; for a turn without sound, of its events.
        spans: its stretches of speech; empty if the agent acted without a sound.
        messages: what the session reported for it.
        text: the messages' texts, ``None`` if the source gave none (see ``text_absent``).
        tools, handoffs: what the agent did before or within its turn.
        utterances: caller turns: indices of the caller's planned utterances; empty in a recording.
        barge_ins: caller turns: onsets into the agent's speech.
        answers: agent turns: index of the caller turn before it, ``None`` for a greeting.
        interrupted: agent turns: a message of it was cut short; ``None`` if unknown.
        estimated: modalities whose answer within this turn was a policy's, not a recorded one.
        derived: modalities whose answer within this turn was made from what was heard outside.
    """

    index: int
    role: TurnRole
    span: Span
    spans: tuple[Span, ...]
    messages: tuple[Message, ...]
    text: str | None
    text_absent: str | None
    tools: tuple[ToolCall, ...]
    handoffs: tuple[Handoff, ...]
    utterances: tuple[int, ...]
    barge_ins: tuple[BargeIn, ...]
    answers: int | None
    interrupted: bool | None
    estimated: tuple[Modality, ...]
    derived: tuple[Modality, ...] = ()
