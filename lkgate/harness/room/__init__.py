"""A virtual LiveKit room under the unchanged ``livekit.rtc``.

:func:`install` puts the virtual library in the native one's place, once a process.
:func:`open_room` makes a room that any number of ``rtc.Room`` objects connect to, each as the
participant that its token names.
"""

from __future__ import annotations

from lkgate.harness.room.attributes import sort_attributes
from lkgate.harness.room.audio import Audio
from lkgate.harness.room.data import Data
from lkgate.harness.room.ffi import RefusedError, VirtualFfi, install_library
from lkgate.harness.room.hub import Hub
from lkgate.harness.room.listeners import order_listeners
from lkgate.harness.room.profile import Profiles
from lkgate.harness.room.rpc import Rpc
from lkgate.harness.room.streams import Streams
from lkgate.harness.room.tracks import Tracks
from lkgate.harness.room.video import Video
from lkgate.harness.room.wire import Link

__all__ = ["Hub", "Link", "RefusedError", "VirtualFfi", "install", "open_room"]


def install() -> VirtualFfi:
    """Replace LiveKit's native library. Before the program is loaded; forks inherit it.

    Audio sources, resamplers and the like work from here on; a room does after :func:`open_room`.

    Raises:
        RuntimeError: the native library is in use already.
    """
    ffi = install_library()
    if ffi.audio is None:
        sort_attributes()
        order_listeners()
        ffi.audio = Audio(ffi)
        ffi.serve(ffi.audio.handlers())
        ffi.serve(Video(ffi, ffi.audio).handlers())
    return ffi


def open_room(
    ffi: VirtualFfi, *, room: str, link: Link | None = None, deaf: frozenset[str] = frozenset()
) -> Hub:
    """A new, empty room on the running loop; ``rtc.Room.connect`` joins it from here on.

    See :class:`Hub`.
    """
    audio = ffi.audio
    assert audio is not None  # install() made it
    hub = Hub(ffi, room=room, link=link or Link(), deaf=deaf)
    tracks, streams, rpc = Tracks(ffi, audio, hub), Streams(ffi, hub), Rpc(ffi, hub)
    hub.parts.extend((tracks, streams, rpc))
    for part in (hub, tracks, streams, rpc, Data(ffi, hub), Profiles(ffi, hub)):
        ffi.serve(part.handlers())
    return hub
