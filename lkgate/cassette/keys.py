"""What makes two exchanges the same. The one place where requests are normalised and keyed.

A request is plain JSON, made by one of the four functions below from what LiveKit was asked. Its
key is a digest over its canonical text, so what is left out here does not matter for a match:

- **LLM** ``{"model", "items", "tools", "tool_choice"}``. An item is one of

  - ``{"role", "text"}``: a message; instructions are one of role ``system``; white space is
    collapsed; an empty message is left out; images and audio are ``[image <digest>]`` and
    ``[audio <transcript>]`` in the text;
  - ``{"role", "interrupted": true}``: an assistant message that the caller cut short. Its text is
    left out: where exactly it was cut is a matter of milliseconds;
  - ``{"call", "tool", "arguments"}`` and ``{"result", "tool", "output", "error"}``: calls are
    numbered from 1 in order of appearance, arguments are JSON values if they parse;

  Ids, times, metrics, confidences, provider extras, handoffs and configuration items are left out:
  the provider never sees them, or they change from run to run. So are sampling parameters
  (temperature, ...), which no LiveKit class has in common.
- **TTS** ``{"model", "voice", "text"}``: ``voice`` holds those options that a listener would hear
  (see :data:`VOICE_OPTIONS`), white space in ``text`` is collapsed.
- **STT** ``{"model", "language"}``: audio is not compared. What was heard belongs to the caller's
  utterances, see :mod:`lkgate.cassette.schedule`.
- **tool** ``{"tool", "arguments"}``.

``model`` is ``provider/model`` as LiveKit's metrics name them, or the class's name where the class
does not say; module names are left out, so that moving a class to another file is no change.

The n-th request with one key gets the n-th recorded answer, later ones the last (see
:func:`lkgate.cassette.store.pick`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from lkgate.bundle.canonical import compact, sha256
from lkgate.model.event import Json
from lkgate.model.turn import Modality

Request = dict[str, Json]
KEY_DIGITS = 32

VOICE_OPTIONS = (
    "voice",
    "voice_id",
    "voice_settings",
    "language",
    "speed",
    "speaking_rate",
    "pitch",
    "volume",
    "style",
    "emotion",
    "instructions",
    "speaker",
    "sample_rate",
)
"""Fields of a TTS, or of its options, that change what is heard. Never a credential or a URL."""


def key_of(modality: Modality, request: Mapping[str, Json]) -> str:
    """The digest that a normalised request is found by."""
    return sha256(f"{modality}\n{compact(request)}".encode())[:KEY_DIGITS]


def model_label(provider: str, model: str, class_name: str) -> str:
    """``provider/model``; LiveKit says ``unknown`` for what a class does not tell."""
    known = [part for part in (provider, model) if part and part != "unknown"]
    if not model or model == "unknown":
        known.append(class_name)
    return "/".join(known)


def llm_request(
    *,
    model: str,
    items: Iterable[Mapping[str, Json]],
    tools: Sequence[Json],
    tool_choice: Json,
) -> Request:
    """A request to a language model.

    Args:
        model: from :func:`model_label`.
        items: of the chat context, as LiveKit names their fields (``type``, ``role``,
            ``content``, ``interrupted``, ``call_id``, ``name``, ``arguments``, ``output``,
            ``is_error``); content is a list of texts and of ``{"image": digest}`` and
            ``{"audio": transcript}``.
        tools: their schemas.
        tool_choice: ``None`` is ``auto``.
    """
    numbers: dict[str, int] = {}
    normal = [made for item in items if (made := _item(item, numbers)) is not None]
    return {
        "model": model,
        "items": list(normal),
        "tools": sorted(tools, key=compact),
        "tool_choice": "auto" if tool_choice is None else tool_choice,
    }


def tts_request(*, model: str, voice: Mapping[str, Json], text: str) -> Request:
    """A request to speak ``text``."""
    return {"model": model, "voice": dict(voice), "text": words(text)}


def stt_request(*, model: str, language: str | None) -> Request:
    """A request to listen."""
    return {"model": model, "language": language}


def tool_request(*, tool: str, arguments: Json) -> Request:
    """A call of a function tool; ``arguments`` may be JSON text."""
    return {"tool": tool, "arguments": _arguments(arguments)}


def words(text: str) -> str:
    """``text`` with its white space collapsed."""
    return " ".join(text.split())


def lines(modality: Modality, request: Mapping[str, Json]) -> list[str]:
    """A request as text, one line a thing that can differ: for a person, and to compare."""
    if modality == "llm":
        if "conversation" in request:
            return [_item_line(item) for item in _objects(request["conversation"])]
        return _llm_lines(request)
    if modality == "tool":
        arguments = request["arguments"]
        if not isinstance(arguments, dict):
            return [f"tool {request['tool']}", compact(arguments)]
        given = [f"{name}: {compact(value)}" for name, value in sorted(arguments.items())]
        return [f"tool {request['tool']}", *given]
    head = [f"model {request['model']}"] if "model" in request else []
    if modality == "stt":
        return [*head, f"language {request.get('language') or 'any'}"]
    if "voice" in request:
        head.append(f"voice {compact(request['voice'])}")
    return [*head, f"text {request['text']}"]


def _item(item: Mapping[str, Json], numbers: dict[str, int]) -> Json:
    kind = item.get("type")
    if kind == "message":
        role = item["role"]
        if item.get("interrupted") and role == "assistant":
            return {"role": role, "interrupted": True}
        text = words(" ".join(_content(part) for part in _list(item.get("content"))))
        return {"role": role, "text": text} if text else None
    if kind not in ("function_call", "function_call_output"):
        return None
    number = numbers.setdefault(str(item["call_id"]), len(numbers) + 1)
    if kind == "function_call":
        return {"call": number, "tool": item["name"], "arguments": _arguments(item["arguments"])}
    return {
        "result": number,
        "tool": item.get("name") or "",
        "output": words(str(item["output"])),
        "error": bool(item.get("is_error")),
    }


def _content(part: Json) -> str:
    if not isinstance(part, dict):
        return str(part)
    kind: Literal["image", "audio"] = "image" if "image" in part else "audio"
    return f"[{kind} {part.get(kind) or ''}]"


def _arguments(arguments: Json) -> Json:
    if not isinstance(arguments, str):
        return {} if arguments is None else arguments
    try:
        value: Json = json.loads(arguments or "{}", parse_constant=str)
    except ValueError:
        return words(arguments)
    return value


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def _objects(value: Json) -> list[dict[str, Json]]:
    return [item for item in _list(value) if isinstance(item, dict)]


def _llm_lines(request: Mapping[str, Json]) -> list[str]:
    made = [f"model {request['model']}"]
    made += [_item_line(item) for item in _objects(request["items"])]
    for tool in _list(request["tools"]):
        name = tool.get("name") or tool.get("provider_tool") if isinstance(tool, dict) else None
        made.append(f"tool {name}: {compact(tool)}")
    made.append(f"tool choice {compact(request['tool_choice'])}")
    return made


def _item_line(item: Mapping[str, Json]) -> str:
    # The place in a conversation has names instead of numbers, and an agent without its words.
    if "call" in item:
        return f"call {item.get('tool', item['call'])}({compact(item['arguments'])})"
    if "result" in item:
        word = "error" if item["error"] else "result"
        return f"{word} of {item.get('tool', item['result'])}: {item['output']}"
    if "handoff" in item:
        return "handoff"
    if "text" not in item and not item.get("interrupted"):
        return f"{item['role']}: (spoke)"
    return f"{item['role']}: {'(cut short)' if item.get('interrupted') else item['text']}"
