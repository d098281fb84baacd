"""What a tool does to the conversation while it runs, besides returning something.

A tool that is answered from the cassette does nothing by itself, so what it did to the session is
done again, at the same moment of its run: ``session.say``, ``context.wait_for_playout``, ... What
cannot be written down (an ``AgentTask`` that asks the caller, another agent, a shutdown) is named
instead; such a call is executed in a replay.

An act is ``{"act", "at_us", "with"}``, its time counted from the tool's beginning; one that was
waited for has ``waited_us``; waiting for the speech of an earlier act names its place in ``of``.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, cast

from livekit.agents import Agent, AgentSession, AgentTask, JobContext
from livekit.agents.types import NotGiven
from livekit.agents.voice import RunContext, SpeechHandle

from lkgate.harness.tape import plain
from lkgate.harness.tape.answers import Answers, Now
from lkgate.model.event import Json

_AGAIN: tuple[tuple[type, tuple[str, ...]], ...] = (
    (AgentSession, ("say", "generate_reply", "interrupt")),
    (RunContext, ("update", "disallow_interruptions", "wait_for_playout")),
)
_PLAYOUT = "SpeechHandle.wait_for_playout"
_BEYOND: tuple[tuple[type, tuple[str, ...]], ...] = (
    (AgentSession, ("update_agent", "shutdown", "aclose", "update_options")),
    (AgentSession, ("commit_user_turn", "clear_user_turn")),
    (Agent, ("update_instructions", "update_tools", "update_chat_ctx")),
    (AgentTask, ("__await__", "complete")),
    (RunContext, ("with_filler", "foreground")),
    (SpeechHandle, ("interrupt",)),
    (JobContext, ("shutdown", "delete_room", "transfer_sip_participant", "add_sip_participant")),
)


@dataclass(slots=True)
class Acts:
    """What was seen of a tool's run.

    Attributes:
        done: acts that can be done again, in order.
        beyond: the others, named.
    """

    now_us: Now
    began_us: int
    done: list[Json] = field(default_factory=list)
    beyond: list[str] = field(default_factory=list)
    speeches: list[tuple[object, int]] = field(default_factory=list)

    def add(self, act: str, arguments: dict[str, Json]) -> dict[str, Json]:
        """Note an act that begins now."""
        made: dict[str, Json] = {
            "act": act,
            "at_us": self.now_us() - self.began_us,
            "with": arguments,
        }
        self.done.append(made)
        return made


_seen: ContextVar[Acts | None] = ContextVar("lkgate_acts", default=None)


@contextmanager
def watched(now_us: Now) -> Iterator[Acts]:
    """Within the block, and in tasks begun in it, acts are noted."""
    acts = Acts(now_us, now_us())
    token = _seen.set(acts)
    try:
        yield acts
    finally:
        _seen.reset(token)


def install() -> None:
    """Watch LiveKit's methods; once a process. Methods that this version lacks are passed over."""
    for kind, names in (*_AGAIN, (SpeechHandle, ("wait_for_playout",))):
        for name in names:
            original = vars(kind).get(name)
            if callable(original):
                watch = _waiting if inspect.iscoroutinefunction(original) else _acting
                setattr(kind, name, watch(original, f"{kind.__name__}.{name}"))
    for kind, names in _BEYOND:
        for name in names:
            original = vars(kind).get(name)
            if callable(original):
                setattr(kind, name, _naming(original, f"{kind.__name__}.{name.strip('_')}"))


async def again(done: Sequence[Json], context: RunContext[Any], answers: Answers) -> int:
    """Do recorded acts again; returns by how much waiting took longer than it did."""
    began_us, longer_us = answers.now_us(), 0
    made: list[Any] = []
    for act in cast("Sequence[dict[str, Any]]", done):
        await answers.until(began_us + act["at_us"] + longer_us)
        kind, name = act["act"].split(".")
        holder: Any = context
        if kind == "AgentSession":
            holder = context.session
        elif kind == "SpeechHandle":
            holder = made[act["of"]]
        at_us = answers.now_us()
        result = getattr(holder, name)(**act["with"])
        if "waited_us" in act:
            result = await result
            longer_us += answers.now_us() - at_us - act["waited_us"]
        made.append(result)
    return longer_us


def _acting(original: Callable[..., Any], act: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        acts = _seen.get()
        if acts is None:
            return original(self, *args, **kwargs)
        arguments = _arguments(original, self, args, kwargs)
        if arguments is None:
            acts.beyond.append(act)
        else:
            acts.add(act, arguments)
        # LiveKit's own calls in there are part of this one.
        token = _seen.set(None)
        try:
            result = original(self, *args, **kwargs)
        finally:
            _seen.reset(token)
        acts.speeches.append((result, len(acts.done) - 1))
        return result

    return call


def _waiting(original: Callable[..., Any], act: str) -> Callable[..., Any]:
    @functools.wraps(original)
    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        acts = _seen.get()
        if acts is None:
            return await original(self, *args, **kwargs)
        arguments = _arguments(original, self, args, kwargs)
        of = next((place for speech, place in acts.speeches if speech is self), None)
        noted: dict[str, Json] = {}
        if arguments is None or (act == _PLAYOUT and of is None):
            acts.beyond.append(act)
        else:
            noted = acts.add(act, arguments)
            if act == _PLAYOUT:
                noted["of"] = of
        at_us = acts.now_us()
        token = _seen.set(None)
        try:
            return await original(self, *args, **kwargs)
        finally:
            noted["waited_us"] = acts.now_us() - at_us
            _seen.reset(token)

    return call


def _naming(original: Callable[..., Any], act: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        acts = _seen.get()
        if acts is not None:
            acts.beyond.append(act)
        return original(*args, **kwargs)

    return call


def _arguments(
    original: Callable[..., Any], self: object, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> dict[str, Json] | None:
    """The arguments by name, ``None`` if one of them is no plain value."""
    try:
        bound = inspect.signature(original).bind(self, *args, **kwargs)
    except TypeError:
        return None  # the call itself will say what is wrong with them
    given = {n: v for n, v in list(bound.arguments.items())[1:] if not isinstance(v, NotGiven)}
    return given if plain.is_exact(given) else None
