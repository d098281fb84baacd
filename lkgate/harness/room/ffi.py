"""Stands in for LiveKit's native library, below the Python classes of ``livekit.rtc``.

Every class of ``livekit.rtc`` talks to one object, ``FfiClient.instance``, in protocol buffers:
requests with answers, and events. With another object in that place all of them run as they are,
however the program came by them (``from livekit.rtc import Room``, a plugin's own copy, ...), and
nothing of theirs has to be replaced or kept up with. What does not touch the network goes on to
the native library: audio processing, remixing, video conversion.
"""

from __future__ import annotations

import ctypes
import itertools
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from livekit.rtc import _ffi_client as native
from livekit.rtc._proto import ffi_pb2
from livekit.rtc._utils import Queue

if TYPE_CHECKING:
    from lkgate.harness.room.audio import Audio

Inbox = Queue[ffi_pb2.FfiEvent]
Handler = Callable[[Any, ffi_pb2.FfiResponse], None]

# Synchronous requests that give the same answer in every process.
_NATIVE = frozenset(
    {
        "apm_process_reverse_stream",
        "apm_process_stream",
        "apm_set_stream_delay",
        "new_apm",
        "new_audio_resampler",
        "remix_and_resample",
        "video_convert",
    }
)
# Handles from here on are ours; the native library counts up from 1.
_FIRST_HANDLE = 1 << 48


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that is answered later, by an event with its number.

    Attributes:
        inbox: where the one who asked waits, ``None`` if that is not known.
    """

    async_id: int
    inbox: Inbox | None


class RefusedError(RuntimeError):
    """The program asked the room for something that only a real one has."""


class EventQueue(native.FfiQueue[ffi_pb2.FfiEvent]):
    """Hands an event to its subscribers at once: everything is on the loop's thread here."""

    def put(self, item: ffi_pb2.FfiEvent) -> None:
        for queue, loop, wanted in list(self._subscribers):
            if loop.is_closed() or (wanted is not None and not wanted(item)):
                continue
            queue.put_nowait(item)


class VirtualFfi:
    """The object in ``FfiClient.instance``'s place. See the module.

    Requests are answered by handlers, by name of the request. A part of the virtual room adds
    its handlers with :meth:`serve`, and says with :meth:`own` what a handle's end means to it.

    Attributes:
        queue: where every class of ``livekit.rtc`` subscribes to events.
        audio: the part that lives as long as the process.
    """

    def __init__(self) -> None:
        self.audio: Audio | None = None
        self.queue = EventQueue()
        self._handlers: dict[str, Handler] = {}
        self._handles = itertools.count(_FIRST_HANDLE)
        self._asyncs = itertools.count(1)
        self._owned: dict[int, object] = {}
        self._native: native.FfiClient | None = None
        self._ffi_lib = _Library(self)

    @property
    def _pid(self) -> int:
        """What FfiHandle compares with: our handles outlive a fork."""
        return os.getpid()

    def serve(self, handlers: Mapping[str, Handler]) -> None:
        """Answer these requests; a later handler of the same name wins."""
        self._handlers.update(handlers)

    def handle(self) -> int:
        """A new handle."""
        return next(self._handles)

    def ask(self, answer: Any, *, inbox: Inbox | None = None) -> Ask:
        """A request whose answer says no more than that an event will follow.

        Args:
            answer: to be given the request's number.
            inbox: where the event is waited for, if not on the asker's own queue.
        """
        ask = Ask(next(self._asyncs), inbox or self.asker())
        answer.async_id = ask.async_id
        return ask

    def asker(self) -> Inbox | None:
        """The queue that the request being served will be waited for on, if it is known.

        Classes of ``livekit.rtc`` subscribe right before they ask. What is meant for one of them
        need not wake all the others.
        """
        subscribers = self.queue._subscribers
        return subscribers[-1][0] if subscribers else None

    def room_inbox(self) -> Inbox | None:
        """While ``Room.connect`` asks: where that room will listen for events."""
        subscribers = self.queue._subscribers
        return subscribers[-2][0] if len(subscribers) > 1 else None

    def own(self, handle: int, what: object) -> None:
        """Keep ``what`` until the program lets go of ``handle``; then call it, if it is a call."""
        self._owned[handle] = what

    def put(self, event: ffi_pb2.FfiEvent, inbox: Inbox | None = None) -> None:
        """Send an event to the one it is meant for, or else to whoever listens for it."""
        if inbox is None:
            self.queue.put(event)
        else:
            inbox.put_nowait(event)

    def request(self, req: ffi_pb2.FfiRequest) -> ffi_pb2.FfiResponse:
        """What every class of ``livekit.rtc`` calls."""
        kind = req.WhichOneof("message")
        handler = self._handlers.get(kind or "")
        if handler is not None:
            response = ffi_pb2.FfiResponse()
            handler(getattr(req, kind or ""), response)
            return response
        if kind in _NATIVE:
            return self._ask_native(req)
        raise RefusedError(f"the virtual room has no {(kind or 'such request').replace('_', ' ')}")

    def drop(self, handle: int) -> bool:
        """The program let go of a handle."""
        if handle < _FIRST_HANDLE:
            return self._native is None or bool(
                self._native._ffi_lib.livekit_ffi_drop_handle(ctypes.c_uint64(handle))
            )
        what = self._owned.pop(handle, None)
        if callable(what):
            what()
        return True

    def _ask_native(self, req: ffi_pb2.FfiRequest) -> ffi_pb2.FfiResponse:
        # As FfiClient.request, but for the objects that keep an answer alive which is read at
        # once: audio processing comes through here with every frame.
        library = self._native_client()._ffi_lib
        data = req.SerializeToString()
        answer, size = ctypes.POINTER(ctypes.c_ubyte)(), ctypes.c_size_t()
        handle = library.livekit_ffi_request(
            ctypes.cast(ctypes.c_char_p(data), ctypes.POINTER(ctypes.c_ubyte)),
            len(data),
            ctypes.byref(answer),
            ctypes.byref(size),
        )
        assert handle != native.INVALID_HANDLE
        response = ffi_pb2.FfiResponse.FromString(ctypes.string_at(answer, size.value))
        library.livekit_ffi_drop_handle(ctypes.c_uint64(handle))
        return response

    def _native_client(self) -> native.FfiClient:
        # Its threads do not survive a fork: every process loads its own, when it needs it.
        if self._native is None or self._native._pid != os.getpid():
            self._native = native.FfiClient()
        return self._native


class _Library:
    """As much of the shared library as ``FfiHandle`` calls."""

    def __init__(self, ffi: VirtualFfi) -> None:
        self._ffi = ffi

    def livekit_ffi_drop_handle(self, handle: ctypes.c_uint64) -> bool:
        return self._ffi.drop(handle.value)


def install_library() -> VirtualFfi:
    """Put a virtual library in the native one's place, for the rest of this process and its forks.

    Raises:
        RuntimeError: the native library is in use already.
    """
    current: object = native.FfiClient._instance
    if isinstance(current, VirtualFfi):
        return current
    if current is not None:
        raise RuntimeError("livekit.rtc was used before the virtual room was there")
    ffi = VirtualFfi()
    native.FfiClient._instance = ffi  # type: ignore[assignment]
    return ffi


def bytes_at(address: int, count: int) -> bytes:
    """A copy of memory."""
    return ctypes.string_at(address, count) if count else b""
