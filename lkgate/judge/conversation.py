"""A session as a judge reads it: who said what, which tools were called, who took over. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from lkgate.bundle.canonical import compact
from lkgate.measure.action import handoffs, tool_calls
from lkgate.measure.message import messages_of
from lkgate.model.bundle import Bundle
from lkgate.model.event import Json
from lkgate.model.turn import TurnRole

_SIDES: tuple[TurnRole, ...] = ("caller", "agent")


@dataclass(frozen=True, slots=True)
class Said:
    """One side's words; ``interrupted`` if the agent was cut short."""

    role: TurnRole
    text: str
    interrupted: bool


@dataclass(frozen=True, slots=True)
class Called:
    """A tool call and what came back: JSON text, or the tool's own words."""

    tool: str
    arguments: str
    output: str
    is_error: bool


@dataclass(frozen=True, slots=True)
class Handed:
    """One agent gave the call to another; ``old`` is ``None`` for the first agent."""

    old: str | None
    new: str


Item = Said | Called | Handed
Conversation = tuple[Item, ...]


def conversation_of(bundle: Bundle) -> Conversation:
    """What happened in a session, in order of its report. Empty if nothing was said or done.

    Ids, times and confidences are left out: a judge is not shown them, and they change from run
    to run.
    """
    found: list[tuple[int, Item]] = []
    for role in _SIDES:
        for said in messages_of(bundle, role) or ():
            found.append((said.t_us, Said(role, said.text, said.interrupted is True)))
    for call in tool_calls(bundle):
        made = Called(call.name, compact(call.arguments), _words(call.output), call.is_error)
        found.append((call.t_us, made))
    for one in handoffs(bundle):
        if one.new_agent is not None:
            found.append((one.t_us, Handed(one.old_agent, one.new_agent)))
    return tuple(item for _, item in sorted(found, key=lambda each: each[0]))


def as_json(conversation: Conversation) -> list[Json]:
    """The conversation as plain JSON: what makes two of them the same."""
    return [_plain(item) for item in conversation]


def shifts(conversation: Conversation) -> bool:
    """Whether one agent took over from another."""
    return any(isinstance(item, Handed) and item.old is not None for item in conversation)


def _plain(item: Item) -> Json:
    if isinstance(item, Said):
        text = " ".join(item.text.split())
        return {"said": text, "by": item.role, "interrupted": item.interrupted}
    if isinstance(item, Called):
        return {
            "called": item.tool,
            "arguments": item.arguments,
            "output": item.output,
            "error": item.is_error,
        }
    return {"handed_to": item.new, "of": item.old}


def _words(value: Json) -> str:
    return value if isinstance(value, str) else compact(value)
