"""Requests as somebody outside of the agent's process would put them.

A derived answer (:mod:`lkgate.derive`) was never seen together with its request: no instructions,
no tools' schemas, no name of a model. So it is found by what both sides know:

- **LLM** ``{"conversation"}``: the place in the session's conversation that is to be answered, by
  all that was said and done before it:

  - ``{"role": "user", "text"}``: what the caller said since the last of the following; messages
    that nothing came between are one text, for where a turn was cut is a matter of milliseconds;
  - ``{"role": "assistant"}``: the agent said something. Not what: a build may reword its
    greeting, and a caller's interruption cuts words off;
  - ``{"call", "arguments"}`` and ``{"result", "output", "error"}``: tools, in a row of them first
    all calls and then all results that are not empty;
  - ``{"handoff": true}``: another agent took over. The calls right before it are left out, for
    the next agent's context has them or not, as the program likes.

- **TTS** ``{"text"}``, **STT** ``{}``: whatever model and voice.
- **tool**: as in :mod:`lkgate.cassette.keys`; nothing of it is hidden.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lkgate.cassette.keys import Request, tool_request, words
from lkgate.model.event import Json

SPOKE: Mapping[str, Json] = {"type": "message", "role": "assistant"}
"""An item of a conversation: the agent said something."""


def conversation(items: Iterable[Mapping[str, Json]]) -> Request:
    """The place after ``items``.

    Args:
        items: of the session's history in order, with the fields of
            :func:`lkgate.cassette.keys.llm_request`, and ``agent_handoff`` with ``old_agent_id``.
    """
    made: list[Json] = []
    calls: list[Json] = []
    results: list[Json] = []

    def flush() -> None:
        made.extend([*calls, *results])
        calls.clear()
        results.clear()

    names: dict[str, str] = {}
    for item in items:
        kind = item.get("type")
        if kind == "function_call":
            asked = tool_request(tool=str(item["name"]), arguments=item["arguments"])
            names[str(item["call_id"])] = str(item["name"])
            calls.append({"call": asked["tool"], "arguments": asked["arguments"]})
        elif kind == "function_call_output":
            output = words(str(item["output"] or ""))
            name = item.get("name") or names.get(str(item["call_id"]), "")
            if output:
                error = bool(item.get("is_error"))
                results.append({"result": name, "output": output, "error": error})
        elif kind == "agent_handoff":
            if item.get("old_agent_id") is not None:
                calls.clear()
                results.clear()
                made.append({"handoff": True})
        elif kind == "message" and item.get("role") == "user":
            text = words(_text(item))
            if text:
                flush()
                _hear(made, text)
        elif kind == "message" and item.get("role") == "assistant":
            flush()
            if not made or made[-1] != {"role": "assistant"}:
                made.append({"role": "assistant"})
    flush()
    return {"conversation": made}


def speech(text: str) -> Request:
    """A request to speak ``text`` in whatever voice."""
    return {"text": words(text)}


def hearing() -> Request:
    """A request to listen, of whatever recogniser."""
    return {}


def _hear(made: list[Json], text: str) -> None:
    last = made[-1] if made else None
    if isinstance(last, dict) and last.get("role") == "user":
        made[-1] = {"role": "user", "text": f"{last['text']} {text}"}
    else:
        made.append({"role": "user", "text": text})


def _text(item: Mapping[str, Json]) -> str:
    content = item.get("content", item.get("text"))
    parts = content if isinstance(content, list) else [content]
    return " ".join(part for part in parts if isinstance(part, str))
