"""What track handles stand for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from livekit.rtc._proto import track_pb2

from lkgate.harness.room.sound import Sound


@dataclass(slots=True)
class AudioTrack:
    """What a track handle stands for.

    Attributes:
        name, kind: as created.
        sound: what it carries.
        latency_us: how much later it is heard here; 0 for a track of one's own.
        on_mute: called when the program mutes its own track.
    """

    name: str
    kind: track_pb2.TrackKind.ValueType
    sound: Sound
    latency_us: int = 0
    on_mute: Callable[[bool], None] | None = None


def track_info(track: AudioTrack, *, sid: str, remote: bool) -> track_pb2.TrackInfo:
    return track_pb2.TrackInfo(
        sid=sid,
        name=track.name,
        kind=track.kind,
        stream_state=track_pb2.STATE_ACTIVE,
        muted=track.sound.muted,
        remote=remote,
    )
