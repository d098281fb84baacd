"""What LiveKit's objects ask for, as normalised requests."""

from __future__ import annotations

from typing import Any

from livekit.agents import llm, stt, tts

from lkgate.cassette import keys
from lkgate.cassette.keys import Request
from lkgate.harness.tape import plain
from lkgate.model.event import Json

TOOL_CHOICE = "_lkgate_tool_choice"
"""Attribute of an LLM stream: the tool choice of its request, which LiveKit does not keep."""


def of_llm(stream: llm.LLMStream) -> Request:
    """The request of an LLM stream."""
    model = stream._llm
    return keys.llm_request(
        model=label(model),
        items=plain.chat_items(stream.chat_ctx),
        tools=plain.tool_schemas(stream.tools),
        tool_choice=_tool_choice(getattr(stream, TOOL_CHOICE, None)),
    )


def of_tts(model: tts.TTS[Any], text: str) -> Request:
    """The request to speak ``text``."""
    return keys.tts_request(model=label(model), voice=plain.voice(model), text=text)


def of_stt(model: stt.STT[Any], language: str | None) -> Request:
    """The request to listen."""
    return keys.stt_request(model=label(model), language=language)


def of_tool(name: str, arguments: dict[str, Any]) -> Request:
    """A call of a tool with the arguments that the model sent."""
    return keys.tool_request(tool=name, arguments=plain.jsonable(arguments))


def language_of(stream: stt.RecognizeStream) -> str | None:
    """The language that a recogniser's stream was told to expect, if its class says so."""
    return _language(stream) or language_of_model(stream._stt)


def language_of_model(model: stt.STT[Any]) -> str | None:
    """The language that a recogniser was made for, if its class says so."""
    return _language(model)


def label(model: llm.LLM[Any] | tts.TTS[Any] | stt.STT[Any]) -> str:
    """See :func:`lkgate.cassette.keys.model_label`."""
    return keys.model_label(model.provider, model.model, type(model).__name__)


def _language(holder: object) -> str | None:
    for place in (holder, _options(holder)):
        for name in ("_language", "language"):
            value = plain.given(getattr(place, name, None))
            if isinstance(value, str) and value:
                return str(value)
    return None


def _options(model: object) -> object:
    return getattr(model, "_opts", None) or getattr(model, "_options", None)


def _tool_choice(choice: object) -> Json:
    found = plain.jsonable(plain.given(choice))
    if isinstance(found, dict) and isinstance(found.get("function"), dict):
        return found["function"]
    return found
