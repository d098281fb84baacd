"""What a metric looks at: one session, its turns, its labels, and what it lacks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from lkgate.measure import field
from lkgate.measure.elsewhere import told_elsewhere
from lkgate.measure.floor import speech_of
from lkgate.measure.message import messages_of
from lkgate.measure.turns import turns_of
from lkgate.model.bundle import Bundle, Span
from lkgate.model.event import Event
from lkgate.model.history import History
from lkgate.model.label import Labels
from lkgate.model.measurement import Evidence
from lkgate.model.price import PriceTable
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
# Evidence that events of one kind are, and what is said where there is none of them.
_EVENTS: Mapping[str, Evidence] = {
    "lkgate.media_quality": "media_quality",
    "lkgate.job": "job",
    "lkgate.audio_level": "levels",
    "lkgate.speech_quality": "speech_quality",
    "lkgate.spoken": "spoken",
    "lkgate.synthesis": "synthesis",
}
_WITHOUT: Mapping[Evidence, str] = {
    "media_quality": "nobody asked LiveKit for the statistics of the connection",
    "job": "nobody saw the agent's job being dispatched",
    "levels": "nobody listened to the audio",
    "speech_quality": "nobody listened to the audio",
    "spoken": "nobody listened to the agent's voice",
    "synthesis": "no cassette tells how long the voice took",
}


@dataclass(frozen=True, slots=True)
class Session:
    """A bundle made ready to be measured.

    Attributes:
        labels: of the recording, for a replay too.
        turns: of the bundle.
        told_in: of turns without a message, the turn whose message tells of them, by index.
        caller, agent: speech, sorted and disjoint; short pauses of the agent are closed.
        absent: evidence that the bundle cannot give, with the reason.
        prices: what models cost, if the team said so.
        history: what the other recordings of its set say of the caller, if somebody looked.
    """

    bundle: Bundle
    labels: Labels | None
    turns: tuple[Turn, ...]
    told_in: Mapping[int, int]
    caller: tuple[Span, ...]
    agent: tuple[Span, ...]
    absent: Mapping[Evidence, str]
    prices: PriceTable | None
    history: History | None
    _by_kind: Mapping[str, tuple[Event, ...]]
    _by_role: Mapping[str, tuple[Turn, ...]]

    @property
    def whole(self) -> Span:
        return Span(0, self.bundle.manifest.duration_us)

    def of(self, role: str) -> tuple[Turn, ...]:
        return self._by_role.get(role, ())

    def unheard(self) -> bool:
        """Whether nothing tells of any words of the caller's turns.

        One turn without words may be a cough, or was not listened to; all of them are a hole.
        """
        return not any(turn.messages for turn in self.of("caller"))

    def of_kind(self, *kinds: str) -> tuple[Event, ...]:
        """The events of these kinds, in order, without a search through all of them."""
        if len(kinds) == 1:
            return self._by_kind.get(kinds[0], ())
        found = [event for kind in kinds for event in self._by_kind.get(kind, ())]
        return tuple(sorted(found, key=lambda event: event.seq))

    def turn_at(self, t_us: int) -> Turn | None:
        """The last turn that had begun."""
        return next((turn for turn in reversed(self.turns) if turn.span.start_us <= t_us), None)

    def arrived_us(self) -> int:
        """When the caller came; where no event tells, when the caller's track began."""
        tracks = self.bundle.tracks("caller")
        names = {track.participant for track in tracks}
        came = [
            event.t_us
            for event in self.of_kind("participant_connected")
            if event.data.get("identity") in names
        ]
        return min(came, default=min((track.offset_us for track in tracks), default=0))

    def caller_left_first(self) -> bool:
        """Whether it was the caller who ended the call, as far as events tell."""
        names = {track.participant for track in self.bundle.tracks("caller")}
        gone = self.of_kind("lkgate.caller_hangup", "participant_disconnected")
        first = gone[0] if gone else None
        return first is not None and (
            first.kind == "lkgate.caller_hangup" or first.data.get("identity") in names
        )

    def left_us(self) -> int:
        """When the caller left, or the session's end."""
        names = {track.participant for track in self.bundle.tracks("caller")}
        for event in self.of_kind("lkgate.caller_hangup", "participant_disconnected"):
            if event.kind == "lkgate.caller_hangup" or event.data.get("identity") in names:
                return event.t_us
        return self.bundle.manifest.duration_us


