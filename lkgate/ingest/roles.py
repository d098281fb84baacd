"""Whose voice each channel of each file is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from lkgate.errors import BundleError, ConfigError
from lkgate.ingest.egress import EgressManifest
from lkgate.ingest.sound import Sound
from lkgate.model.bundle import Role

Channel = Literal["caller", "agent", "other", "mixed", "none"]
"""``mixed``: everybody on one channel; ``none``: left out."""
CHANNELS: tuple[Channel, ...] = get_args(Channel)

# The identity that livekit-agents gives itself (job.py: "agent-" and the job's id).
_AGENT_IDENTITY = "agent-"
_TELL = "Say who is on which: --channels caller,agent (or mixed, other, none), in the files' order."


@dataclass(frozen=True, slots=True)
class Voice:
    """One track to be.

    Attributes:
        role: of its speaker; ``other`` for a mix of everybody.
        mixed: everybody is on it.
        sound: the file.
        pcm: the file of its samples.
        manifest: of the egress that wrote the file.
    """

    role: Role
    mixed: bool
    sound: Sound
    pcm: Path
    manifest: EgressManifest | None


def assign(
    sounds: Sequence[tuple[Sound, EgressManifest | None]],
    *,
    channels: Sequence[Channel] | None,
    reported: bool,
) -> tuple[Voice, ...]:
    """A voice for each channel that has one.

    Without ``channels``, in this order: an egress of one participant is who it says; a mix is
    everybody; the ``audio.ogg`` of a session's report, and any two channels, are caller and agent.

    Args:
        sounds: the files in the order in which they were named.
        channels: what the user says, one for each channel of all files.
        reported: a session's report is among the sources.

    Raises:
        BundleError: if a channel is missing, or nothing tells who is on which.
        ConfigError: if ``channels`` are not as many as there are.
    """
    if channels is not None:
        return _as_told(sounds, channels)
    voices: list[Voice] = []
    unknown: list[Sound] = []
    for sound, manifest in sounds:
        if manifest is None:
            unknown.append(sound)
        elif manifest.publisher is not None:
            _one_voice(sound)
            role: Role = "agent" if manifest.publisher.startswith(_AGENT_IDENTITY) else "caller"
            voices.append(Voice(role, False, sound, sound.channels[0], manifest))
        elif len(sound.channels) == 1 or sound.same:
            voices.append(Voice("other", True, sound, sound.channels[0], manifest))
        else:
            raise BundleError(
                f"has {len(sound.channels)} different channels, and its egress manifest does not "
                "say who is on which",
                where=str(sound.source),
                next_step="DUAL_CHANNEL_AGENT puts the agent left: --channels agent,caller.",
            )
    return (*voices, *_pair(unknown, reported=reported))


def _as_told(
    sounds: Sequence[tuple[Sound, EgressManifest | None]], channels: Sequence[Channel]
) -> tuple[Voice, ...]:
    every = [(sound, pcm, manifest) for sound, manifest in sounds for pcm in sound.channels]
    if len(every) != len(channels):
        raise ConfigError(
            f"--channels names {len(channels)}, and the files have {len(every)}",
            next_step="Say it once for each channel, in the files' order; none leaves one out.",
        )
    speaking = [channel for channel in channels if channel in ("caller", "agent")]
    for sound, _ in sounds:
        if sound.same and len(speaking) > 1 and "none" not in channels:
            raise BundleError(
                "has the same sound on both channels: it is a mix of everybody",
                where=str(sound.source),
                next_step="--channels mixed,none imports it as one.",
            )
    return tuple(
        Voice("other" if channel == "mixed" else channel, channel == "mixed", sound, pcm, manifest)
        for (sound, pcm, manifest), channel in zip(every, channels, strict=True)
        if channel != "none"
    )


def _one_voice(sound: Sound) -> None:
    if len(sound.channels) > 1 and not sound.same:
        raise BundleError(
            f"has {len(sound.channels)} different channels of one participant",
            where=str(sound.source),
            next_step=_TELL,
        )


def _pair(sounds: Sequence[Sound], *, reported: bool) -> tuple[Voice, ...]:
    if not sounds:
        return ()
    every = [(sound, pcm) for sound in sounds for pcm in sound.channels]
    first = str(sounds[0].source)
    if len(every) == 1:
        what = "a session's audio.ogg has two: caller left, agent right"
        raise BundleError(
            "has one channel; " + (what if reported else "caller and agent need one each"),
            where=first,
            next_step=None
            if reported
            else "Name a second file; or say who is on this one: "
            "--channels caller, agent or mixed.",
        )
    if len(every) > 2:
        raise BundleError(
            f"{len(every)} channels in {len(sounds)} files, and nothing tells who is on which",
            where=first,
            next_step=_TELL,
        )
    if sounds[0].same:
        return (Voice("other", True, sounds[0], sounds[0].channels[0], None),)
    roles: tuple[Role, Role] = ("caller", "agent")
    return tuple(
        Voice(role, False, sound, pcm, None)
        for role, (sound, pcm) in zip(roles, every, strict=True)
    )
