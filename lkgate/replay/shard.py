"""One run over several machines: each replays its share, and all shares together are the run.

A shard's directory holds ``shard.json`` (what was replayed, into what, how each call ended) and
``replays/<call>``, the bundles as a replay on one machine leaves them.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lkgate import __version__
from lkgate.bundle import cassette_index, read
from lkgate.bundle.canonical import JsonLike, parse, pretty
from lkgate.bundle.fields import Fields
from lkgate.bundle.manifest import build_in
from lkgate.bundle.place import new_directory
from lkgate.errors import BundleError, ConfigError
from lkgate.model.build import Build, Pipeline
from lkgate.model.bundle import BuildIdentity
from lkgate.replay.jobs import ReplayOptions
from lkgate.replay.names import file_name
from lkgate.replay.outcome import Failure, Outcome
from lkgate.replay.recordings import Recording
from lkgate.replay.run import Replayed, ReplaySet

FORMAT = 1
SHARD = "shard.json"
REPLAYS = "replays"
MOST = 999_999  # shards of one run
_PIPELINES: tuple[Pipeline, ...] = ("cascade", "realtime")
_AGAIN = "Run that shard again, and merge what it writes."


@dataclass(frozen=True, slots=True)
class Share:
    """Share ``number`` (from 1) of ``of``."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


@dataclass(frozen=True, slots=True)
class Run:
    """What all shards of one run have in common.

    Attributes:
        lkgate: the version that replayed.
        against: what names the build on a command line.
        build: what it was found to be.
        pipeline: the build's.
        settings: a digest of everything that a replay depends on besides the build and the calls.
        named: whether the calls were named on the command line, so that others are left out.
        recordings: every call of the run, in its order, and what identifies its recording.
    """

    lkgate: str
    against: str
    build: BuildIdentity
    pipeline: Pipeline
    settings: str
    named: bool
    recordings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Shard:
    """One share of a run, as it was read.

    Attributes:
        place: its directory.
        ends: how each of its calls ended: a replay's digest, or why there is none.
    """

    place: Path
    share: Share
    run: Run
    ends: Mapping[str, str | Failure]


def split(recordings: Sequence[Recording], share: Share) -> list[Recording]:
    """Those of ``recordings`` that are this share's, in their order; none if there are too few.

    The longest call goes to the share that has least so far: the same on every machine, whatever
    the order, and about as long for each.
    """
    lengths = [0] * share.of
    mine: set[str] = set()
    for one in sorted(recordings, key=lambda one: (-one.bundle.manifest.duration_us, one.call)):
        least = lengths.index(min(lengths))
        lengths[least] += one.bundle.manifest.duration_us
        if least == share.number - 1:
            mine.add(one.call)
    return [one for one in recordings if one.call in mine]


def run_of(
    against: str,
    build: Build,
    identity: BuildIdentity,
    options: ReplayOptions,
    recordings: Sequence[Recording],
    *,
    named: bool,
) -> Run:
    """The run that ``recordings``, all of them, are replayed in."""
    depends = (
        options.models,
        options.on_miss,
        options.pacing,
        options.tools.default.as_json(),
        sorted((name, one.as_json()) for name, one in options.tools.by_name.items()),
        options.patience_us,
        options.link_latency_us,
        options.seed,
    )
    return Run(
        lkgate=__version__,
        against=against,
        build=identity,
        pipeline=build.pipeline,
        settings=hashlib.sha256(repr(depends).encode()).hexdigest(),
        named=named,
        recordings={one.call: identity_of(one) for one in recordings},
    )


def identity_of(recording: Recording) -> str:
    """What a replay of this recording depends on: the call, and the cassette that answers."""
    index = cassette_index(recording.bundle.manifest)
    return f"{recording.bundle.manifest.digest}:{index.sha256 if index else 'none'}"


def write_shard(out: Path, share: Share, run: Run, calls: Sequence[Replayed]) -> None:
    """Put a share's replays and how they ended into ``out``, in place of an earlier shard there.

    Raises:
        ConfigError: ``out`` holds something else.
    """
    if out.exists() and not (out / SHARD).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(
            "this is no shard's directory, and is not empty",
            where=str(out),
            next_step="Name another one, or move it away.",
        )
    ends: dict[str, JsonLike] = {}
    with new_directory(out, durable=False, replace=True) as made:
        (made / REPLAYS).mkdir()
        for one in calls:
            call, bundle, failure = one.recording.call, one.outcome.bundle, one.outcome.failure
            if bundle is not None and one.path is not None:
                shutil.copytree(one.path, made / REPLAYS / call)
                ends[call] = {"digest": bundle.manifest.digest}
            else:
                assert failure is not None  # an outcome has a bundle or a failure
                ends[call] = {"failure": _failure_out(failure)}
        written: dict[str, JsonLike] = {
            "format": FORMAT,
            "shard": share.number,
            "of": share.of,
            "lkgate": run.lkgate,
            "against": run.against,
            "build": {
                "name": run.build.name,
                "digest": run.build.digest,
                "versions": dict(run.build.versions),
            },
            "pipeline": run.pipeline,
            "settings": run.settings,
            "named": run.named,
            "recordings": [
                {"call": call, "identity": identity} for call, identity in run.recordings.items()
            ],
            "calls": ends,
        }
        (made / SHARD).write_bytes(pretty(written))