def session_of(
    bundle: Bundle,
    labels: Labels | None,
    turns: tuple[Turn, ...] | None = None,
    prices: PriceTable | None = None,
    history: History | None = None,
) -> Session:
    """Cut a bundle into turns, unless that was done, and find out what it lacks."""
    speech = speech_of(bundle)
    by_kind: dict[str, list[Event]] = defaultdict(list)
    for event in bundle.events:
        by_kind[event.kind].append(event)
    kinds = {kind: tuple(events) for kind, events in by_kind.items()}
    cut = turns_of(bundle) if turns is None else turns
    roles: tuple[TurnRole, ...] = ("caller", "agent")
    return Session(
        bundle=bundle,
        labels=labels,
        turns=cut,
        told_in=told_elsewhere(
            cut, kinds.get("conversation_item_added", ()), kinds.get("agent_state_changed", ())
        ),
        caller=speech.caller,
        agent=speech.agent,
        absent=_absent(bundle, labels, prices, kinds) | _unknown(history),
        prices=prices,
        history=history,
        _by_kind=kinds,
        _by_role={role: tuple(turn for turn in cut if turn.role == role) for role in roles},
    )


def _absent(
    bundle: Bundle,
    labels: Labels | None,
    prices: PriceTable | None,
    kinds: Mapping[str, tuple[Event, ...]],
) -> dict[Evidence, str]:
    told = bundle.manifest.absent
    found: dict[Evidence, str] = {}
    if not bundle.tracks("caller"):
        found["caller_audio"] = told.get("caller_audio", "no audio track of the caller")
    if not bundle.tracks("agent"):
        found["agent_audio"] = told.get("agent_audio", "no audio track of the agent")
    if not any(kind in kinds for kind in SESSION_KINDS):
        found["session"] = told.get("session", "no message of the agent's session")
    for given in _GIVEN:
        # Only an import lacks them, and says so.
        if given in told:
            found[given] = told[given]
    told_by = {side: messages_of(bundle, side) for side in _TRANSCRIPTS}
    silent = {side: said is None for side, said in told_by.items()}
    for side, evidence in _TRANSCRIPTS.items():
        # Of a session that was heard, one side may truly have no words.
        if silent[side] and ("session" in found or all(silent.values())):
            whose = "either side" if all(silent.values()) else f"the {side}"
            found[evidence] = told.get("transcript", f"no words of {whose}")
    said = told_by["caller"]
    if said and all(message.confidence is None for message in said):
        found["confidence"] = "the speech recogniser gave no confidence"
    elif not said:
        found["confidence"] = "no words of the caller, so no confidence in them"
    if not any(field.text(e.data, "language") for e in kinds.get("user_input_transcribed", ())):
        found["language"] = "the speech recogniser named no language"
    for kind, evidence in _EVENTS.items():
        if kind not in kinds:
            found[evidence] = told.get(evidence, _WITHOUT[evidence])
    if bundle.manifest.source != "replay":
        found["replay"] = "only a replay has it, and this is not one"
    if labels is None:
        found["labels"] = "the recording has no labels"
    if prices is None:
        found["prices"] = "no table of prices was given"
    return found


def _unknown(history: History | None) -> dict[Evidence, str]:
    """What is not known of the caller's other calls."""
    if history is None:
        return {"caller_history": "nobody looked for other recordings of the caller"}
    return {} if history.absent is None else {"caller_history": history.absent}
