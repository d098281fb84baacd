"""Layers of the voice pipeline that a build does not have."""

from __future__ import annotations

from collections.abc import Mapping

from lkgate.model.build import Build
from lkgate.model.measurement import Layer


def lacking_layers(build: Build) -> Mapping[Layer, str]:
    """Each layer that the build lacks, with the reason; empty for a cascade."""
    if build.pipeline != "realtime":
        return {}
    return {
        "stt": f"build `{build.name}` is speech to speech (pipeline = realtime) and has no STT",
        "tts": f"build `{build.name}` is speech to speech (pipeline = realtime) and has no TTS",
    }
