"""No way out: in cassette mode an attempt to use the network fails at once, by name.

Two fences. The first is what a person sees: Python's sockets and name look-ups, on every thread,
refuse with an error that names the host and the program's own line. Native code that opens its own
sockets (livekit's Rust library, gRPC) passes it unseen; where the system permits, the process is
therefore also put into a network namespace that has nothing in it, before it imports anything;
its forks and subprocesses are in there too. Where the system does not permit that (macOS, a
container without ``CAP_SYS_ADMIN`` or user namespaces), native code and subprocesses can reach the
network.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import functools
import ipaddress
import os
import socket
import sys
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

from lkgate.harness.time.frames import program_line

OnRefused = Callable[[str, str | None], None]

_CLONE_NEWUSER = 0x1000_0000
_CLONE_NEWNET = 0x4000_0000

T = TypeVar("T")
# Host and port that a call would reach; ``None`` if it reaches nobody.
_Asked = tuple[Any, Any] | None

_installed = False
_isolated = False
_on_refused: OnRefused = lambda host, where: None  # noqa: E731
# Who asked, for libraries that connect in a task of their own, where the program is not on the
# stack any more.
_asker: ContextVar[str | None] = ContextVar("lkgate_network_asker", default=None)


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


def block(on_refused: OnRefused) -> bool:
    """Refuse the network from now on, for good.

    Sockets between processes of this machine (``AF_UNIX``, socket pairs) keep working, and so does
    listening. Another call replaces ``on_refused``. Call it while the process has one thread,
    after what needs the network.

    Args:
        on_refused: told ``(host, where)`` of every attempt, on the thread that made it.

    Returns:
        Whether the process is in an empty network namespace too.
    """
    global _installed, _on_refused
    _on_refused = on_refused
    if not _installed:
        _installed = True
        _guard_sockets()
        _guard_lookups()
        _remember_who_asks()
    return isolate()


def isolate() -> bool:
    """Leave the network namespace for an empty one; ``False`` where that is not permitted.

    Linux only, and only with a single thread; forks inherit it. Root needs
    ``CAP_SYS_ADMIN``; anybody else gets a user namespace in which they are who they were.
    """
    global _isolated
    if _isolated:
        return True
    if sys.platform != "linux" or len(list(Path("/proc/self/task").iterdir())) > 1:
        return False
    unshare = ctypes.CDLL(None, use_errno=True).unshare
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        # A user namespace would take root's right to other users' files away.
        _isolated = bool(unshare(_CLONE_NEWNET) == 0)
        return _isolated
    if unshare(_CLONE_NEWUSER | _CLONE_NEWNET) != 0:
        return False
    _isolated = True
    own = Path("/proc/self")
    with contextlib.suppress(OSError):  # unmapped, only names of users are wrong
        (own / "setgroups").write_text("deny")
        (own / "uid_map").write_text(f"{user} {user} 1")
        (own / "gid_map").write_text(f"{group} {group} 1")
    return True


def _guard_sockets() -> None:
    """A packet or a connection to an address of the internet."""

    def to_last(sock: socket.socket, *args: Any) -> _Asked:
        return _address(sock, args[-1] if args else None)

    def to_fourth(sock: socket.socket, *args: Any) -> _Asked:
        return _address(sock, args[3] if len(args) > 3 else None)

    kind: Any = socket.socket
    for name, asked in (
        ("connect", to_last),
        ("connect_ex", to_last),
        ("sendto", to_last),
        ("sendmsg", to_fourth),
    ):
        setattr(kind, name, _guarded(getattr(kind, name), asked))


def _address(sock: socket.socket, address: object) -> _Asked:
    inet = sock.family in (socket.AF_INET, socket.AF_INET6)
    return (address[0], address[1]) if inet and isinstance(address, tuple) else None


def _guard_lookups() -> None:
    """A question to a name server."""

    def by_name(host: Any, port: Any = None, *args: Any, **kwargs: Any) -> _Asked:
        return None if _stays_here(host) else (host, port)

    def by_address(host: Any) -> _Asked:
        return (host, None)

    def name_of(address: Any, flags: int) -> _Asked:
        return None if flags & socket.NI_NUMERICHOST else address[:2]

    library: Any = socket
    replaced: dict[int, Callable[..., Any]] = {}
    for name, asked in (
        ("getaddrinfo", by_name),
        ("gethostbyname", by_name),
        ("gethostbyname_ex", by_name),
        ("gethostbyaddr", by_address),
        ("getnameinfo", name_of),
    ):
        original = getattr(library, name)
        replaced[id(original)] = guard = _guarded(original, asked)
        setattr(library, name, guard)
    for module in list(sys.modules.values()):  # `from socket import getaddrinfo`
        for key, value in list(vars(module).items()) if module is not None else ():
            if id(value) in replaced:
                setattr(module, key, replaced[id(value)])
    # An event loop asks on a thread, where the program's line is not on the stack any more.
    loop: Any = asyncio.BaseEventLoop
    loop.getaddrinfo = _guarded(loop.getaddrinfo, lambda self, *args, **_: by_name(*args))


def _guarded(original: Callable[..., T], asked: Callable[..., _Asked]) -> Callable[..., T]:
    @functools.wraps(original)
    def guard(*args: Any, **kwargs: Any) -> T:
        host = asked(*args, **kwargs)
        if host is not None:
            _refuse(*host)
        return original(*args, **kwargs)

    return guard


def _remember_who_asks() -> None:
    """aiohttp connects in a task of its own: keep the line that asked in the task's context."""
    aiohttp: Any = sys.modules.get("aiohttp")
    if aiohttp is None:
        return
    session: Any = aiohttp.ClientSession
    request = session._request

    async def asked(self: Any, *args: Any, **kwargs: Any) -> Any:
        before = _asker.set(program_line(sys._getframe(1)) or _asker.get())
        try:
            return await request(self, *args, **kwargs)
        finally:
            _asker.reset(before)

    session._request = asked


def _stays_here(host: Any) -> bool:
    """Whether to look this up asks nobody: an address, this machine, nothing."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name in (None, "", "localhost"):
        return True
    try:
        ipaddress.ip_address(str(name).partition("%")[0])
    except ValueError:
        return False
    return True


def _refuse(host: Any, port: Any) -> None:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    asked = f"[{name}]:{port}" if ":" in name and port else f"{name}:{port}" if port else name
    where = program_line(sys._getframe(1)) or _asker.get()
    _on_refused(asked, where)
    raise NetworkRefusedError(asked, where)
