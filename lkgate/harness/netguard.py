"""No way out: in cassette mode an attempt to use the network fails at once, by name.

Covers what Python code does: sockets and name look-ups, on every thread. Native code that opens
its own sockets (livekit's Rust library) cannot be seen from here; the virtual room never lets it
start one.
"""

from __future__ import annotations

import errno
import socket
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

OnRefused = Callable[[str, str | None], None]

_LIBRARY = tuple(
    {sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}
    | {str(Path(__file__).resolve().parent.parent)}
)
_installed = False
_on_refused: OnRefused = lambda host, where: None  # noqa: E731


class NetworkRefusedError(ConnectionRefusedError):
    """The program asked for a host that nobody answers for in a replay.

    Attributes:
        host: ``name:port``, or the name that was looked up.
        where: ``file:line`` of the program's own code that asked, ``None`` if none did.
    """

    def __init__(self, host: str, where: str | None) -> None:
        place = f" ({where})" if where else ""
        super().__init__(
            errno.ECONNREFUSED, f"lkgate refused the network: {host}{place}; a replay has none"
        )
        self.host = host
        self.where = where


def block(on_refused: OnRefused) -> None:
    """Refuse the network from now on; ``on_refused(host, where)`` is told of every attempt.

    Sockets between processes of this machine (``AF_UNIX``, socket pairs) keep working. A second
    call only replaces ``on_refused``.
    """
    global _installed, _on_refused
    _on_refused = on_refused
    if _installed:
        return
    _installed = True
    guarded: Any = socket.socket
    for name in ("connect", "connect_ex", "sendto"):
        setattr(guarded, name, _refusing(getattr(guarded, name), name))
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "create_connection"):
        setattr(socket, name, _refusing_lookup(name))


def _refusing(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    def guard(self: socket.socket, *args: Any) -> Any:
        if self.family not in (socket.AF_INET, socket.AF_INET6):
            return original(self, *args)
        address = args[-1]
        host = f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address)
        raise _refuse(host)

    guard.__name__ = name
    return guard


def _refusing_lookup(name: str) -> Callable[..., Any]:
    original = getattr(socket, name)

    def guard(host: Any, port: Any = None, *args: Any, **kwargs: Any) -> Any:
        if name == "create_connection" and isinstance(host, tuple):
            host, port = host[0], host[1]
        if name == "getaddrinfo" and host in (None, "", "localhost", "127.0.0.1", "::1"):
            return original(host, port, *args, **kwargs)  # a look-up that leaves nothing
        text = host.decode() if isinstance(host, bytes) else str(host)
        raise _refuse(f"{text}:{port}" if port else text)

    guard.__name__ = name
    return guard


def _refuse(host: str) -> NetworkRefusedError:
    where = _program_line()
    _on_refused(host, where)
    return NetworkRefusedError(host, where)


def _program_line() -> str | None:
    """The innermost line on the stack that is the program's own."""
    frame = sys._getframe(1)
    while frame is not None:
        file = frame.f_code.co_filename
        if not file.startswith(_LIBRARY) and not file.startswith("<"):
            return f"{file}:{frame.f_lineno}"
        frame = frame.f_back  # type: ignore[assignment]
    return None
