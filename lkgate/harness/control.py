"""The fork server's end of its socket to the parent."""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections.abc import Iterator, Mapping

from lkgate.model.event import Json

_RECEIVED = 1 << 16


class Control:
    """JSON lines to and from the parent.

    Attributes:
        socket: for a selector to wait on.
        closed: nothing more will arrive.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.closed = False
        self._received = b""
        sock.setblocking(True)
        os.set_inheritable(sock.fileno(), False)

    def send(self, message: Mapping[str, Json]) -> None:
        """Send a message, unless the parent has gone."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(json.dumps(message).encode() + b"\n")

    def messages(self) -> Iterator[dict[str, Json]]:
        """One after the other, waiting for each, until the parent closes."""
        while True:
            line, found, rest = self._received.partition(b"\n")
            if found:
                self._received = rest
                yield json.loads(line)
            elif not self._receive():
                return

    def arrived(self) -> list[dict[str, Json]]:
        """What is there now. ``closed`` once the parent has closed."""
        self.socket.setblocking(False)
        try:
            while self._receive():
                pass
            self.closed = True
        except BlockingIOError:
            pass
        finally:
            self.socket.setblocking(True)
        *lines, self._received = self._received.split(b"\n")
        return [json.loads(line) for line in lines]

    def _receive(self) -> bool:
        try:
            data = self.socket.recv(_RECEIVED)
        except ConnectionResetError:
            return False
        self._received += data
        return bool(data)
