"""What each recording has of what a test case needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lkgate.bundle import read, read_baseline
from lkgate.errors import BundleError
from lkgate.measure import turns_of
from lkgate.model.bundle import Manifest
from lkgate.replay.recordings import ARCHIVE, UNFINISHED, require_name
from lkgate.suite.offer import stale_reasons

LabelState = Literal["reviewed", "draft", "none"]


@dataclass(frozen=True, slots=True)
class Held:
    """A recording that is whole.

    Attributes:
        baseline: the accepted replay's manifest, ``None`` if none was accepted.
        stale: why that does not count any more; empty if it does.
        damage: why the baseline that is there cannot be read; ``None`` if it can.
    """

    manifest: Manifest
    turns: int
    labels: LabelState
    baseline: Manifest | None
    stale: tuple[str, ...]
    damage: BundleError | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One recording.

    Attributes:
        held: what it has, or why that cannot be said.
    """

    call: str
    path: Path
    held: Held | BundleError

    @property
    def wrong(self) -> BundleError | None:
        """Why it, or its baseline, is not whole; ``None`` if both are."""
        return self.held.damage if isinstance(self.held, Held) else self.held


def entries(directory: Path) -> Iterator[Entry]:
    """Every recording right below ``directory``, by name; hidden and other files are ignored."""
    if not directory.is_dir():
        return
    for path in sorted(directory.iterdir()):
        if path.name.startswith(".") or not (path.is_dir() or path.suffix == ARCHIVE):
            continue
        call = path.name.removesuffix(ARCHIVE)
        yield Entry(call, path, _held(path))


def _held(path: Path) -> Held | BundleError:
    if path.name.endswith(UNFINISHED):
        return BundleError("was never finished", next_step=f"lkgate recover {path}")
    try:
        require_name(path)
        bundle = read(path, baseline=False)
    except BundleError as error:
        return error
    baseline, damage = None, None
    try:
        baseline = read_baseline(path)
    except BundleError as error:
        damage = error
    return Held(
        manifest=bundle.manifest,
        turns=len(turns_of(bundle)),
        labels=(
            "none" if bundle.labels is None else "reviewed" if bundle.labels.reviewed else "draft"
        ),
        baseline=None if baseline is None else baseline.manifest,
        stale=() if baseline is None else stale_reasons(path, bundle.manifest, baseline),
        damage=damage,
    )