def find_shards(places: Sequence[Path]) -> list[Path]:
    """The shards at ``places``: each one itself, or those right below it; none twice."""
    found: list[Path] = []
    for place in places:
        below = sorted(place.iterdir()) if place.is_dir() else []
        found += [path for path in (place, *below) if (path / SHARD).is_file()]
    return list({path.resolve(): path for path in found}.values())


def read_shard(place: Path) -> Shard:
    """What a shard says of itself; its replays are not looked at.

    Raises:
        BundleError: its file is damaged, or of a newer lkgate.
    """
    where = str(place / SHARD)
    try:
        value = parse((place / SHARD).read_bytes())
    except (OSError, ValueError) as error:
        raise BundleError(f"cannot be read: {error}", where=where, next_step=_AGAIN) from None
    fields = Fields(value, where=where, next_step=_AGAIN)
    if fields.integer("format", minimum=1) > FORMAT:
        raise BundleError(
            "this shard was written by a newer lkgate", where=where, next_step="Update lkgate."
        )
    of = fields.integer("of", minimum=1, maximum=MOST)
    build = build_in(fields.fields("build"))
    assert build is not None  # only null is None
    recordings = {
        one.text("call"): one.text("identity", empty=True) for one in fields.each("recordings")
    }
    run = Run(
        lkgate=fields.text("lkgate"),
        against=fields.text("against"),
        build=build,
        pipeline=fields.word("pipeline", _PIPELINES),
        settings=fields.text("settings"),
        named=fields.value("named") is True,
        recordings=recordings,
    )
    calls = fields.fields("calls")
    ends = {call: _end(calls.fields(call)) for call in calls.all()}
    if strange := sorted(set(ends) - set(recordings)):
        raise fields.wrong(f"calls has {', '.join(strange)}, and recordings has not")
    return Shard(place, Share(fields.integer("shard", minimum=1, maximum=of), of), run, ends)


def gather(shards: Sequence[Shard], recordings: Sequence[Recording], state: Path) -> ReplaySet:
    """The run that ``shards`` are the whole of, its replays put where one machine leaves them.

    Args:
        shards: of one run, none missing (:mod:`lkgate.replay.whole` says whether).
        recordings: all of the run, in its order.
        state: the project's ``.lkgate`` directory.

    Raises:
        BundleError: a replay is not whole, or not the one that its shard names.
    """
    run = shards[0].run
    home = state / REPLAYS / file_name(run.build.name)
    where = {call: shard for shard in shards for call in shard.ends}
    calls: list[Replayed] = []
    for one in recordings:
        shard = where[one.call]
        end = shard.ends[one.call]
        target = home / one.call
        if isinstance(end, Failure):
            shutil.rmtree(target, ignore_errors=True)
            calls.append(Replayed(one, Outcome(one.call, None, end, 0.0), None))
            continue
        source = shard.place / REPLAYS / one.call
        bundle = read(source)
        expected = (end, one.bundle.manifest.digest, run.build)
        manifest = bundle.manifest
        if (manifest.digest, manifest.recording_digest, manifest.build) != expected:
            raise BundleError(
                "this is not the replay that its shard names", where=str(source), next_step=_AGAIN
            )
        with new_directory(target, durable=False, replace=True) as made:
            shutil.copytree(source, made, dirs_exist_ok=True)
        calls.append(Replayed(one, Outcome(one.call, bundle, None, 0.0), target))
    return ReplaySet.of(run.build, calls)


def _end(fields: Fields) -> str | Failure:
    if fields.has("digest"):
        return fields.digest("digest")
    failure = fields.fields("failure")
    return Failure(
        failure.text("kind"),
        failure.text("message", empty=True),
        failure.optional_text("where"),
        failure.optional_text("next_step"),
    )


def _failure_out(failure: Failure) -> JsonLike:
    return {
        "kind": failure.kind,
        "message": failure.message,
        "where": failure.where,
        "next_step": failure.next_step,
    }
