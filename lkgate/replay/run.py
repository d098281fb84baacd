"""The use case: recordings replayed into a build."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lkgate.builds import identify, require_supported
from lkgate.errors import ConfigError, ReplayError
from lkgate.model.build import Build
from lkgate.model.bundle import BuildIdentity
from lkgate.replay.growth import grow_cassette
from lkgate.replay.jobs import ReplayOptions, make_jobs
from lkgate.replay.memory import forget
from lkgate.replay.names import file_name
from lkgate.replay.outcome import Failure, Outcome
from lkgate.replay.pool import Progress, replay_calls
from lkgate.replay.recordings import Recording, find_recordings, read_recordings
from lkgate.replay.work import work_directory

# Times that ``--models record`` replays a call until it asks for nothing new.
_ROUNDS = 5

__all__ = [
    "Recording",
    "ReplayOptions",
    "ReplaySet",
    "Replayed",
    "Verification",
    "find_recordings",
    "read_recordings",
    "replay",
    "verify",
]


@dataclass(frozen=True, slots=True)
class Replayed:
    """A recording and what became of it.

    Attributes:
        path: the replay's bundle on disk, ``None`` if there is none.
        grown: whether its cassette got new exchanges.
    """

    recording: Recording
    outcome: Outcome
    path: Path | None
    grown: bool = False


@dataclass(frozen=True, slots=True)
class ReplaySet:
    """All calls of one run, in the order of the recordings.

    Attributes:
        digest: over the digests of all replays; ``None`` if a call has none.
    """

    build: BuildIdentity
    calls: tuple[Replayed, ...]
    digest: str | None

    @classmethod
    def of(cls, build: BuildIdentity, calls: Sequence[Replayed]) -> ReplaySet:
        return cls(build, tuple(calls), _digest(calls))


@dataclass(frozen=True, slots=True)
class Verification:
    """The same replay several times.

    Attributes:
        first: the run whose bundles were kept.
        digests: one a run.
        differing: calls whose runs were not all equal, with the first failure among them.
    """

    first: ReplaySet
    digests: tuple[str | None, ...]
    differing: Mapping[str, Failure | None]

    @property
    def same(self) -> bool:
        """Every call was replayed to its end every time, and never differently."""
        return not self.differing and None not in self.digests


def replay(
    recordings: Sequence[Recording],
    build: Build,
    options: ReplayOptions,
    on_progress: Callable[[Progress], None],
) -> ReplaySet:
    """Replay ``recordings`` into ``build``; replays of earlier runs of these calls go.

    A call that fails is an :class:`Outcome` with its failure; the others go on.

    Raises:
        BuildError: the build cannot be identified or loaded.
        ConfigError: ``--models record`` with a recording that cannot grow.
    """
    first = _run(recordings, build, options, on_progress, keep=True)
    calls = {one.recording.call: one for one in first.calls}
    for _ in range(_ROUNDS - 1):
        paths = [one.recording.path for one in calls.values() if one.grown]
        if not paths:
            break
        # A provider's answer comes in its own time, a recorded one in the recorded time: what
        # was new may lead to another conversation once it is not new any more.
        again = _run(read_recordings(paths), build, options, on_progress, keep=True)
        calls |= {one.recording.call: one for one in again.calls}
    return ReplaySet.of(first.build, list(calls.values()))


def verify(
    recordings: Sequence[Recording],
    build: Build,
    options: ReplayOptions,
    on_progress: Callable[[Progress], None],
    *,
    times: int,
) -> Verification:
    """:func:`replay` ``times`` over, and whether every run was the same. The first one is kept.

    Each run computes everything anew: none gets what another one remembered.
    """
    options = replace(options, memory=False)
    runs = [
        _run(recordings, build, options, on_progress, keep=number == 0) for number in range(times)
    ]
    differing: dict[str, Failure | None] = {}
    for number, one in enumerate(runs[0].calls):
        ended = [run.calls[number].outcome for run in runs]
        if len({_digest_of(outcome) for outcome in ended}) > 1:
            failures = (outcome.failure for outcome in ended)
            differing[one.recording.call] = next(filter(None, failures), None)
    return Verification(runs[0], tuple(run.digest for run in runs), differing)


def _run(
    recordings: Sequence[Recording],
    build: Build,
    options: ReplayOptions,
    on_progress: Callable[[Progress], None],
    *,
    keep: bool,
) -> ReplaySet:
    if not build.virtual:
        raise ConfigError(
            f"build `{build.name}` is no Python program on this machine, and virtual time is "
            "for those alone",
            where=f"builds.{build.name}",
            next_step="Call it in a real room: --transport room.",
        )
    identity = identify(build)
    require_supported(build.name, str(build.python), identity.versions)
    try:
        return _replay_all(recordings, build, identity, options, on_progress, keep=keep)
    except OSError as error:
        raise ReplayError(
            f"what a replay needs cannot be written: {error.strerror or error}",
            where=str(error.filename or options.state),
            next_step="Free space there, or make it a directory that can be written to.",
        ) from error


def _replay_all(
    recordings: Sequence[Recording],
    build: Build,
    identity: BuildIdentity,
    options: ReplayOptions,
    on_progress: Callable[[Progress], None],
    *,
    keep: bool,
) -> ReplaySet:
    if options.models == "record":
        _refuse_archives(recordings)
    home = replays_of(options.state, build.name)
    with work_directory(options.state, build.name) as name:
        work = Path(name)
        jobs, failed = make_jobs(recordings, identity, options, work)
        outcomes = {outcome.call: outcome for outcome in failed}
        if jobs:
            done = replay_calls(
                build,
                jobs,
                workers=options.workers,
                wall_limit_s=options.wall_limit_s,
                load_limit_s=options.load_limit_s,
                on_event=on_progress,
                load={"models": "cassette" if options.closed else "live", "seed": options.seed},
                everything=not options.closed,
                boot=options.boot,
            )
            outcomes |= {outcome.call: outcome for outcome in done}
        calls: list[Replayed] = []
        for recording in recordings:
            outcome = outcomes[recording.call]
            path = _keep(work, home, outcome) if keep else None
            grown = None
            if options.models == "record" and outcome.bundle is not None:
                grown = grow_cassette(recording.path, work / recording.call / "new")
            calls.append(Replayed(recording, outcome, path, grown is not None))
    forget(options.state)
    return ReplaySet.of(identity, calls)


def _refuse_archives(recordings: Sequence[Recording]) -> None:
    for recording in recordings:
        if not recording.path.is_dir():
            raise ConfigError(
                "new exchanges cannot be added to an archive",
                where=str(recording.path),
                next_step="Unpack it into a directory first, or replay with `--models live`.",
            )


def _keep(work: Path, home: Path, outcome: Outcome) -> Path | None:
    """Put the replay where the last run's was; what a failed call printed is kept beside it."""
    target = home / outcome.call
    shutil.rmtree(target, ignore_errors=True)
    home.mkdir(parents=True, exist_ok=True)
    log = home / f"{outcome.call}.log"
    log.unlink(missing_ok=True)
    if outcome.bundle is None:
        printed = work / outcome.call / "output.log"
        if printed.is_file():
            shutil.copyfile(printed, log)
        return None
    (work / "bundles" / outcome.call).replace(target)
    return target


def replays_of(state: Path, build: str) -> Path:
    """Where the last replays into a build lie, a directory a call."""
    return state / "replays" / file_name(build)


def _digest_of(outcome: Outcome) -> str | None:
    return outcome.bundle.manifest.digest if outcome.bundle is not None else None


def _digest(calls: Sequence[Replayed]) -> str | None:
    lines: list[str] = []
    for one in calls:
        digest = _digest_of(one.outcome)
        if digest is None:
            return None
        lines.append(f"{one.recording.call}\0{digest}\n")
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
