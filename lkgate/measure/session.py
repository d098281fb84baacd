"""What a metric looks at: one session, its turns, its labels, and what it lacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lkgate.measure.floor import speech_of
from lkgate.measure.message import messages_of
from lkgate.measure.turns import turns_of
from lkgate.model.bundle import Bundle, Span
from lkgate.model.label import Labels
from lkgate.model.measurement import Evidence
from lkgate.model.turn import Turn, TurnRole

# The events that the agent's session sends; one of them is proof that it was heard.
SESSION_KINDS = (
    "agent_state_changed",
    "user_state_changed",
    "user_input_transcribed",
    "conversation_item_added",
    "function_tools_executed",
    "tool_execution_updated",
    "session_usage_updated",
)
_TRANSCRIPTS: Mapping[TurnRole, Evidence] = {
    "caller": "caller_transcript",
    "agent": "agent_transcript",
}
_GIVEN: tuple[Evidence, ...] = ("arrival", "media")


@dataclass(frozen=True, slots=True)
class Session:
    """A bundle made ready to be measured.

    Attributes:
        labels: of the recording, for a replay too.
        turns: of the bundle.
        caller, agent: speech, sorted and disjoint; short pauses of the agent are closed.
        absent: evidence that the bundle cannot give, with the reason.
    """

    bundle: Bundle
    labels: Labels | None
    turns: tuple[Turn, ...]
    caller: tuple[Span, ...]
    agent: tuple[Span, ...]
    absent: Mapping[Evidence, str]

    @property
    def whole(self) -> Span:
        return Span(0, self.bundle.manifest.duration_us)

    def of(self, role: str) -> tuple[Turn, ...]:
        return tuple(turn for turn in self.turns if turn.role == role)

    def left_us(self) -> int:
        """When the caller left, or the session's end."""
        names = {track.participant for track in self.bundle.tracks("caller")}
        for event in self.bundle.of_kind("lkgate.caller_hangup", "participant_disconnected"):
            if event.kind == "lkgate.caller_hangup" or event.data.get("identity") in names:
                return event.t_us
        return self.bundle.manifest.duration_us


def session_of(
    bundle: Bundle, labels: Labels | None, turns: tuple[Turn, ...] | None = None
) -> Session:
    """Cut a bundle into turns, unless that was done, and find out what it lacks."""
    speech = speech_of(bundle)
    return Session(
        bundle=bundle,
        labels=labels,
        turns=turns_of(bundle) if turns is None else turns,
        caller=speech.caller,
        agent=speech.agent,
        absent=_absent(bundle, labels),
    )


def _absent(bundle: Bundle, labels: Labels | None) -> dict[Evidence, str]:
    told = bundle.manifest.absent
    found: dict[Evidence, str] = {}
    if not bundle.tracks("caller"):
        found["caller_audio"] = told.get("caller_audio", "no audio track of the caller")
    if not bundle.tracks("agent"):
        found["agent_audio"] = told.get("agent_audio", "no audio track of the agent")
    if not bundle.of_kind(*SESSION_KINDS):
        found["session"] = told.get("session", "no message of the agent's session")
    for given in _GIVEN:
        # Only an import lacks them, and says so.
        if given in told:
            found[given] = told[given]
    silent = {side: messages_of(bundle, side) is None for side in _TRANSCRIPTS}
    for side, evidence in _TRANSCRIPTS.items():
        # Of a session that was heard, one side may truly have no words.
        if silent[side] and ("session" in found or all(silent.values())):
            whose = "either side" if all(silent.values()) else f"the {side}"
            found[evidence] = told.get("transcript", f"no words of {whose}")
    if bundle.manifest.source != "replay":
        found["replay"] = "only a replay has it, and this is not one"
    if labels is None:
        found["labels"] = "the recording has no labels"
    return found
