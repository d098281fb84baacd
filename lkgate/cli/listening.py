"""What of a run can be listened to: recordings, replays, the baselines' own replays if kept."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shlex import quote

from lkgate.bundle import read, read_baseline
from lkgate.cli.judging import take_name
from lkgate.errors import BundleError
from lkgate.measure import turns_of
from lkgate.model.bundle import BuildIdentity, Bundle
from lkgate.replay.run import Replayed
from lkgate.report.html import Sources, hear
from lkgate.report.html.sound import Side
from lkgate.rooms import RoomSet


def sources_of(replayed: Sequence[Replayed], state: Path) -> dict[str, Sources]:
    """Sound and recording of every call.

    Args:
        state: where the last replays lie; that of a baseline is known by its digest.

    Raises:
        BundleError: a file of audio is damaged.
    """
    cache = state / "heard"
    # libsndfile works without the interpreter's lock.
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = list(pool.map(lambda one: _sources(one, state, cache), replayed))
    used = {digest for _, digests in found for digest in digests}
    for left in cache.glob("*.ogg"):
        if left.stem not in used:
            left.unlink(missing_ok=True)
    return {one.recording.call: sources for one, (sources, _) in zip(replayed, found, strict=True)}


def sources_of_rooms(played: RoomSet, state: Path) -> dict[str, Sources]:
    """The same of calls over rooms; the baseline is the build placed in turn, if there is one.

    Raises:
        BundleError: a file of audio is damaged.
    """
    cache = state / "heard"
    found: dict[str, Sources] = {}
    for one in played.calls:
        sessions: dict[Side, tuple[Path | None, Bundle]] = {
            "recording": (one.recording.path, one.recording.bundle),
            "candidate": (one.candidate.path, one.candidate.bundle),
        }
        if one.baseline is not None:
            sessions["baseline"] = (one.baseline.path, one.baseline.bundle)
        name = take_name(one.recording.call, one.repeat, played.repeats)
        found[name] = _heard(one.recording.call, one.recording.bundle, sessions, cache)
    return found


def _sources(one: Replayed, state: Path, cache: Path) -> tuple[Sources, set[str]]:
    recording = one.recording
    sessions: dict[Side, tuple[Path | None, Bundle]] = {
        "recording": (recording.path, recording.bundle)
    }
    baseline = read_baseline(recording.path)
    if baseline is not None:
        kept = _kept(state, recording.call, baseline)
        sessions["baseline"] = (kept, baseline if kept is None else read(kept))
    if one.outcome.bundle is not None:
        sessions["candidate"] = (one.path, one.outcome.bundle)
    digests = {bundle.manifest.digest for _, bundle in sessions.values()}
    return _heard(recording.call, recording.bundle, sessions, cache), digests


def _heard(
    call: str,
    recording: Bundle,
    sessions: Mapping[Side, tuple[Path | None, Bundle]],
    cache: Path,
) -> Sources:
    mute = [(side, bundle.manifest.build) for side, (path, bundle) in sessions.items() if not path]
    return Sources(
        heard={
            side: hear(path, bundle, cache=cache)
            for side, (path, bundle) in sessions.items()
            if path is not None
        },
        recorded=turns_of(recording),
        durations_us={side: bundle.manifest.duration_us for side, (_, bundle) in sessions.items()},
        commands={side: _command(call, build) for side, build in mute if build is not None},
    )


def _command(call: str, build: BuildIdentity) -> str:
    """Makes a replay anew: of a build that still does what it did, it is the same."""
    return f"lkgate replay {quote(call)} --against {quote(build.name)} --no-gate"


def _kept(state: Path, call: str, baseline: Bundle) -> Path | None:
    """A replay of the baseline's very events and samples: it has the audio."""
    for path in sorted((state / "replays").glob(f"*/{call}")):
        try:
            if _content(read(path)) == _content(baseline):
                return path
        except BundleError:
            continue  # of another version, or being written by another run
    return None


def _content(bundle: Bundle) -> list[str]:
    manifest = bundle.manifest
    events = [entry.sha256 for entry in manifest.files if entry.path == "events.jsonl"]
    return [*events, *(track.pcm_sha256 for track in manifest.tracks)]
