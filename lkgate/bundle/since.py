"""What became of a recording's cassette since a replay was answered from it."""

from __future__ import annotations

from pathlib import Path

from lkgate.bundle.canonical import sha256
from lkgate.bundle.reader import CASSETTE_INDEX, open_tree
from lkgate.model.bundle import FileEntry, Manifest
from lkgate.model.verdict import CassetteState


def cassette_index(manifest: Manifest) -> FileEntry | None:
    """The index of a recording's cassette, which stands for all of it: blobs go by their digests.

    ``None`` without a cassette.
    """
    return next((entry for entry in manifest.files if entry.path == CASSETTE_INDEX), None)


def cassette_since(recording: Path, answered_by: FileEntry | None) -> CassetteState:
    """Whether the cassette of ``recording`` still is, or begins with, the one of ``answered_by``.

    ``none``: there was none and there is none, so answers are derived anew each time.

    Args:
        recording: a directory or an archive, whole.
        answered_by: what a replay's manifest says.
    """
    tree = open_tree(recording)
    if answered_by is None:
        return "unknown" if CASSETTE_INDEX in tree.sizes else "none"
    now = tree.read(CASSETTE_INDEX) if CASSETTE_INDEX in tree.sizes else b""
    if sha256(now[: answered_by.bytes]) != answered_by.sha256:
        return "changed"
    return "same" if len(now) == answered_by.bytes else "grown"
