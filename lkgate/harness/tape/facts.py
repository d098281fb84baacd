"""What a live worker says about itself, beside its exchanges: registration, session, versions."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
from collections.abc import Callable
from typing import Any

from livekit.agents import AgentServer, AgentSession

from lkgate.cassette import Part
from lkgate.harness.tape import plain
from lkgate.model.event import Json

_DETECTOR_FIELDS = ("model", "provider")

_part: Part | None = None


def install(part: Part) -> None:
    """Write a ``worker`` line at registration and a ``session`` line once a session has begun."""
    global _part
    if _part is None:
        _after(AgentServer, "_handle_register", _worker)
        _after_async(AgentSession, "start", _session)
    _part = part


def session_facts(session: AgentSession[Any]) -> dict[str, Json]:
    """Models, voice activity and turn detection of a session, and their thresholds."""
    detection = session.turn_detection
    return {
        "stt": _model(session.stt),
        "llm": _model(session.llm),
        "tts": _model(session.tts),
        "vad": _vad(session.vad),
        "turn_detection": detection if isinstance(detection, str) else _detector(detection),
        "endpointing": plain.jsonable(dict(session.options.endpointing)),
        "interruption": plain.jsonable(dict(session.options.interruption)),
        "preemptive_generation": plain.jsonable(dict(session.options.preemptive_generation)),
        "versions": versions(),
    }


def versions() -> dict[str, Json]:
    """Of Python and of every livekit package."""
    found: dict[str, Json] = {"python": platform.python_version()}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"] or ""
        if name.startswith("livekit"):
            found[name] = distribution.version
    return dict(sorted(found.items()))


def _worker(server: AgentServer, *_: object) -> None:
    assert _part is not None  # installed
    _part.write("worker", {"agent_name": server._agent_name, "id": server.id})


def _session(session: AgentSession[Any], *_: object, **__: object) -> None:
    assert _part is not None  # installed
    _part.write("session", session_facts(session))


def _model(model: Any) -> Json:
    if model is None:
        return None
    return {
        "class": type(model).__name__,
        "model": str(getattr(model, "model", "unknown")),
        "provider": str(getattr(model, "provider", "unknown")),
    }


def _vad(vad: Any) -> Json:
    if vad is None:
        return None
    options = plain.jsonable(getattr(vad, "_opts", None))
    return {**_named(vad), "options": options}


def _detector(detector: Any) -> Json:
    if detector is None:
        return None
    thresholds = getattr(getattr(detector, "_opts", None), "thresholds", None)
    set_to = {name: getattr(thresholds, f"_{name}", None) for name in ("overrides", "default")}
    return {**_named(detector), "thresholds": plain.jsonable(set_to)}


def _named(value: Any) -> dict[str, Json]:
    made: dict[str, Json] = {"class": f"{type(value).__module__}.{type(value).__name__}"}
    for name in _DETECTOR_FIELDS:
        found = getattr(value, name, None)
        if isinstance(found, str):
            made[name] = found
    return made


def _after(kind: type, name: str, then: Callable[..., None]) -> None:
    original = vars(kind)[name]

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        then(*args, **kwargs)
        return result

    setattr(kind, name, call)


def _after_async(kind: type, name: str, then: Callable[..., None]) -> None:
    original = vars(kind)[name]

    @functools.wraps(original)
    async def call(*args: Any, **kwargs: Any) -> Any:
        result = await original(*args, **kwargs)
        then(*args, **kwargs)
        return result

    setattr(kind, name, call)
