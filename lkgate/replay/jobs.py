"""Recordings as jobs: everything that a child needs to replay one call, in a directory."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lkgate.bundle import cassette_index, read_pcm, unpack
from lkgate.bundle.manifest import file_out
from lkgate.caller import encode_plan
from lkgate.config import Config, ModelsMode, OnMiss, Tools
from lkgate.derive import derive
from lkgate.errors import ReplayError
from lkgate.model.bundle import BuildIdentity, Bundle
from lkgate.model.event import Json
from lkgate.model.plan import Pacing
from lkgate.replay.memory import memory_of
from lkgate.replay.outcome import Failure, Job, Outcome
from lkgate.replay.plan import caller_track, plan_from
from lkgate.replay.recordings import Recording
from lkgate.replay.server import BOOT

# Wall clock inside a replay whose recording does not know its own.
_STARTED_AT_UNIX_US = 1_735_689_600_000_000
_HORIZON_US = 120_000_000


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """How calls are replayed.

    Attributes:
        state: the project's ``.lkgate`` directory: replays go to ``replays/<build>/<call>``.
        workers: calls at once.
        wall_limit_s: real time that a call may take on top of the recording's own length.
        load_limit_s: real time in which the build's program must be loaded.
        memory: native detectors are given, from below ``state``, what they answered in a build's
            last replay of a call, as long as they are asked the same.
        boot: the fork server's program.
    """

    state: Path
    models: ModelsMode = "cassette"
    on_miss: OnMiss = field(default_factory=OnMiss)
    pacing: Pacing = "anchored"
    tools: Tools = field(default_factory=Tools)
    workers: int = 1
    wall_limit_s: float = 120.0
    load_limit_s: float = 180.0
    patience_us: int = 20_000_000
    link_latency_us: int = 45_000
    seed: int = 0
    memory: bool = True
    boot: Path = BOOT

    @property
    def closed(self) -> bool:
        """Whether nobody is asked: the build has no network and no keys."""
        return self.models == "cassette" and not self.on_miss.live

    @classmethod
    def of(cls, config: Config) -> ReplayOptions:
        """What the project's settings say; a worker a core unless they say how many."""
        settings = config.replay
        return cls(
            state=config.root / ".lkgate",
            models=settings.models,
            on_miss=settings.on_miss,
            pacing=settings.pacing,
            tools=config.tools,
            workers=settings.workers or os.cpu_count() or 1,
            wall_limit_s=settings.wall_limit_s,
            load_limit_s=settings.load_limit_s,
            patience_us=round(settings.patience_s * 1_000_000),
            link_latency_us=settings.link_latency_ms * 1000,
            seed=settings.seed,
        )


def make_jobs(
    recordings: Sequence[Recording],
    identity: BuildIdentity,
    options: ReplayOptions,
    work: Path,
) -> tuple[list[Job], list[Outcome]]:
    """A job a recording below ``work``, and the outcome of each that cannot be one."""
    jobs: list[Job] = []
    failed: list[Outcome] = []
    for recording in recordings:
        try:
            jobs.append(_job(recording, identity, options, work))
        except ReplayError as error:
            failure = Failure("recording", error.what, error.where, error.next_step)
            failed.append(Outcome(recording.call, None, failure, 0.0))
    return jobs, failed


def _job(recording: Recording, identity: BuildIdentity, options: ReplayOptions, work: Path) -> Job:
    bundle, manifest = recording.bundle, recording.bundle.manifest
    directory = work / recording.call
    track = caller_track(bundle)
    pcm = read_pcm(recording.path, track)
    plan = plan_from(bundle, pcm, pacing=options.pacing, patience_us=options.patience_us)
    directory.mkdir(parents=True)
    (directory / "caller.pcm").write_bytes(pcm.astype("<i2", copy=False).tobytes())
    started = manifest.started_at_unix_us
    tools: dict[str, Json] = {
        "default": options.tools.default.as_json(),
        "by_name": {name: policy.as_json() for name, policy in options.tools.by_name.items()},
    }
    job: dict[str, Json] = {
        "call": recording.call,
        "seed": _seed(options.seed, manifest.id),
        "started_at_unix_us": _STARTED_AT_UNIX_US if started is None else started,
        # Files may not know their room, and nobody joins one without a name.
        "room": manifest.room or recording.call,
        "plan": encode_plan(plan),
        "cassette": {
            "mode": options.models,
            "directory": str(_cassette(recording, options, directory)),
            "new_directory": str(directory / "new"),
            "on_miss": {
                "stt": options.on_miss.stt,
                "llm": options.on_miss.llm,
                "tts": options.on_miss.tts,
            },
        },
        "tools": tools,
        "link_latency_us": options.link_latency_us,
        "horizon_us": 3 * manifest.duration_us + _HORIZON_US,
        "agent_identity": _agent_identity(bundle),
        "memory": str(memory_of(options.state, identity.name, recording.call))
        if options.memory
        else None,
    }
    (directory / "job.json").write_text(json.dumps(job), encoding="utf-8")
    length_s = manifest.duration_us / 1e6
    return Job(
        call=recording.call,
        directory=directory,
        bundle=work / "bundles" / recording.call,
        header={
            "id": manifest.id,
            "source": "replay",
            "room": manifest.room,
            "started_at_unix_us": started,
            "recording_digest": manifest.digest,
            "build": {
                "name": identity.name,
                "digest": identity.digest,
                "versions": dict(identity.versions),
            },
            "answered_by": _answered_by(bundle, options),
        },
        wall_limit_s=options.wall_limit_s + length_s * (1 if options.closed else 3),
    )


def _answered_by(bundle: Bundle, options: ReplayOptions) -> Json:
    index = cassette_index(bundle.manifest) if options.models != "live" else None
    return file_out(index) if index is not None else None


def _cassette(recording: Recording, options: ReplayOptions, directory: Path) -> Path:
    if options.models == "cassette" and recording.bundle.manifest.cassette == "none":
        derived = directory / "derived"
        derive(recording.path, recording.bundle, derived)
        return derived
    if recording.path.is_dir():
        return (recording.path / "cassette").resolve()
    unpacked = directory / "recording"
    unpack(recording.path, unpacked)
    return unpacked / "cassette"


def _agent_identity(bundle: Bundle) -> str:
    tracks = bundle.tracks("agent")
    return tracks[0].participant if tracks else "agent"


def _seed(seed: int, call: str) -> int:
    # 48 bits: what every reader of JSON holds exactly.
    return int.from_bytes(hashlib.sha256(f"{seed}\0{call}".encode()).digest()[:6])
