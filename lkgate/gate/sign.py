"""What changed in a call against its baseline, each change in the layer that it lies in. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from lkgate.measure.compare import mismatches
from lkgate.model.blame import FaultLayer
from lkgate.model.difference import Difference, TurnPair
from lkgate.model.turn import ToolCall
from lkgate.model.verdict import JudgedCall

# The order in which a voice agent's layers act: of two changes at one moment, what acts first.
ORDER: tuple[FaultLayer, ...] = (
    "dispatch",
    "media",
    "stt",
    "turn_taking",
    "tool_schema",
    "llm",
    "tool",
    "handoff",
    "tts",
)
_UNKNOWN_TOOL = "unknown function"
# Events that are a change of their layer when the candidate has more of them.
_COUNTED: tuple[tuple[str, FaultLayer], ...] = (
    ("job_faults", "dispatch"),
    ("media_gaps", "media"),
    ("endpointing_false_stops", "turn_taking"),
    ("split_turns", "turn_taking"),
    ("agent_cut_ins", "turn_taking"),
    ("false_interruptions_not_resumed", "turn_taking"),
)

SignKind = Literal["conversation", "pace"]


@dataclass(frozen=True, slots=True)
class Sign:
    """One change.

    Attributes:
        t_us: candidate session time at which it could be known.
        kind: ``conversation``: of what was heard, said or done; ``pace``: of how long it took.
        turn: of the candidate, ``None`` where there is none.
        detail: in words.
    """

    t_us: int
    layer: FaultLayer
    kind: SignKind
    turn: int | None
    detail: str


def signs(call: JudgedCall) -> tuple[Sign, ...]:
    """Every change of a call that can be the reason for another one, in the order of time.

    Other words of the agent around the same acts are left out: they are no reason for anything
    that a rule finds. So are latencies, whose parts tell more than their order does.
    """
    found = [*_counted(call), *_failed_tools(call)]
    if call.difference is not None:
        for pair in call.difference.pairs:
            found += _of(pair)
    return tuple(sorted(found, key=lambda one: (one.t_us, ORDER.index(one.layer))))


def _of(pair: TurnPair) -> Iterator[Sign]:
    yield from _taken_apart(pair)
    rest = list(pair.differences)
    for gone, new in _renamed(rest):
        rest.remove(gone)
        rest.remove(new)
        yield _sign(
            new, "tool_schema", f"{gone.tool} is called {new.tool}, with the same arguments"
        )
    for one in rest:
        layer = _layer(one)
        if layer is not None:
            yield _sign(one, layer, one.detail)


def _taken_apart(pair: TurnPair) -> Iterator[Sign]:
    """What the caller said in one turn, taken for several by the session."""
    old, new = pair.baseline, pair.candidate
    if old is None or new is None or new.role != "caller" or not old.messages:
        return
    if len(new.messages) > len(old.messages):
        first = new.messages[0]
        detail = f'the caller\'s turn was over after "{first.text}", and was not before'
        yield Sign(first.t_us, "turn_taking", "conversation", new.index, detail)


def _renamed(found: Sequence[Difference]) -> list[tuple[Difference, Difference]]:
    """A tool that is gone and one that is new, asked for the very same thing."""
    gone = [one for one in found if one.kind == "tool_missing"]
    made: list[tuple[Difference, Difference]] = []
    for new in (one for one in found if one.kind == "tool_extra"):
        old = next((one for one in gone if one.old and not mismatches(one.old, new.new)), None)
        if old is not None:
            gone.remove(old)
            made.append((old, new))
    return made


def _layer(one: Difference) -> FaultLayer | None:
    if one.kind in ("agent_text", "latency"):
        return None
    if one.kind == "handoff":
        return "handoff"
    if one.kind == "tool_argument" and (one.old is None) != (one.new is None):
        # The model fills in what the schema asks for: an argument came, or went.
        return "tool_schema"
    return one.layer


def _sign(one: Difference, layer: FaultLayer, detail: str) -> Sign:
    t_us = one.t_us
    if one.kind == "transcript" and one.candidate_span is not None:
        # Words are known when they were said, and a turn may have been cut before that.
        t_us = one.candidate_span.end_us
    kind: SignKind = "pace" if one.kind == "speech_length" else "conversation"
    return Sign(t_us, layer, kind, one.candidate_turn, detail)


def _counted(call: JudgedCall) -> Iterator[Sign]:
    for name, layer in _COUNTED:
        now, was = call.measurements.get(name), call.baseline_measurements.get(name)
        if now is None or was is None:
            continue
        before = sum(one.value or 0.0 for one in was.samples)
        more = [one for one in now.samples if one.value]
        if sum(one.value or 0.0 for one in more) > before:
            for one in more:
                detail = one.note or name.replace("_", " ")
                yield Sign(one.span.start_us, layer, "conversation", one.turn, detail)


def _failed_tools(call: JudgedCall) -> Iterator[Sign]:
    failed_before = {tool.name for turn in call.baseline_turns for tool in _failed(turn.tools)}
    if not call.baseline_turns:
        return
    for turn in call.turns:
        for tool in _failed(turn.tools):
            if tool.name in failed_before:
                continue
            unknown = _UNKNOWN_TOOL in str(tool.output).lower()
            layer: FaultLayer = "tool_schema" if unknown else "tool"
            detail = f"the program has no tool {tool.name}" if unknown else f"{tool.name} failed"
            yield Sign(tool.ended_us or tool.t_us, layer, "conversation", turn.index, detail)


def _failed(tools: Sequence[ToolCall]) -> list[ToolCall]:
    return [tool for tool in tools if tool.is_error]
