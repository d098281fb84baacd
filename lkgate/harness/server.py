"""The fork server of a build: loads its program once, forks a child for every call.

Runs in the candidate's interpreter, started by ``boot.py``. The first process imports LiveKit and
warms it up; a fork of it, the nursery, loads the program and forks the calls. If the program left
threads behind, which no fork survives, the nursery gives up, and the first process forks the calls
itself, each of which then loads the program on its own.
"""

from __future__ import annotations

import contextlib
import gc
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from lkgate.harness import netguard, process
from lkgate.harness.control import Control
from lkgate.harness.failure import Failure
from lkgate.harness.last_words import last_place, leave_last_words
from lkgate.harness.time import real
from lkgate.model.event import Json

if TYPE_CHECKING:
    from livekit.agents import AgentServer

    from lkgate.harness.child import Warm
    from lkgate.harness.program import Target

# How the nursery says that calls have to load the program themselves.
_HAS_THREADS = 75
_RECEIVED = 1 << 16
_leave = os._exit  # the program's own use of it is watched


def main(control_fd: int) -> int:
    """Serve one build until the parent goes away.

    Returns:
        The exit status.
    """
    process.die_with_parent(os.getppid())
    process.leave_no_core()
    process.adopt_orphans()
    process.single_threaded()
    control = Control(socket.socket(fileno=control_fd))
    message = next(control.messages(), None)
    if message is None or message.get("op") != "load":
        return 0 if message is None else 2
    # A replay that asks nobody has no network, from before the program is loaded. The namespace
    # can be left as long as nothing that was imported has begun threads.
    closed = message.get("models") == "cassette"
    if closed:
        netguard.isolate()
    from lkgate.harness.child import warm_up

    try:
        warm = warm_up(seed=_int(message.get("seed")))
    except Failure as failure:
        control.send({"op": "failed", "error": failure.as_json()})
        return 1
    if closed:
        netguard.block(lambda host, where: None)  # whoever asks while loading gets the error
    target = _target(message)
    gc.collect()
    gc.freeze()
    status = _try_nursery(control, warm, target)
    if status != _HAS_THREADS:
        return status
    control.send({"op": "ready", "forks": "before loading"})
    return _serve(control, lambda directory: warm.call(directory, target=target))


def _try_nursery(control: Control, warm: Warm, target: Target) -> int:
    """Load and serve in a fork; its exit status, or _HAS_THREADS if it may not serve."""
    reading, writing = os.pipe()
    heard, words = os.pipe()
    for end in (heard, words):  # a dying process must not wait for anybody
        os.set_blocking(end, False)
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        process.die_with_parent(parent)
        os.close(reading)
        os.close(heard)
        leave_last_words(words)
        _leave(_nursery(control, warm, target, writing))
    os.close(writing)
    os.close(words)
    answered = bool(os.read(reading, 1))
    os.close(reading)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if answered:
        if status < 0:  # the parent is to see what happened
            signal.signal(-status, signal.SIG_DFL)
            os.kill(os.getpid(), -status)
        return status
    place = last_place(_all_of(heard))
    control.send({"op": "failed", "error": _crashed(status, target, place).as_json()})
    return 1


def _nursery(control: Control, warm: Warm, target: Target, answer_fd: int) -> int:
    own = os.getpid()
    server: AgentServer | None = None
    failure: Failure | None = None
    try:
        server = warm.load(target)
    except Failure as raised:
        failure = raised
    finally:
        if os.getpid() != own:  # a fork of the program's own came back here
            _leave(0)
    process.flush()
    if failure is not None:
        os.write(answer_fd, b"!")
        control.send({"op": "failed", "error": failure.as_json()})
        return 1
    os.write(answer_fd, b"!")
    if _has_threads():
        return _HAS_THREADS
    control.send({"op": "ready", "forks": "after loading"})
    gc.collect()
    gc.freeze()
    return _serve(control, lambda directory: warm.call(directory, server=server))


def _has_threads() -> bool:
    """Whether there are others than this one. A thread that was joined takes a moment to go."""
    for _ in range(20):
        if process.threads() == 1:
            return False
        real.sleep(0.005)
    return True


def _serve(control: Control, call: Callable[[Path], NoReturn]) -> int:
    """Fork a child for every ``run`` until ``quit`` or the end of the socket."""
    children: dict[int, str] = {}
    with _child_signals() as wakeup, selectors.DefaultSelector() as selector:
        selector.register(control.socket, selectors.EVENT_READ)
        selector.register(wakeup, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is wakeup:
                    wakeup.recv(_RECEIVED)
            for pid, status in _ended(children):
                control.send({"op": "ended", "job": children.pop(pid), "status": status})
            for message in control.arrived():
                if message.get("op") == "run":
                    job = str(message["job"])
                    pid = _fork(control, wakeup, Path(job), call)
                    children[pid] = job
                    control.send({"op": "started", "job": job, "pid": pid})
                elif message.get("op") == "quit":
                    control.closed = True
            if control.closed:
                for pid in children:
                    _kill(pid)
                return 0


def _fork(
    control: Control, wakeup: socket.socket, directory: Path, call: Callable[[Path], NoReturn]
) -> int:
    process.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        with contextlib.suppress(OSError):  # the child does so too; who is first does not matter
            os.setpgid(pid, pid)
        return pid
    process.own_group()
    process.die_with_parent(parent)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    wakeup.close()
    control.socket.close()
    process.print_to(directory / "output")
    return call(directory)


@contextlib.contextmanager
def _child_signals() -> Iterator[socket.socket]:
    """A socket that becomes readable when a child ends."""
    reading, writing = socket.socketpair()
    for end in (reading, writing):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
    try:
        yield reading
    finally:
        signal.set_wakeup_fd(-1)
        reading.close()
        writing.close()


def _ended(children: Mapping[int, str]) -> list[tuple[int, int]]:
    ended = []
    for pid in list(children):
        gone, status = os.waitpid(pid, os.WNOHANG)
        if gone:
            ended.append((pid, os.waitstatus_to_exitcode(status)))
    return ended


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _all_of(pipe: int) -> str:
    """What has been written to it, and closes it."""
    with contextlib.suppress(BlockingIOError), open(pipe, "rb", buffering=0) as file:
        return (file.read(_RECEIVED) or b"").decode(errors="replace")
    return ""


def _crashed(status: int, target: Target, place: str | None) -> Failure:
    if status < 0:
        how = f"was killed by {signal.Signals(-status).name}"
    else:
        how = f"exited at once with status {status}"
    return Failure(
        "build_crash",
        f"the program's process {how} while it was loaded",
        where=place or target.name,
        next_step="Run it by hand in the same interpreter.",
    )


def _target(message: Mapping[str, Json]) -> Target:
    from lkgate.harness.program import Target

    program, module, args = message.get("program"), message.get("module"), message.get("args")
    return Target(
        program=Path(str(program)) if program else None,
        module=str(module) if module else None,
        args=tuple(str(arg) for arg in args) if isinstance(args, list) else (),
        cwd=Path(str(message["cwd"])),
    )


def _int(value: Json) -> int:
    return value if isinstance(value, int) else 0


if sys.platform == "win32":
    raise ImportError("the fork server needs fork()")
