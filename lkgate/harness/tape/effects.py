"""Noticing that a tool acts on the conversation itself, while it runs.

Such a call cannot be answered by a text: without ``session.say`` nobody speaks, without the
``AgentTask`` nobody asks. The recorder marks it, and a replay executes it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from livekit.agents import Agent, AgentSession, AgentTask, JobContext
from livekit.agents.voice import RunContext, SpeechHandle

_seen: ContextVar[list[str] | None] = ContextVar("lkgate_effects", default=None)

_ACTS: tuple[tuple[type, tuple[str, ...]], ...] = (
    (
        AgentSession,
        (
            "say",
            "generate_reply",
            "update_agent",
            "interrupt",
            "shutdown",
            "aclose",
            "update_options",
            "commit_user_turn",
            "clear_user_turn",
        ),
    ),
    (Agent, ("update_instructions", "update_tools", "update_chat_ctx")),
    (AgentTask, ("__await__",)),
    (RunContext, ("update", "disallow_interruptions", "wait_for_playout", "with_filler")),
    (SpeechHandle, ("interrupt", "wait_for_playout")),
    (JobContext, ("shutdown", "delete_room", "transfer_sip_participant", "add_sip_participant")),
)


@contextmanager
def watched() -> Iterator[list[str]]:
    """Within the block, and in the tasks begun in it, acts on the session go into the list."""
    seen: list[str] = []
    token = _seen.set(seen)
    try:
        yield seen
    finally:
        _seen.reset(token)


def install() -> None:
    """Watch LiveKit's methods; once a process. Methods that this version lacks are passed over."""
    for kind, names in _ACTS:
        for name in names:
            original = vars(kind).get(name)
            if callable(original):
                setattr(kind, name, _watching(original, f"{kind.__name__}.{name.strip('_')}"))


def _watching(original: Callable[..., Any], act: str) -> Callable[..., Any]:
    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        seen = _seen.get()
        if seen is not None:
            seen.append(act)
        return original(*args, **kwargs)

    return call
