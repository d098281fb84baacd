"""Whether a build's session agrees with what is declared of its layers. Pure."""

from __future__ import annotations

from lkgate.errors import ConfigError
from lkgate.model.build import Build
from lkgate.model.bundle import Bundle

_TTS = ("tts", "tts_usage")


def contradicted(build: Build, bundle: Bundle) -> ConfigError | None:
    """An error if a build that is declared as ``realtime`` used a TTS in a call.

    LiveKit tells a session's use of models by their type. An STT is no contradiction: what a
    speech-to-speech model takes to write down its caller's words is told as one.
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
    if used.isdisjoint(_TTS):
        return None
    return ConfigError(
        f"build `{build.name}` is declared as realtime, and its session used TTS",
        where=f"builds.{build.name}.pipeline",
        next_step="Take `pipeline` out: it is a cascade, and gates may judge those layers.",
    )
