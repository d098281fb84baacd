"""Whether a build's session agrees with what is declared of its layers. Pure."""

from __future__ import annotations

from lkgate.errors import ConfigError
from lkgate.model.build import Build
from lkgate.model.bundle import Bundle

_USED = {"stt": "stt_usage", "tts": "tts_usage"}


def contradicted(build: Build, bundle: Bundle) -> ConfigError | None:
    """An error if a build that is declared as ``realtime`` used an STT or a TTS in a call.

    LiveKit tells a session's use of models by their type, and on every message of an agent's TTS
    how long its first sound took.
    """
    if build.pipeline != "realtime":
        return None
    used = {
        str(usage.get("type"))
        for event in bundle.of_kind("session_usage_updated")
        if isinstance(told := event.data.get("usage"), list)
        for usage in told
        if isinstance(usage, dict)
    }
    found = [layer for layer, kind in _USED.items() if kind in used or layer in used]
    if not found:
        return None
    return ConfigError(
        f"build `{build.name}` is declared as realtime, and its session used "
        f"{' and '.join(layer.upper() for layer in found)}",
        where=f"builds.{build.name}.pipeline",
        next_step="Take `pipeline` out: it is a cascade, and gates may judge those layers.",
    )
