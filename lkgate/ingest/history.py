"""Events made from a report's conversation, for a report that came without its events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lkgate.bundle.fields import Fields
from lkgate.model.event import Json

Made = tuple[int, str, dict[str, Json]]


def history_events(items: Sequence[Fields]) -> Iterator[Made]:
    """``(unix_us, kind, data)`` of each item of ``chat_history``, as the report's events would be.

    A message is reported when it was said to its end, a tool when it gave its output.
    """
    calls: dict[str, dict[str, Json]] = {}
    for item in items:
        kind = item.text("type")
        created = item.number("created_at")
        if kind == "function_call":
            calls[item.text("call_id")] = item.all()
        elif kind == "function_call_output":
            call = calls.pop(item.text("call_id"), None)
            made: list[Json] = [] if call is None else [call]
            data: dict[str, Json] = {
                "function_calls": made,
                "function_call_outputs": [item.all()],
            }
            yield round(created * 1e6), "function_tools_executed", data
        else:
            if kind == "message" and item.has("metrics"):
                created = item.fields("metrics").number_or_none("stopped_speaking_at") or created
            yield round(created * 1e6), "conversation_item_added", {"item": item.all()}
