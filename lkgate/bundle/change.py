"""What may be made of a closed bundle: an archive, a baseline, the same with a grown cassette."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lkgate.bundle.archive import archive_bytes, check_archive
from lkgate.bundle.canonical import JsonLike
from lkgate.bundle.events import EVENTS
from lkgate.bundle.manifest import (
    MANIFEST,
    CassetteKind,
    amend,
    files_out,
    tracks_out,
)
from lkgate.bundle.place import mend_directory, new_directory, new_file, remove_leftovers
from lkgate.bundle.reader import (
    BASELINE,
    CASSETTE,
    LABELS,
    hash_of,
    open_tree,
    read,
    read_manifest,
    read_tree,
)
from lkgate.bundle.tree import Directory, Overlay
from lkgate.errors import BundleError
from lkgate.model.bundle import Bundle
from lkgate.model.event import Json

BLOBS = "blobs"
LEFT_OUT = "left out of a baseline, kept by its digest"


def pack(bundle: Path, out: Path) -> None:
    """Write the bundle in the directory ``bundle`` as the archive ``out``.

    The same files give the same bytes, everywhere and always.

    Raises:
        BundleError: if the bundle is not whole.
    """
    read(bundle)
    tree = open_tree(bundle)
    check_archive(tree.sizes, tree.where)
    with new_file(out) as made, made.open("wb") as file:
        for chunk in archive_bytes(tree.sizes, tree.read):
            file.write(chunk)


def unpack(archive: Path, out: Path) -> Bundle:
    """Write the archive's files into the directory ``out``, which must not exist.

    Raises:
        BundleError: if the archive is not whole, or ``out`` is in the way.
    """
    bundle = read(archive)
    tree = open_tree(archive)
    with new_directory(out, durable=False) as made:
        for path in tree.sizes:
            (made / path).parent.mkdir(parents=True, exist_ok=True)
            (made / path).write_bytes(tree.read(path))
    return bundle


def strip_audio(bundle: Path, out: Path, *, accepted: Mapping[str, Json] | None = None) -> Bundle:
    """Write a baseline: the same session with its audio, cassette and labels left out.

    Its digest is that of the whole bundle. A baseline that is in ``out`` already is replaced, whole
    or damaged.

    Args:
        bundle: a replay, directory or archive.
        out: usually ``baseline/`` in the recording's directory.
        accepted: what the acceptance is bound to besides the recording and the build.

    Raises:
        BundleError: if the bundle is not whole, or ``out`` is something else than a bundle.
    """
    whole = read(bundle)
    tree = open_tree(bundle)
    # What has no file but a baseline's was one, whatever became of it.
    if out.exists() and not Directory(out).sizes.keys() <= {MANIFEST, EVENTS}:
        read_manifest(Directory(out))
    tracks = tuple(
        replace(track, path=None, absent_reason=track.absent_reason or LEFT_OUT)
        for track in whole.manifest.tracks
    )
    changes: dict[str, JsonLike] = {
        "tracks": tracks_out(tracks),
        "cassette": "none",
        "files": files_out([hash_of(tree, EVENTS)]),
        "accepted": dict(accepted or {}),
    }
    with new_directory(out, durable=True, replace=True, beside=_aside(out)) as made:
        (made / EVENTS).write_bytes(tree.read(EVENTS))
        (made / MANIFEST).write_bytes(amend(tree.read(MANIFEST), changes))
    return read(out)


def mend_baseline(recording: Path) -> None:
    """Undo what a :func:`strip_audio` into the recording's directory left that was cut off."""
    out = recording / BASELINE
    mend_directory(out, _aside(out))
    mend_directory(out, out)  # where earlier versions left it


def _aside(out: Path) -> Path:
    """Beside the recording and not in it, where a file too many would make it no bundle."""
    recording = out.parent.resolve()
    return recording.with_name(f"{recording.name}.{out.name}")


def reseal(bundle: Path, *, cassette: CassetteKind | None = None) -> Bundle:
    """Take the files of ``cassette/`` and ``labels.yaml`` as they are now into the manifest.

    For a cassette that ``--models record`` added exchanges to, and for labels that a person
    edited. Everything else must be as it was written, and the session's digest stays. The
    manifest is replaced whole, last; half-written files that an earlier attempt left are removed.
    So a crash at any moment is mended by doing it again.

    Args:
        bundle: a directory.
        cassette: what the cassette holds now, ``None`` to leave what the manifest says, as far as
            that can be: of a cassette that the manifest does not know yet it says "partial".

    Raises:
        BundleError: if another file than those was changed, or the labels do not follow their
            schema.
    """
    if not bundle.is_dir():
        raise BundleError(
            "is no directory", where=str(bundle), next_step="Unpack it and seal the directory."
        )
    remove_leftovers(bundle, MANIFEST)
    remove_leftovers(bundle / CASSETTE)
    remove_leftovers(bundle / CASSETTE / BLOBS)
    tree = Directory(bundle)
    manifest = read_manifest(tree)
    kept = [entry for entry in manifest.files if not _may_change(entry.path)]
    found = [hash_of(tree, path) for path in tree.sizes if _may_change(path)]
    held = any(entry.path.startswith(CASSETTE + "/") for entry in found)
    kind = manifest.cassette if manifest.cassette != "none" else "partial"
    changes: dict[str, JsonLike] = {
        "files": files_out([*kept, *found]),
        "cassette": (cassette or kind) if held else "none",
    }
    if cassette == "full":
        changes["absent"] = {
            key: reason for key, reason in manifest.absent.items() if key != CASSETTE
        }
    data = amend(tree.read(MANIFEST), changes)
    sealed = read_tree(Overlay(tree, MANIFEST, data))
    with new_file(bundle / MANIFEST) as made:
        made.write_bytes(data)
    return sealed


def _may_change(path: str) -> bool:
    """Whether a file may change after the bundle was closed."""
    return path == LABELS or path.startswith(CASSETTE + "/")
