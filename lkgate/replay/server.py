"""The parent's end of a build's fork server.

The server is ``lkgate/harness/boot.py`` in the build's own interpreter. It loads the program once
and forks a child for every call. Parent and server exchange JSON lines over a socket; what the
server prints goes to a pipe that is drained here. Nothing of lkgate is imported into that
interpreter but by ``boot.py`` itself.

Parent to server::

    {"op": "load", "program", "module", "args", "cwd", "name", "seed", "models"}   once, first
    {"op": "run", "job": DIRECTORY}
    {"op": "quit"}

Server to parent::

    {"op": "ready"} or {"op": "failed", "error": {"kind", "message", "where", "next_step"}}
    {"op": "started", "job": DIRECTORY, "pid"}     pid leads a process group of its own
    {"op": "ended", "job": DIRECTORY, "status"}    exit code, or minus the signal
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

import lkgate
from lkgate.builds import environment, secrets_of
from lkgate.errors import BuildError
from lkgate.model.build import Build
from lkgate.model.event import Json
from lkgate.replay.output import Output

BOOT = Path(lkgate.__file__).parent / "harness" / "boot.py"


class Server:
    """A running fork server. Always :meth:`kill` it at the end.

    Args:
        build: what it loads.
        boot: the program to start, for tests.
        everything: let it see all of the user's variables (see :func:`environment`).

    Attributes:
        secrets: what nothing that it says may be shown with.

    Raises:
        BuildError: the interpreter cannot be started.
    """

    def __init__(self, build: Build, *, boot: Path = BOOT, everything: bool = False) -> None:
        self.socket, theirs = socket.socketpair()
        variables = environment(build, everything=everything)
        self.secrets = secrets_of(build, variables)
        reading, writing = os.pipe()
        try:
            self._process = subprocess.Popen(
                [str(build.python), "-B", str(boot), str(theirs.fileno())],
                cwd=build.cwd,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
            )
        except OSError as error:
            self.socket.close()
            os.close(reading)
            raise BuildError(
                f"the build's interpreter does not start: {error.strerror}",
                where=str(build.python),
            ) from error
        finally:
            theirs.close()
            os.close(writing)
        self.socket.setblocking(False)
        os.set_blocking(reading, False)
        self.output = Output(reading, self.secrets)
        self._received = b""
        self._unsent = b""

    def send(self, message: Mapping[str, Json]) -> None:
        """Queue a message and send what the socket takes; :meth:`flush` sends the rest."""
        self._unsent += json.dumps(message).encode() + b"\n"
        self.flush()

    def flush(self) -> bool:
        """Send what is queued; ``True`` if nothing is left."""
        try:
            while self._unsent:
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
        except BlockingIOError:
            return False
        except (BrokenPipeError, ConnectionResetError):
            self._unsent = b""  # its death is noticed when reading
        return True

    def receive(self) -> list[dict[str, Json]] | None:
        """Messages that have arrived, ``None`` once the server has gone.

        Raises:
            BuildError: the program spoke on the socket, which is not its to use.
        """
        messages: list[dict[str, Json]] = []
        gone = False
        while True:
            try:
                data = self.socket.recv(1 << 16)
            except BlockingIOError:
                break
            except ConnectionResetError:
                data = b""
            if not data:
                gone = True
                break
            self._received += data
        *lines, self._received = self._received.split(b"\n")
        for line in lines:
            try:
                message = json.loads(line)
            except ValueError:
                message = None
            if not isinstance(message, dict):
                said = self.secrets.hide(line.decode(errors="replace"))[:80]
                raise BuildError(f"the fork server said something else than JSON: {said!r}")
            messages.append(message)
        return messages if messages or not gone else None

    def dead(self) -> bool:
        """Its process has ended."""
        return self._process.poll() is not None

    def exit_status(self) -> int | None:
        """Exit code or minus the signal, waiting a moment for one that is just going."""
        try:
            return self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            return None

    def kill(self) -> None:
        """End the server and everything that it started, at once.

        Also children whose start it never got to tell, and what calls left running.
        """
        started = _descendants(self._process.pid)
        kill_group(self._process.pid)
        self._process.wait()
        _kill_session(self._process.pid)
        for pid in started:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        self.output.drain()
        self.output.close()
        self.socket.close()


def kill_group(pid: int) -> None:
    """Kill the process and its group, if they are still there."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def abort(pid: int) -> None:
    """Tell the process, which is still there or a zombie, to give up."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGABRT)


def _descendants(pid: int) -> list[int]:
    """Processes below one, also in sessions of their own, where ``/proc`` lists them."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # "PID (NAME) STATE PARENT ...", where a name may hold anything.
            parent = int(entry.read_text(errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(entry.parent.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found[1:]


def _kill_session(session: int) -> None:
    """Kill what is left of a session, where the system lists its processes in ``/proc``."""
    processes = Path("/proc")
    if not processes.is_dir():
        return
    for entry in processes.iterdir():
        if not entry.name.isdigit():
            continue
        pid = int(entry.name)
        try:
            if os.getsid(pid) == session:
                os.kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue
