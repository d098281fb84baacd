"""A replay that could become a recording's baseline, and what that would change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from lkgate.bundle import cassette_since, mend_baseline, read, read_baseline, strip_audio
from lkgate.bundle.reader import BASELINE
from lkgate.diff.comparison import Comparison, compare
from lkgate.errors import BundleError, ConfigError
from lkgate.gate.metrics import acceptance, baseline_of, metric_versions
from lkgate.measure.session import session_of
from lkgate.model.bundle import BuildIdentity, Bundle, Manifest
from lkgate.replay.recordings import Recording
from lkgate.suite.signature import Signature


@dataclass(frozen=True, slots=True)
class Offer:
    """One replay to accept.

    Attributes:
        replay: its directory.
        bundle: what it holds.
        before: the baseline that it would replace, ``None`` if there is none that can be read.
        comparison: of that baseline with the replay, ``None`` without one.
        stale: why the baseline does not count any more, in words; empty if it does.
    """

    recording: Recording
    replay: Path
    bundle: Bundle
    before: Bundle | None
    comparison: Comparison | None
    stale: tuple[str, ...]

    @property
    def unchanged(self) -> bool:
        """Whether accepting it would change nothing: the very session, bound to the same."""
        before = None if self.before is None else self.before.manifest
        now = self.bundle.manifest
        return (
            before is not None
            and not self.stale
            and before.digest == now.digest
            and before.answered_by == now.answered_by
            and not self.new_metrics
        )

    @property
    def new_metrics(self) -> int:
        """How many metrics there are that the baseline was accepted without."""
        if self.before is None:
            return 0
        return len(metric_versions().keys() - baseline_of(self.before).metric_versions.keys())


def offers(
    recordings: Sequence[Recording], home: Path, build: str, identity: BuildIdentity | None
) -> list[Offer]:
    """The last replay of a build for each recording, compared with the baseline of now.

    Args:
        home: where the build's last replays lie.
        build: its name, for messages.
        identity: what the build is now, ``None`` if that is not to be checked.

    Raises:
        ConfigError: there is no replay of a recording, or no place for a baseline.
        BundleError: a replay is of another recording, cassette or build than now.
    """
    return [_offer(recording, home, build, identity) for recording in recordings]


def accept(offer: Offer, signature: Signature) -> None:
    """Make the replay the baseline; what a crash leaves of that, the next one mends.

    Raises:
        BundleError: the replay is not whole any more.
    """
    bound = {
        **acceptance(),
        **signature.as_json(),
        "replaces": None if offer.before is None else offer.before.manifest.digest,
    }
    strip_audio(offer.replay, offer.recording.path / BASELINE, accepted=bound)


def stale_reasons(recording: Path, of: Manifest, baseline: Bundle) -> tuple[str, ...]:
    """Why a baseline does not count any more, in words; empty if it does.

    Args:
        of: the recording's manifest.
    """
    if baseline.manifest.recording_digest != of.digest:
        return ("it was made from another state of the recording",)
    found = []
    if cassette_since(recording, baseline.manifest.answered_by) == "changed":
        found.append("exchanges of the cassette that answered it were changed")
    accepted = baseline_of(baseline).metric_versions
    changed = [
        name
        for name, version in metric_versions().items()
        if accepted.get(name, version) != version
    ]
    if changed:
        found.append(f"for rules on {', '.join(changed)}, whose definition changed since")
    return tuple(found)


def _offer(recording: Recording, home: Path, build: str, identity: BuildIdentity | None) -> Offer:
    if not recording.path.is_dir():
        raise ConfigError(
            "a baseline stands beside its recording, and an archive has no room for it",
            where=str(recording.path),
            next_step=f"Run `lkgate unpack {recording.path}`, and remove the archive.",
        )
    mend_baseline(recording.path)
    replay = home / recording.call
    if not replay.is_dir():
        raise ConfigError(
            f"there is no replay of {recording.call!r} into {build!r}",
            next_step=f"Run `{_replaying(recording, build)}` first.",
        )
    found = read(replay)
    _check(recording, replay, found, build, identity)
    before: Bundle | None = None
    stale: tuple[str, ...] = ()
    try:
        before = read_baseline(recording.path)
    except BundleError as error:
        stale = (f"{error.where}: {error.what}",)
    if before is not None:
        stale = stale_reasons(recording.path, recording.bundle.manifest, before)
    labels = recording.bundle.labels
    return Offer(
        recording=recording,
        replay=replay,
        bundle=found,
        before=before,
        comparison=(
            None
            if before is None
            else compare(session_of(before, labels), session_of(found, labels))
        ),
        stale=stale,
    )


def _check(
    recording: Recording, replay: Path, found: Bundle, build: str, identity: BuildIdentity | None
) -> None:
    """Refuse a replay of what is not there any more."""
    manifest = found.manifest
    what = None
    if manifest.recording_digest != recording.bundle.manifest.digest:
        what = "this replay was made from another recording"
    elif cassette_since(recording.path, manifest.answered_by) == "changed":
        what = "the cassette that answered this replay was changed since"
    elif identity is not None and manifest.build is not None:
        if identity.digest != manifest.build.digest:
            what = f"the program of {build!r} was changed since this replay"
        elif dict(identity.versions) != dict(manifest.build.versions):
            what = f"the packages of {build!r} have other versions than in this replay"
    if what is not None:
        raise BundleError(
            what,
            where=str(replay),
            next_step=f"Run `{_replaying(recording, build)}` again.",
        )


def _replaying(recording: Recording, build: str) -> str:
    return f"lkgate replay {quote(recording.call)} --against {quote(build)}"
