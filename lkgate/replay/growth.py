"""``--models record``: what a provider answered becomes part of the recording's cassette."""

from __future__ import annotations

import shutil
from pathlib import Path

from lkgate.bundle import reseal
from lkgate.cassette.compact import compact
from lkgate.model.bundle import Bundle

CASSETTE = "cassette"
_INDEX = "index.jsonl"


def grow_cassette(recording: Path, new: Path, kind: str) -> Bundle | None:
    """Add the exchanges of the cassette in ``new`` to the recording's own, and seal it again.

    Exchanges that the recording has to the letter are not added twice. Blobs are named by their
    content, so copying them cannot overwrite another one. The index is replaced last, so that an
    exchange in it never lacks its blob.

    Args:
        recording: a bundle's directory.
        new: a cassette's directory, which may be absent or empty.
        kind: what the manifest says of the cassette so far.

    Returns:
        The bundle as sealed, ``None`` if there was nothing to add.

    Raises:
        BundleError: another file of the recording is not as it was written.
    """
    cassette = recording / CASSETTE
    had = _lines(cassette / _INDEX)
    known = set(had)
    added = [line for line in _lines(new / _INDEX) if line not in known]
    if not added:
        return None
    for blob in sorted(path for path in new.rglob("*") if path.is_file()):
        target = cassette / blob.relative_to(new)
        if blob.name != _INDEX and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(blob, target)
    cassette.mkdir(exist_ok=True)
    made = cassette / f"{_INDEX}.new"
    made.write_text("".join(f"{line}\n" for line in [*had, *added]), encoding="utf-8")
    made.replace(cassette / _INDEX)
    compact(cassette)
    return reseal(recording, cassette="partial" if kind == "none" else None)


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
