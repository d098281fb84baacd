"""What tools returned. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from lkgate.cassette.keys import tool_request
from lkgate.derive.answer import Answer
from lkgate.derive.talk import Called, Talk
from lkgate.model.event import Json

# As the harness names it: such a call is executed, or the conversation could not go on.
_RETURNS_AGENT = "returns an agent"


def answers(talk: Talk) -> Iterator[Answer]:
    """An answer a call. What a tool did to the session besides is not seen from outside."""
    for item in talk.items:
        if not isinstance(item, Called):
            continue
        response: dict[str, Json]
        if item.hands_over:
            response = {"ending": "done", "run": _RETURNS_AGENT}
        elif item.is_error:
            error: dict[str, Json] = {"kind": "ToolError", "message": item.output or ""}
            response = {"ending": "error", "error": error}
        else:
            response = {"ending": "done", "value": item.output}
        took: dict[str, Json] = {"took_us": item.ended_us - item.at_us}
        request = tool_request(tool=item.name, arguments=item.arguments)
        yield Answer("tool", item.at_us, request, response | took)
