"""Where in the session's conversation a model is asked.

A program may cut, copy or forget what an agent remembers; the session's own history is what an
outsider saw of the call. So a request is placed by that, and its own items only have to show that
it is about the end of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from livekit.agents import AgentSession, get_job_context, llm

from lkgate.cassette import outside
from lkgate.cassette.keys import Request
from lkgate.harness.tape import plain
from lkgate.model.event import Json


def session_here() -> AgentSession[Any] | None:
    """The session of this process' job, ``None`` if there is none yet."""
    context = get_job_context(required=False)
    return None if context is None else context._primary_agent_session


def place_of(stream: llm.LLMStream, session: AgentSession[Any] | None) -> Request | None:
    """The place that a request asks for an answer at.

    ``None`` if it is about something else than the end of the conversation: its last message is
    neither the caller's next one nor part of what was said and done since the caller's last.
    """
    asked = [item for item in stream.chat_ctx.items if _matters(item)]
    history = list(session.history.items) if session is not None else []
    known = {item.id: place for place, item in enumerate(history)}
    last = max((item.created_at for item in history), default=0.0)
    next_turn = [
        item
        for item in asked
        if item.id not in known
        and isinstance(item, llm.ChatMessage)
        and item.role == "user"
        and item.created_at >= last
    ]
    if not next_turn and not _at_the_end(asked, history, known):
        return None
    items = [_plain(item) for item in history]
    if session is not None and session.agent_state == "speaking":
        # What is being said comes into the history when it has been said.
        items.append(outside.SPOKE)
    return outside.conversation([*items, *(_plain(item) for item in next_turn)])


def _at_the_end(
    asked: Sequence[llm.ChatItem], history: Sequence[llm.ChatItem], known: Mapping[str, int]
) -> bool:
    since = max(
        (place for place, item in enumerate(history) if _begins(item)),
        default=-1,
    )
    if since < 0 or history[since].type == "agent_handoff":
        return True  # an agent that opens the conversation, with whatever it was given to know
    places = [known[item.id] for item in asked if item.id in known]
    return bool(places) and places[-1] >= since


def _begins(item: llm.ChatItem) -> bool:
    return item.type == "agent_handoff" or (
        isinstance(item, llm.ChatMessage) and item.role == "user"
    )


def _matters(item: llm.ChatItem) -> bool:
    if isinstance(item, llm.ChatMessage):
        return item.role in ("user", "assistant")
    return isinstance(item, llm.FunctionCall | llm.FunctionCallOutput)


def _plain(item: llm.ChatItem) -> Mapping[str, Json]:
    if isinstance(item, llm.AgentHandoff):
        return {"type": item.type, "old_agent_id": item.old_agent_id}
    found = plain.chat_items(llm.ChatContext([item]))
    return found[0] if found else {"type": item.type}
