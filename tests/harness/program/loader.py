"""Loads programs one after the other, each in a fork of one warm process.

``python loader.py`` reads a JSON list of load messages on standard input and prints, for each, what
the fork server would have told its parent.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


def load_all(work: Path, programs: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The answer to each program, in a process with nothing but the fork server's variables.

    Args:
        work: the programs' working directory.
        programs: load messages without what is the same for all.
    """
    usual: dict[str, Any] = {"program": None, "module": None, "args": [], "cwd": str(work)}
    messages = [usual | message for message in programs.values()]
    done = subprocess.run(
        [sys.executable, "-B", __file__],
        input=json.dumps(messages),
        capture_output=True,
        text=True,
        timeout=120,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"},
        cwd=work,
    )
    assert done.returncode == 0, done.stderr
    answers = [line for line in done.stdout.splitlines() if line.startswith('{"op"')]
    return dict(zip(programs, map(json.loads, answers), strict=True))


def main() -> None:
    sys.path.pop(0)
    from lkgate.harness import server
    from lkgate.harness.child import warm_up
    from lkgate.harness.control import Control

    warm = warm_up(seed=0)
    for message in json.load(sys.stdin):
        theirs, ours = socket.socketpair()
        ours.settimeout(60)
        pid = os.fork()
        if pid == 0:
            ours.close()
            control = Control(theirs)
            status = server._try_nursery(control, warm, server._target(message))
            if status == server._HAS_THREADS:
                control.send({"op": "ready", "forks": "before loading"})
            os._exit(0)
        theirs.close()
        answer = ours.makefile().readline()
        ours.close()  # whoever is ready to serve ends with it
        os.waitpid(pid, 0)
        print(answer, end="", flush=True)


if __name__ == "__main__":
    main()
