"""Tool calls and handoffs, from the session's events."""

from __future__ import annotations

from dataclasses import replace

from lkgate.measure import field
from lkgate.model.bundle import Bundle
from lkgate.model.event import Event
from lkgate.model.turn import Handoff, ToolCall

_FAILED = ("error", "failed", "cancelled")


def tool_calls(bundle: Bundle) -> tuple[ToolCall, ...]:
    """Every tool call, by the time it started.

    ``tool_execution_updated`` tells when a call started and ended, ``function_tools_executed``
    what it was and gave; either alone is enough. One call is one ``call_id``. A call that no
    event names has the name ``""``, which equals no tool's.
    """
    calls: dict[str, ToolCall] = {}
    for event in bundle.of_kind("tool_execution_updated"):
        _progress(calls, event)
    for event in bundle.of_kind("function_tools_executed"):
        for position, data in enumerate(field.mappings(event.data, "calls")):
            key = field.text(data, "call_id") or f"seq {event.seq}.{position}"
            seen = calls.get(key)
            calls[key] = ToolCall(
                call_id=field.text(data, "call_id"),
                name=field.text(data, "name") or (seen.name if seen else ""),
                arguments=field.parsed(data.get("arguments")),
                output=field.parsed(data.get("output")),
                is_error=data.get("is_error") is True or (seen is not None and seen.is_error),
                t_us=seen.t_us if seen else event.t_us,
                ended_us=(seen.ended_us if seen else None) or event.t_us,
                timed=seen is not None and seen.timed,
            )
    return tuple(sorted(calls.values(), key=lambda call: call.t_us))


def _progress(calls: dict[str, ToolCall], event: Event) -> None:
    data = event.data
    key = field.text(data, "call_id")
    # "reply" speaks about the answer that follows, not about a call.
    if key is None or data.get("phase") not in ("started", "updated", "ended"):
        return
    call = calls.get(key) or ToolCall(
        call_id=key,
        name="",
        arguments=None,
        output=None,
        is_error=False,
        t_us=event.t_us,
        ended_us=None,
    )
    if data.get("phase") == "started":
        call = replace(call, timed=True)
    if name := field.text(data, "name"):
        call = replace(call, name=name)
    if data.get("arguments") is not None:
        call = replace(call, arguments=field.parsed(data["arguments"]))
    if data.get("phase") == "ended":
        failed = (field.text(data, "status") or "").lower() in _FAILED
        call = replace(
            call,
            ended_us=event.t_us,
            is_error=failed,
            output=field.parsed(data.get("output")),
        )
    calls[key] = call


def handoffs(bundle: Bundle) -> tuple[Handoff, ...]:
    """Every handoff in order. The first agent's arrival is not one."""
    found = []
    for event in bundle.of_kind("conversation_item_added"):
        item = field.mapping(event.data, "item")
        if item.get("type") != "agent_handoff":
            continue
        old = field.text(item, "old_agent_id")
        if old is not None:
            found.append(Handoff(old, field.text(item, "new_agent_id"), event.t_us))
    return tuple(found)
