"""What differs between two turns that do the same job."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lkgate.measure.brief import QUOTE, brief
from lkgate.measure.compare import mismatches, show
from lkgate.measure.pairing import pair
from lkgate.measure.span import total_us
from lkgate.measure.words import TooLongError, similarity, words_of
from lkgate.model.bundle import Span
from lkgate.model.difference import Difference, DifferenceKind
from lkgate.model.event import Json
from lkgate.model.measurement import Layer
from lkgate.model.turn import ToolCall, Turn

# The same words spoken this much longer or shorter.
LENGTH_US = 500_000
LENGTH_RATIO = 0.2


def caller_differences(old: Turn, new: Turn) -> Iterator[Difference]:
    """Differences of what the caller did: same sound, so what was heard, and who gave way."""
    said, heard = words_of(old.text or ""), words_of(new.text or "")
    if said != heard and (old.text or new.text):
        yield _made(
            "transcript",
            "stt",
            old,
            new,
            old=old.text,
            new=new.text,
            detail=f"heard {_quote(new.text)}, was {_quote(old.text)}",
        )
    gave_way = {barge.outcome for barge in old.barge_ins}
    gives_way = {barge.outcome for barge in new.barge_ins}
    if "ignored" in gives_way and "ignored" not in gave_way and gave_way:
        yield _barge(
            "interruption_ignored", old, new, "the agent spoke on through a barge-in it yielded to"
        )
    elif "ignored" in gave_way and "yielded" in gives_way and "ignored" not in gives_way:
        yield _barge(
            "interruption_yielded", old, new, "the agent yielded to a barge-in it spoke on through"
        )
    elif old.barge_ins and not new.barge_ins:
        yield _barge("barge_in_missing", old, new, "the agent was no longer speaking")
    elif new.barge_ins and not old.barge_ins:
        yield _barge("barge_in_extra", old, new, "the agent was speaking already")


def agent_differences(old: Turn, new: Turn) -> Iterator[Difference]:
    """Differences of what the agent said and did."""
    yield from _tools(old, new)
    before = [handoff.new_agent for handoff in old.handoffs]
    after = [handoff.new_agent for handoff in new.handoffs]
    if before != after:
        to, was = ", ".join(map(str, after)) or "nobody", ", ".join(map(str, before)) or "nobody"
        yield _made(
            "handoff",
            "llm",
            old,
            new,
            old=list(before),
            new=list(after),
            semantic=True,
            detail=f"handed off to {to}, was {was}",
            t_us=new.handoffs[0].t_us if new.handoffs else None,
        )
    if old.text and new.text and words_of(old.text) != words_of(new.text):
        yield _made(
            "agent_text",
            "llm",
            old,
            new,
            old=old.text,
            new=new.text,
            detail=f"other words, {_alike(old.text, new.text)}",
        )
    elif old.text and new.text:
        yield from _length(old, new)


def unpaired(turn: Turn, *, missing: bool, t_us: int) -> Difference:
    """A turn without a counterpart. What the agent left out or added is another conversation."""
    who = "the agent's turn" if turn.role == "agent" else "the caller's turn"
    said = f" ({_quote(turn.text)})" if turn.text else ""
    return Difference(
        kind="turn_missing" if missing else "turn_extra",
        layer="turn_taking",
        semantic=True,
        t_us=t_us,
        baseline_turn=turn.index if missing else None,
        candidate_turn=None if missing else turn.index,
        baseline_span=turn.span if missing else None,
        candidate_span=None if missing else turn.span,
        tool=None,
        path=None,
        old=turn.text if missing else None,
        new=None if missing else turn.text,
        part=None,
        detail=f"{who}{said} {'is missing' if missing else 'is new'}",
    )


def unpaired_tools(turn: Turn, *, missing: bool, t_us: int) -> Iterator[Difference]:
    """Every tool of a turn without a counterpart: left out, or new, as the turn itself is."""
    what = "is no longer called" if missing else "was not called before"
    for call in turn.tools:
        yield replace(
            unpaired(turn, missing=missing, t_us=t_us if missing else call.t_us),
            kind="tool_missing" if missing else "tool_extra",
            layer="llm",
            tool=call.name,
            old=call.arguments if missing else None,
            new=None if missing else call.arguments,
            detail=f"{call.name} {what}",
        )


def _tools(old: Turn, new: Turn) -> Iterator[Difference]:
    found = pair([call.name for call in old.tools], [call.name for call in new.tools])
    for i in found.missing:
        call = old.tools[i]
        yield _tool("tool_missing", old, new, call.name, old.tools[i], None, "is no longer called")
    for j in found.extra:
        call = new.tools[j]
        yield _tool("tool_extra", old, new, call.name, None, call, "was not called before")
    for i, j in found.moved:
        call = new.tools[j]
        yield _tool(
            "tool_order", old, new, call.name, old.tools[i], call, "is called in another order"
        )
    for i, j in sorted((*found.matched, *found.moved)):
        yield from _same_tool(old, new, old.tools[i], new.tools[j])


def _same_tool(old: Turn, new: Turn, before: ToolCall, after: ToolCall) -> Iterator[Difference]:
    wrong = mismatches(before.arguments, after.arguments)
    for place in wrong:
        yield _made(
            "tool_argument",
            "llm",
            old,
            new,
            semantic=True,
            tool=after.name,
            path=place.path,
            old=place.old,
            new=place.new,
            detail=f"{after.name} {place}",
            t_us=after.t_us,
        )
    if not wrong and (before.output != after.output or before.is_error != after.is_error):
        yield _made(
            "tool_result",
            "tool",
            old,
            new,
            tool=after.name,
            old=before.output,
            new=after.output,
            detail=f"{after.name} gave {show(after.output)}, was {show(before.output)}",
            t_us=after.ended_us or after.t_us,
        )


def _length(old: Turn, new: Turn) -> Iterator[Difference]:
    before, after = total_us(old.spans), total_us(new.spans)
    if old.interrupted or new.interrupted or not before:
        return
    if abs(after - before) >= max(LENGTH_US, LENGTH_RATIO * before):
        yield _made(
            "speech_length",
            "tts",
            old,
            new,
            old=before,
            new=after,
            detail=f"the same words last {after / 1e6:.1f} s, were {before / 1e6:.1f} s",
        )


def _barge(kind: DifferenceKind, old: Turn, new: Turn, detail: str) -> Difference:
    span = new.barge_ins[0].span if new.barge_ins else new.span
    return _made(kind, "turn_taking", old, new, detail=detail, t_us=span.start_us, span=span)


def _tool(
    kind: DifferenceKind,
    old: Turn,
    new: Turn,
    name: str,
    before: ToolCall | None,
    after: ToolCall | None,
    what: str,
) -> Difference:
    return _made(
        kind,
        "llm",
        old,
        new,
        semantic=True,
        tool=name,
        old=None if before is None else before.arguments,
        new=None if after is None else after.arguments,
        detail=f"{name} {what}",
        t_us=None if after is None else after.t_us,
    )


def _made(
    kind: DifferenceKind,
    layer: Layer,
    old_turn: Turn,
    new_turn: Turn,
    *,
    detail: str,
    old: Json = None,
    new: Json = None,
    semantic: bool = False,
    tool: str | None = None,
    path: str | None = None,
    t_us: int | None = None,
    span: Span | None = None,
) -> Difference:
    return Difference(
        kind=kind,
        layer=layer,
        semantic=semantic,
        t_us=new_turn.span.start_us if t_us is None else t_us,
        baseline_turn=old_turn.index,
        candidate_turn=new_turn.index,
        baseline_span=old_turn.span,
        candidate_span=new_turn.span if span is None else span,
        tool=tool,
        path=path,
        old=old,
        new=new,
        part=None,
        detail=detail,
    )


def _alike(old: str, new: str) -> str:
    try:
        return f"{similarity(words_of(old), words_of(new)):.0%} the same"
    except TooLongError:
        return "too many to say how many are the same"


def _quote(text: str | None) -> str:
    return "nothing" if text is None else f'"{brief(text, QUOTE)}"'
