"""``--models record``: what a provider answered becomes part of the recording's cassette."""

from __future__ import annotations

from pathlib import Path

from lkgate.bundle import reseal
from lkgate.bundle.place import new_file
from lkgate.cassette.blobs import DIRECTORY as BLOBS
from lkgate.cassette.compact import compact
from lkgate.cassette.store import INDEX
from lkgate.model.bundle import Bundle

CASSETTE = "cassette"


def grow_cassette(recording: Path, new: Path) -> Bundle | None:
    """Add the exchanges of the cassette in ``new`` to the recording's own, and seal it again.

    Exchanges that the recording has to the letter are not added twice; those that it has stay
    where they are, so that its old index is the beginning of the new one. Every file appears
    whole: first blobs, then the index, the manifest last. Whatever moment a crash comes at, an
    exchange in the index never lacks its blob, and ``lkgate seal`` makes a whole recording of it,
    with all of the new exchanges or none.

    Args:
        recording: a bundle's directory.
        new: a cassette's directory, which may be absent or empty; its blobs are compressed here.

    Returns:
        The bundle as sealed, ``None`` if there was nothing to add.

    Raises:
        BundleError: another file of the recording is not as it was written.
    """
    cassette = recording / CASSETTE
    had = _lines(cassette / INDEX)
    known = set(had)
    added = [line for line in _lines(new / INDEX) if line not in known]
    if not added:
        return None
    compact(new)
    blobs = cassette / BLOBS
    for blob in sorted((new / BLOBS).iterdir()) if (new / BLOBS).is_dir() else []:
        if blob.suffix == ".new":
            continue  # a write that was cut off
        # Its name begins with its content's digest, however it is compressed.
        if not blobs.is_dir() or not any(blobs.glob(f"{blob.stem}*")):
            blobs.mkdir(parents=True, exist_ok=True)
            with new_file(blobs / blob.name) as made:
                made.write_bytes(blob.read_bytes())
    cassette.mkdir(exist_ok=True)
    with new_file(cassette / INDEX) as made:
        made.write_bytes(b"".join(line + b"\n" for line in [*had, *added]))
    return reseal(recording)


def _lines(path: Path) -> list[bytes]:
    """Texts in it may hold what Unicode counts as the end of a line: only ``\\n`` is one."""
    return path.read_bytes().split(b"\n")[:-1] if path.is_file() else []
