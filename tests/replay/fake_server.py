"""Stands for ``lkgate/harness/boot.py``: speaks its protocol, and does what the job says.

A job's ``do``, or else what stands behind ``# DO`` in the program, says what its child does; the
program's text also says how loading ends.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path


def journal(out: Path, call: str, *, chance: bool) -> None:
    """As little as a bundle can be made of."""
    root = out / "journal"
    root.mkdir(parents=True)
    header = {"id": call, "source": "replay", "room": "r", "started_at_unix_us": None}
    lines = [header, {"finished": True, "duration_us": 1000}]
    (root / "header.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    event = {"t_us": time.monotonic_ns() % 900 if chance else 5, "kind": "connected", "data": {}}
    (root / "events.jsonl").write_text(json.dumps(event) + "\n")
    (root / "tracks.jsonl").write_text("")


def child(directory: Path, default: str) -> None:
    os.setpgid(0, 0)
    fd = os.open(directory / "output", os.O_WRONLY)
    os.dup2(fd, 1)
    os.dup2(fd, 2)
    job = json.loads((directory / "job.json").read_text())
    do = job.get("do", default)
    result: dict[str, object] = {"status": "ok", "stats": {"virtual_us": 7}}
    if do == "crash":
        print("about to crash", flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
    if do == "exit":
        os._exit(3)
    if do == "hang":
        print("hanging", flush=True)
        if os.fork() == 0:
            # A process of the program's own: the parent has no idea of it.
            (directory / "stray.pid").write_text(str(os.getpid()))
        time.sleep(1000)
    if do == "print":
        line = b"x" * 1023 + b"\n"
        for _ in range(20_000):
            os.write(1, line)
    if do == "kill_server":
        (directory / "child.pid").write_text(str(os.getpid()))
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(1000)
    if do == "error":
        error = {"kind": "entrypoint", "message": "ValueError: no", "where": "a.py:3"}
        result = {"status": "error", "error": error}
    elif do != "no_journal":
        journal(directory / "out", job["call"], chance=do == f"chance {job['call']}")
    if do == "tell":
        Path("told.json").write_text(json.dumps(job))
    if do == "answer":
        new = Path(job["cassette"]["new_directory"])
        (new / "blobs").mkdir(parents=True)
        (new / "blobs" / "b1").write_bytes(b"pcm")
        rest = {"ordinal": 0, "t_us": 0, "request": {}, "origin": "live"}
        rest["response"] = {"ending": "done"}
        lines = [{"modality": "llm", "key": "a", **rest}, {"modality": "tts", "key": "b", **rest}]
        (new / "index.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    if do == "garbage":
        (directory / "result.json").write_text("{")
    else:
        (directory / "result.json").write_text(json.dumps(result))
    os._exit(0)


def load(message: dict[str, str]) -> dict[str, object]:
    text = Path(message["program"]).read_text()
    if "EXIT" in text:
        print("Traceback: something at import")
        sys.exit(1)
    if "HANG" in text:
        print("waiting for a database", flush=True)
        time.sleep(1000)
    if "REFUSE" in text:
        error = {"message": "no module `foo`", "where": "a.py:1", "next_step": "Install it."}
        return {"op": "failed", "error": error}
    return {"op": "ready"}


def main() -> None:
    link = socket.socket(fileno=int(sys.argv[1]))
    file = link.makefile("rb")

    def say(message: dict[str, object]) -> None:
        link.sendall(json.dumps(message).encode() + b"\n")

    def reap(*_: object) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            code = os.waitstatus_to_exitcode(status)
            say({"op": "ended", "job": jobs.pop(pid), "status": code})

    jobs: dict[int, str] = {}
    default = "ok"
    for line in file:
        message = json.loads(line)
        if message["op"] == "load":
            say(load(message))
            default = Path(message["program"]).read_text().partition("# DO ")[2].strip()
            signal.signal(signal.SIGCHLD, reap)
        elif message["op"] == "run":
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
            pid = os.fork()
            if pid == 0:
                signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                child(Path(message["job"]), default)
            jobs[pid] = message["job"]
            say({"op": "started", "job": message["job"], "pid": pid})
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})


if __name__ == "__main__":
    main()
