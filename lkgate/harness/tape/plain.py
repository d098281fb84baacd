"""LiveKit's values as plain JSON, and back. Reads fields; decides nothing about keys."""

from __future__ import annotations

import base64
import dataclasses
import enum
from collections.abc import Mapping, Sequence
from typing import Any, cast

from livekit.agents import APIConnectionError, APIError, APIStatusError, APITimeoutError, llm
from livekit.agents.types import NotGiven
from livekit.agents.utils import is_given

from lkgate.bundle.canonical import sha256
from lkgate.cassette import keys
from lkgate.model.event import Json

_BYTES = "$bytes"
_schemas: dict[tuple[object, str, str | None], Json] = {}


def jsonable(value: object) -> Json:
    """Any value as JSON: bytes as base64, objects by their fields, the rest as text."""
    if value is None or isinstance(value, bool | int | str):
        return value.value if isinstance(value, enum.Enum) else value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if isinstance(value, bytes):
        return {_BYTES: base64.b64encode(value).decode()}
    if isinstance(value, enum.Enum):
        return jsonable(value.value)
    if isinstance(value, Mapping):
        given = {n: part for n, part in value.items() if not isinstance(part, NotGiven)}
        return {str(name): jsonable(part) for name, part in given.items()}
    if isinstance(value, list | tuple):
        return [jsonable(part) for part in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {n: jsonable(part) for n, part in fields.items() if not isinstance(part, NotGiven)}
    return str(value)


def is_exact(value: object) -> bool:
    """Whether JSON gives back the very same value."""
    if isinstance(value, dict):
        return type(value) is dict and all(
            type(name) is str and is_exact(part) for name, part in value.items()
        )
    if isinstance(value, list):
        return type(value) is list and all(is_exact(part) for part in value)
    if type(value) is float:
        return value == value and abs(value) != float("inf")
    return value is None or type(value) in (str, int, bool)


def from_json(value: Json) -> Any:
    """The inverse of :func:`jsonable`, as far as there is one."""
    if isinstance(value, list):
        return [from_json(part) for part in value]
    if isinstance(value, dict):
        data = value.get(_BYTES)
        if isinstance(data, str) and len(value) == 1:
            return base64.b64decode(data)
        return {name: from_json(part) for name, part in value.items()}
    return value


def chat_items(context: llm.ChatContext) -> list[dict[str, Json]]:
    """The items of a chat context, as :func:`lkgate.cassette.keys.llm_request` takes them."""
    made: list[dict[str, Json]] = []
    for item in context.items:
        if isinstance(item, llm.ChatMessage):
            made.append(
                {
                    "type": item.type,
                    "role": item.role,
                    "content": [part for c in item.content if (part := _content(c)) is not None],
                    "interrupted": item.interrupted,
                }
            )
        elif isinstance(item, llm.FunctionCall):
            made.append(
                {
                    "type": item.type,
                    "call_id": item.call_id,
                    "name": item.name,
                    "arguments": item.arguments,
                }
            )
        elif isinstance(item, llm.FunctionCallOutput):
            made.append(
                {
                    "type": item.type,
                    "call_id": item.call_id,
                    "name": item.name,
                    "output": item.output,
                    "is_error": item.is_error,
                }
            )
    return made


def tool_schemas(tools: Sequence[llm.Tool]) -> list[Json]:
    """What a model is told about its tools."""
    made: list[Json] = []
    for tool in tools:
        if isinstance(tool, llm.FunctionTool):
            # Making a schema takes a millisecond, and every request has all of them.
            kind = (tool._func, tool.info.name, tool.info.description)
            if kind not in _schemas:
                schema = llm.utils.build_legacy_openai_schema(tool, internally_tagged=True)
                _schemas[kind] = _schema(schema)
            made.append(_schemas[kind])
        elif isinstance(tool, llm.RawFunctionTool):
            made.append(_schema(tool.info.raw_schema))
        else:
            made.append({"provider_tool": tool.id})
    return made


def voice(model: object) -> dict[str, Json]:
    """Those options of a TTS that are heard, see :data:`lkgate.cassette.keys.VOICE_OPTIONS`."""
    found: dict[str, Json] = {}
    for holder in (model, getattr(model, "_opts", None), getattr(model, "_options", None)):
        for name in keys.VOICE_OPTIONS:
            value = getattr(holder, f"_{name}", None) or getattr(holder, name, None)
            if value is not None and not callable(value) and not isinstance(value, NotGiven):
                found[name] = _voice_value(value)
    return found


def chunk(value: llm.ChatChunk) -> Json:
    """A chunk of an LLM's answer; plain words of an assistant are just a text."""
    made = cast("dict[str, Json]", jsonable(value.model_dump(exclude_defaults=True)))
    made.pop("id", None)
    delta = made.get("delta")
    if set(made) == {"delta"} and isinstance(delta, dict) and set(delta) == {"role", "content"}:
        content = delta["content"]
        if delta["role"] == "assistant" and isinstance(content, str):
            return content
    return made


def chunk_from(value: Json, id: str) -> llm.ChatChunk:
    """The inverse of :func:`chunk`."""
    if isinstance(value, str):
        delta = llm.ChoiceDelta(role="assistant", content=value)
        return llm.ChatChunk(id=id, delta=delta)
    return llm.ChatChunk.model_validate({"id": id, **from_json(value)})


def error(value: BaseException) -> dict[str, Json]:
    """An error of a provider. Its body is left out: it may quote the request's headers."""
    made: dict[str, Json] = {"kind": type(value).__name__, "message": str(value)}
    if isinstance(value, APIError):
        made |= {"message": value.message, "retryable": value.retryable}
    if isinstance(value, APIStatusError):
        made["status_code"] = value.status_code
    return made


def error_from(value: Json) -> Exception:
    """The inverse of :func:`error`; what is no error of LiveKit's becomes a plain one."""
    assert isinstance(value, dict)  # written by error()
    message = str(value.get("message"))
    if "retryable" not in value:
        return RuntimeError(f"{value.get('kind')}: {message}")
    retryable = bool(value["retryable"])
    if "status_code" in value:
        status = value["status_code"]
        assert isinstance(status, int)
        return APIStatusError(message, status_code=status, retryable=retryable)
    if value.get("kind") == "APITimeoutError":
        return APITimeoutError(message, retryable=retryable)
    if value.get("kind") == "APIConnectionError":
        return APIConnectionError(message, retryable=retryable)
    return APIError(message, retryable=retryable)


def given(value: object) -> object:
    """``None`` for LiveKit's NOT_GIVEN."""
    return value if is_given(value) else None


def _content(part: llm.ChatContent) -> Json:
    if isinstance(part, str):
        return part
    if isinstance(part, llm.ImageContent):
        image = part.image
        data = image.encode() if isinstance(image, str) else bytes(image.data)
        return {"image": sha256(data)[:16]}
    if isinstance(part, llm.AudioContent):
        return {"audio": part.transcript}
    return None


def _schema(schema: Mapping[str, object]) -> dict[str, Json]:
    names = ("name", "description", "parameters")
    return {name: jsonable(schema[name]) for name in names if schema.get(name) is not None}


def _voice_value(value: object) -> Json:
    found = jsonable(value)
    if isinstance(found, dict) and isinstance(found.get("id"), str):
        return found["id"]  # ElevenLabs' Voice and its like: the rest is a display name
    return found


def seconds(value: object) -> float | None:
    """A time that LiveKit may not have been given."""
    return float(value) if isinstance(value, int | float) else None
