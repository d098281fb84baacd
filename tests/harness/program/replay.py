"""Calls to the agent programs in ``tests/programs``, through a real fork server."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from lkgate.bundle.journal_reader import JournalContent, read_journal
from lkgate.caller import encode_plan
from lkgate.model.build import Build
from lkgate.model.bundle import Span
from lkgate.model.plan import Anchor, CallerPlan, PlannedUtterance
from lkgate.replay.server import Server

PROGRAMS = Path(__file__).parents[2] / "programs"
RATE = 24_000


def voice() -> NDArray[np.int16]:
    """A voice that LiveKit's detectors take for one, 2 s."""
    pcm, rate = soundfile.read(PROGRAMS / "voice.flac", dtype="int16")
    assert rate == RATE
    return np.asarray(pcm, np.int16)


def plan_and_pcm(
    gaps_s: list[float], *, hangup_s: float = 3.0, into: int | None = None
) -> tuple[CallerPlan, NDArray[np.int16]]:
    """A caller who answers ``gaps_s`` seconds after the agent fell silent; ``into`` barges in."""
    sound = voice()
    step = sound.size + 2 * RATE
    pcm = np.zeros(2 * RATE + len(gaps_s) * step, np.int16)
    pcm += np.random.default_rng(3).integers(-8, 8, pcm.size).astype(np.int16)
    said = []
    for index, gap_s in enumerate(gaps_s):
        start = 2 * RATE + index * step
        pcm[start : start + sound.size] += sound
        span = Span(start * 1_000_000 // RATE, (start + sound.size) * 1_000_000 // RATE)
        kind = Anchor("into_agent" if index == into else "after_agent", round(gap_s * 1e6), 1)
        said.append(PlannedUtterance(index, span, kind))
    plan = CallerPlan(
        sample_rate_hz=RATE,
        offset_us=0,
        utterances=tuple(said),
        hangup_after_us=round(hangup_s * 1e6),
        pacing="anchored",
        patience_us=15_000_000,
        identity="caller",
        attributes={},
        closing_segments=1,
    )
    return plan, pcm


@dataclass
class Replay:
    """One call's end."""

    result: dict[str, Any]
    status: int
    journal: JournalContent | None
    directory: Path
    printed: str = ""

    def kinds(self) -> list[str]:
        assert self.journal is not None
        return [event.kind for event in self.journal.events]

    def of(self, kind: str) -> list[dict[str, Any]]:
        assert self.journal is not None
        return [dict(event.data) for event in self.journal.events if event.kind == kind]

    def texts(self, role: str) -> list[str]:
        items = [data["item"] for data in self.of("conversation_item_added")]
        return [item["text"] for item in items if item.get("role") == role]

    def digest(self) -> dict[str, bytes]:
        root = self.directory / "out" / "journal"
        return {path.name: path.read_bytes() for path in sorted(root.iterdir())}


@dataclass
class Program:
    """A build and its running fork server.

    Attributes:
        ready: what the server said when the program was loaded.
        printed: bytes that it had printed before the last call.
    """

    server: Server
    work: Path
    ready: dict[str, Any]
    calls: int = 0
    queue: list[dict[str, Any]] = field(default_factory=list)
    printed: int = 0

    def wait(self, op: str, job: str | None = None, limit_s: float = 120) -> dict[str, Any]:
        return wait_for(self.server, self.queue, op, job, limit_s)

    def start(self, **changes: Any) -> Path:
        """A call, not waited for."""
        self.calls += 1
        directory = self.work / f"call-{self.calls}"
        plan, pcm = changes.pop("caller", None) or plan_and_pcm([0.6, 0.6, 0.6])
        write_job(directory, plan, pcm, **changes)
        self.server.output.drain()
        self.printed = self.server.output.total
        self.server.send({"op": "run", "job": str(directory)})
        return directory

    def end_of(self, directory: Path) -> Replay:
        ended = self.wait("ended", str(directory))
        path = directory / "result.json"
        result = json.loads(path.read_text()) if path.exists() else {}
        whole = result.get("status") == "ok"
        journal = read_journal(directory / "out") if whole else None
        self.server.output.drain()
        new = self.server.output.total - self.printed
        printed = self.server.output.text()[-new:] if new else ""
        return Replay(result, ended["status"], journal, directory, printed)

    def call(self, **changes: Any) -> Replay:
        return self.end_of(self.start(**changes))


def write_job(directory: Path, plan: CallerPlan, pcm: NDArray[np.int16], **changes: Any) -> None:
    directory.mkdir(parents=True)
    (directory / "caller.pcm").write_bytes(pcm.tobytes())
    job: dict[str, Any] = {
        "call": "call",
        "seed": 1,
        "started_at_unix_us": 1_735_689_600_000_000,
        "room": "clinic-7",
        "plan": encode_plan(plan),
        "cassette": None,
        "tools": {"default": "run", "by_name": {}},
        "link_latency_us": 45_000,
        "horizon_us": 600_000_000,
        "agent_identity": "agent-1",
        "memory": None,
    } | changes
    (directory / "job.json").write_text(json.dumps(job))


def start(
    work: Path,
    program: str | None,
    *,
    module: str | None = None,
    args: tuple[str, ...] = (),
    cwd: Path = PROGRAMS,
    env: dict[str, str] | None = None,
    models: str = "live",
) -> Program:
    """Load a program of ``tests/programs``; the answer may be that it failed."""
    path = None if program is None else cwd / program
    build = Build("test", Path(sys.executable), path, module, args, cwd, env or {})
    server = Server(build)
    queue: list[dict[str, Any]] = []
    message: dict[str, Any] = {
        "op": "load",
        "name": "test",
        "program": None if path is None else str(path),
        "module": module,
        "args": list(args),
        "cwd": str(cwd),
        "seed": 0,
        "models": models,
    }
    server.send(message)
    return Program(server, work, wait_for(server, queue, "ready failed", None, 120), 0, queue)


def wait_for(
    server: Server, queue: list[dict[str, Any]], ops: str, job: str | None, limit_s: float
) -> dict[str, Any]:
    import selectors

    with selectors.DefaultSelector() as selector:
        selector.register(server.socket, selectors.EVENT_READ)
        for _ in range(round(limit_s / 0.05)):
            for message in list(queue):
                if message["op"] in ops.split() and job in (None, message.get("job")):
                    queue.remove(message)
                    return message
            selector.select(0.05)
            server.output.drain()
            dead = server.dead()
            arrived = server.receive()
            queue.extend(arrived or [])
            if dead and not arrived:
                raise AssertionError(f"the server is gone:\n{server.output.text()}")
    raise AssertionError(f"no {ops} within {limit_s} s:\n{server.output.text()}")
