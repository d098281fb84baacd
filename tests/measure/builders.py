"""Bundles without audio: conversations played by a scripted agent, spans and events as captured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from lkgate.gate.metrics import metric_versions
from lkgate.model.bundle import Bundle, Manifest, Role, SourceKind, Span, Track
from lkgate.model.event import Event, Json
from lkgate.model.label import Entity, ExpectedTool, Labels
from lkgate.model.label import Step as RequiredStep
from lkgate.model.verdict import Baseline, CallFailure, CallResult


def us(seconds: float) -> int:
    return round(seconds * 1_000_000)


def span(start: float, end: float) -> Span:
    return Span(us(start), us(end))


def track(role: Role, *spans: Span, method: str = "energy-1") -> Track:
    return Track(
        id=role,
        role=role,
        participant=f"{role}-1",
        sid=f"TR_{role}",
        sample_rate_hz=24_000,
        channels=1,
        offset_us=0,
        samples=0,
        pcm_sha256="",
        path=None,
        absent_reason="built by a test",
        speech=tuple(sorted(spans)),
        speech_method=method,
    )


def bundle(
    *,
    caller: Sequence[Span] | None = (),
    agent: Sequence[Span] | None = (),
    events: Sequence[tuple[float, str, Mapping[str, Json]]] = (),
    labels: Labels | None = None,
    lasts: float = 60.0,
    source: SourceKind = "replay",
    recording: str = "recording",
    absent: Mapping[str, str] | None = None,
) -> Bundle:
    """A session; ``None`` for a side means that it has no track."""
    tracks = []
    if caller is not None:
        tracks.append(track("caller", *caller))
    if agent is not None:
        tracks.append(track("agent", *agent))
    ordered = sorted(events, key=lambda event: event[0])
    return Bundle(
        manifest=Manifest(
            format=1,
            min_reader=1,
            lkgate="0.1.0",
            id="call",
            source=source,
            recording_digest=recording if source == "replay" else None,
            room="room",
            started_at_unix_us=None,
            duration_us=us(lasts),
            build=None,
            session={},
            tracks=tuple(tracks),
            cassette="none",
            absent=absent or {},
            files=(),
            digest="digest" if source == "replay" else recording,
        ),
        events=tuple(Event(us(t), seq, kind, data) for seq, (t, kind, data) in enumerate(ordered)),
        labels=labels,
    )


def labels(
    *caller: str,
    tools: Sequence[tuple[str, Mapping[str, Json]] | ExpectedTool] = (),
    cohort: Mapping[str, str] | None = None,
    entities: Sequence[Entity] = (),
    handoffs: Sequence[str] | None = None,
    required: Sequence[RequiredStep] = (),
    forbidden_tools: Sequence[str] = (),
    forbidden_phrases: Sequence[str] = (),
) -> Labels:
    return Labels(
        reviewed=True,
        caller=caller,
        tools=tuple(t if isinstance(t, ExpectedTool) else ExpectedTool(*t) for t in tools),
        outcome=None,
        cohort=cohort or {},
        entities=tuple(entities),
        handoffs=None if handoffs is None else tuple(handoffs),
        required=tuple(required),
        forbidden_tools=tuple(forbidden_tools),
        forbidden_phrases=tuple(forbidden_phrases),
    )


def said(
    role: str,
    text: str,
    interrupted: bool = False,
    confidence: float | None = None,
    **metrics: float | None,
) -> tuple[str, dict[str, Json]]:
    """A ``conversation_item_added`` of a message."""
    item: dict[str, Json] = {
        "type": "message",
        "id": "",
        "role": role,
        "text": text,
        "interrupted": interrupted,
        "transcript_confidence": confidence,
        "metrics": dict(metrics),
    }
    return "conversation_item_added", {"item": item}


def tool(
    name: str,
    arguments: Json = None,
    output: Json = "ok",
    call_id: str | None = None,
    is_error: bool = False,
) -> tuple[str, dict[str, Json]]:
    """A ``function_tools_executed`` of one call."""
    call: dict[str, Json] = {
        "name": name,
        "call_id": call_id,
        "arguments": {} if arguments is None else arguments,
        "output": output,
        "is_error": is_error,
    }
    return "function_tools_executed", {"calls": [call]}


def started(name: str, arguments: Json, call_id: str) -> tuple[str, dict[str, Json]]:
    """A ``tool_execution_updated`` of a call that begins."""
    data: dict[str, Json] = {"phase": "started", "name": name, "arguments": arguments}
    return "tool_execution_updated", {**data, "call_id": call_id}


def handoff(to: str, of: str = "receptionist") -> tuple[str, dict[str, Json]]:
    """A ``conversation_item_added`` of a handoff."""
    item: dict[str, Json] = {"type": "agent_handoff", "old_agent_id": of, "new_agent_id": to}
    return "conversation_item_added", {"item": item}


@dataclass(frozen=True)
class Step:
    """The caller says something, and the agent answers.

    Attributes:
        into: seconds into the agent's speech at which the caller begins; ``None`` waits for its
            end.
        heard: what the recogniser makes of ``says``; the same if ``None``.
    """

    says: str
    reply: str
    tools: tuple[tuple[str, dict[str, Json], Json], ...] = ()
    lasts: float = 2.0
    reply_lasts: float = 3.0
    into: float | None = None
    heard: str | None = None
    handoff: str | None = None


@dataclass(frozen=True)
class Agent:
    """How a build behaves."""

    end_of_turn: float = 0.7
    llm: float = 0.3
    tts: float = 0.2
    interruptible: bool = True
    yields_after: float = 0.6
    greeting: str = "Clinic, how can I help?"
    wording: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, dict[str, Json]] = field(default_factory=dict)
    silent_at: frozenset[int] = frozenset()
    skips_tools: bool = False
    misses: tuple[tuple[int, str], ...] = ()


V1 = Agent()
V2 = Agent(
    end_of_turn=0.5,
    greeting="Good morning, this is the clinic. What can I do for you?",
    wording={"You are booked.": "Lovely, that is booked for you."},
)


def play(
    steps: Sequence[Step],
    agent: Agent = V1,
    *,
    recording: str = "recording",
    source: SourceKind = "replay",
) -> Bundle:
    """A call of ``steps`` with ``agent``, as the capture would have seen it."""
    stage = _Stage(agent)
    stage.speak(1.0, agent.greeting, 2.5, llm=None)
    for index, step in enumerate(steps):
        stage.step(index, step)
    stage.finish()
    end = max(stage.t, stage.agent[-1].end_us / 1e6) + 3.0
    hangup: dict[str, Json] = {"reason": "everything was said", "at_us": us(end - 0.2)}
    stage.add(end - 0.2, "lkgate.caller_hangup", hangup)
    usage: Json = [
        {"type": "llm", "model": "m", "input_tokens": 100 * len(steps), "output_tokens": 40}
    ]
    stage.add(end - 0.1, "session_usage_updated", {"usage": usage})
    return bundle(
        caller=stage.caller,
        agent=stage.agent,
        events=stage.events,
        lasts=end,
        source=source,
        recording=recording,
    )


class _Stage:
    def __init__(self, agent: Agent) -> None:
        self.build = agent
        self.t = 0.0
        self.caller: list[Span] = []
        self.agent: list[Span] = []
        self.events: list[tuple[float, str, Mapping[str, Json]]] = []
        self._reply: tuple[float, float, str, float | None] | None = None
        self.add(0.05, "participant_connected", {"identity": "caller-1"})

    def add(self, t: float, kind: str, data: Mapping[str, Json]) -> None:
        self.events.append((t, kind, data))

    def speak(self, start: float, text: str, lasts: float, llm: float | None) -> None:
        self._reply = (start, start + lasts, text, llm)

    def finish(self, at: float | None = None) -> float | None:
        """Ends the reply that is being spoken, cut off at ``at``."""
        if self._reply is None:
            return None
        start, end, text, llm = self._reply
        self._reply = None
        end = end if at is None else at
        self.agent.append(span(start, end))
        self.add(start, "agent_state_changed", {"old_state": "thinking", "new_state": "speaking"})
        self.add(end, "agent_state_changed", {"old_state": "speaking", "new_state": "listening"})
        text = text if at is None else text[: len(text) // 2]
        ttfb = self.build.tts
        self.add(
            end + 0.05,
            *said("assistant", text, at is not None, llm_node_ttft=llm, tts_node_ttfb=ttfb),
        )
        return end

    def step(self, index: int, step: Step) -> None:
        build = self.build
        free = 0.0
        if step.into is not None and self._reply is not None:
            start, end, _, _ = self._reply
            onset = start + step.into
            cut = onset + build.yields_after if build.interruptible else None
            free = self.finish(cut if cut is not None and cut < end else None) or 0.0
        else:
            ended = self.finish()
            onset = (self.t if ended is None else ended) + 0.8
        stop = onset + step.lasts
        self.caller.append(span(onset, stop))
        for phase, t in (("start", onset), ("end", stop)):
            data: dict[str, Json] = {
                "index": index,
                "phase": phase,
                "anchor": "after_agent",
                "at_us": us(t),
            }
            self.add(t - 0.05, "lkgate.caller_utterance", data)
        self.t = stop
        heard = step.says if step.heard is None else step.heard
        ended = max(stop, free - build.end_of_turn) + build.end_of_turn
        self.add(
            ended,
            *said("user", heard, end_of_turn_delay=build.end_of_turn, transcription_delay=0.3),
        )
        if index in build.silent_at:
            self.t = stop + 8.0
            return
        for at, modality in build.misses:
            if at == index:
                self.add(ended, "lkgate.model_miss", {"modality": modality, "difference": "new"})
        t = ended + build.llm
        for n, (name, arguments, output) in enumerate(() if build.skips_tools else step.tools):
            changed = {**arguments, **build.arguments.get(name, {})}
            output = output if changed == arguments else "something else"
            call = f"call-{index}-{n}"
            self.add(t, "tool_execution_updated", {"phase": "started", "call_id": call})
            self.add(t + 0.1, *tool(name, changed, output, call))
            t += 0.1
        if step.handoff is not None:
            item: Json = {
                "type": "agent_handoff",
                "old_agent_id": "receptionist",
                "new_agent_id": step.handoff,
            }
            self.add(t, "conversation_item_added", {"item": item})
        reply = build.wording.get(step.reply, step.reply)
        self.speak(t + build.tts, reply, step.reply_lasts, build.llm)


def result(
    call: str,
    steps: Sequence[Step],
    candidate: Agent | CallFailure = V1,
    *,
    baseline: Agent | None = V1,
    truth: Labels | None = None,
    versions: Mapping[str, int] | None = None,
) -> CallResult:
    """A call replayed into ``candidate``, with the accepted replay into ``baseline``."""
    accepted = None
    if baseline is not None:
        played = play(steps, baseline, recording=call)
        accepted = Baseline(played, metric_versions() if versions is None else versions)
    return CallResult(
        call=call,
        recording_digest=call,
        labels=truth,
        baseline=accepted,
        candidate=(
            candidate
            if isinstance(candidate, CallFailure)
            else play(steps, candidate, recording=call)
        ),
    )


def without(source: Bundle, *kinds: str) -> Bundle:
    """The same session, none of these events captured."""
    return replace(source, events=tuple(e for e in source.events if e.kind not in kinds))


def without_confidence(source: Bundle) -> Bundle:
    """The same session, of a recogniser that does not say how sure it is."""

    def unsure(event: Event) -> Event:
        item = event.data.get("item")
        if not isinstance(item, dict) or "transcript_confidence" not in item:
            return event
        return replace(event, data={**event.data, "item": {**item, "transcript_confidence": None}})

    return replace(source, events=tuple(map(unsure, source.events)))
