"""Reading bundles. Whatever is not exactly as it was written is a :class:`BundleError`."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from lkgate.bundle.archive import SUFFIX, Archive
from lkgate.bundle.audio import Pcm, decoded, joined
from lkgate.bundle.canonical import sha256
from lkgate.bundle.events import EVENTS, decode_events
from lkgate.bundle.journal import DIRECTORY as JOURNAL
from lkgate.bundle.journal import HEADER
from lkgate.bundle.manifest import ALTERED, MANIFEST, decode_manifest, session_digest
from lkgate.bundle.tree import Directory, Subtree, Tree
from lkgate.errors import BundleError
from lkgate.model.bundle import Bundle, FileEntry, Manifest, Track

LABELS = "labels.yaml"
BASELINE = "baseline"
CASSETTE = "cassette"
CASSETTE_INDEX = "cassette/index.jsonl"

MAX_MANIFEST_BYTES = 1 << 25
MAX_EVENTS_BYTES = 1 << 29


def open_tree(path: Path) -> Tree:
    """The files of the bundle at ``path``, a directory or an archive.

    Raises:
        BundleError: if there is none, or its files are not a bundle's.
    """
    if path.is_dir():
        return Directory(path)
    if path.is_file():
        archive = Archive(path)
        archive.check()
        return archive
    raise BundleError(
        "no such bundle",
        where=str(path),
        next_step=f"Give a bundle's directory, or an {SUFFIX} file.",
    )


def read(path: Path, *, baseline: bool = True) -> Bundle:
    """Read a bundle and check that every file is as it was written.

    Audio is not decoded: that is :func:`read_pcm` and :func:`verify`. A ``baseline/`` inside is
    read as well; that it belongs to this recording is for :func:`verify` and for who judges by it.

    Args:
        path: a directory or an ``.lkb`` archive.
        baseline: ``False`` for who will replace that one, whatever it is.

    Raises:
        BundleError: if a byte of any file, a name or a size is not as written, a file is missing
            or too many, or the format is newer than this version reads.
    """
    return read_tree(open_tree(path), baseline=baseline)


def read_baseline(path: Path) -> Bundle | None:
    """The accepted replay of the recording at ``path``, ``None`` if it has none.

    Raises:
        BundleError: if the recording or its baseline is not whole. That it was made from this
            very recording is for the caller to see: one that was not is stale.
    """
    tree = open_tree(path)
    read_tree(tree, baseline=False)
    return _baseline(tree)


def read_pcm(path: Path, track: Track) -> Pcm:
    """The samples of one track of the bundle at ``path``, checked against its digest.

    Raises:
        BundleError: if the bundle does not hold the track's audio, or it is not as recorded.
    """
    tree = Directory(path) if path.is_dir() else Archive(path)
    return joined(_pcm(tree, track), track.samples)


def verify(path: Path) -> Bundle:
    """:func:`read`, and every track is decoded and compared with its digest.

    Raises:
        BundleError: also if the baseline was made from another recording.
    """
    tree = open_tree(path)
    bundle = read_tree(tree)
    baseline = Subtree(tree, BASELINE)
    if baseline.sizes and read_manifest(baseline).recording_digest != bundle.manifest.digest:
        raise BundleError(
            "the baseline was made from another recording",
            where=baseline.where,
            next_step=f"Replace it: {_replacing(tree)}",
        )
    for track in bundle.manifest.tracks:
        if track.path is not None:
            for _ in _pcm(tree, track):
                pass  # it is compared at the end
    return bundle


def read_manifest(tree: Tree) -> Manifest:
    """The manifest of a tree; the files it lists are not looked at.

    Raises:
        BundleError: if there is none or it is not as written.
    """
    return decode_manifest(_manifest_bytes(tree), f"{tree.where}/{MANIFEST}")


def hash_of(tree: Tree, path: str) -> FileEntry:
    """The entry that lists ``path`` in a manifest."""
    return FileEntry(path, tree.sizes[path], tree.sha256(path))


def _manifest_bytes(tree: Tree) -> bytes:
    if MANIFEST not in tree.sizes:
        if f"{JOURNAL}/{HEADER}" in tree.sizes:
            raise BundleError(
                "the recording was never closed",
                where=tree.where,
                next_step=f"Close what there is of it: lkgate recover {tree.where}",
            )
        raise BundleError(f"no bundle: it has no {MANIFEST}", where=tree.where)
    if tree.sizes[MANIFEST] > MAX_MANIFEST_BYTES:
        raise BundleError("too large", where=f"{tree.where}/{MANIFEST}")
    return tree.read(MANIFEST)


def _baseline(tree: Tree) -> Bundle | None:
    """The baseline in a recording's tree. It can be made anew, and the error says how."""
    inside = Subtree(tree, BASELINE)
    if not inside.sizes:
        return None
    try:
        return read_tree(inside, nested=True)
    except BundleError as error:
        if error.next_step not in (None, ALTERED):
            raise
        raise BundleError(
            error.what,
            where=error.where,
            next_step=f"Get it again from where it came, or replace it: {_replacing(tree)}",
        ) from None


def _replacing(tree: Tree) -> str:
    call = shlex.quote(Path(tree.where).resolve().name.removesuffix(SUFFIX))
    return f"lkgate replay {call} --against BUILD --no-gate && lkgate accept {call} --build BUILD"


def read_tree(tree: Tree, *, nested: bool = False, baseline: bool = True) -> Bundle:
    """:func:`read` for files that are open already; ``nested`` for a baseline in a recording."""
    manifest = read_manifest(tree)
    held = _check_files(tree, manifest, nested=nested)
    where = f"{tree.where}/{EVENTS}"
    events = decode_events(held[EVENTS], where)
    if session_digest(manifest, sha256(held[EVENTS])) != manifest.digest:
        raise BundleError(
            "the session's digest is not that of its events and audio",
            where=f"{tree.where}/{MANIFEST}",
            next_step=ALTERED,
        )
    labels = None
    if LABELS in held:
        # Imported here: YAML and JSON Schema cost more than the rest of a bundle without labels.
        from lkgate.bundle.labels import decode_labels

        labels = decode_labels(held[LABELS], f"{tree.where}/{LABELS}")
    if baseline and not nested:
        _baseline(tree)
    return Bundle(manifest, events, labels)


def _check_files(tree: Tree, manifest: Manifest, *, nested: bool) -> Mapping[str, bytes]:
    """Compare the files with the manifest's list; return those that are parsed."""
    listed = {entry.path: entry for entry in manifest.files}
    for path in sorted(tree.sizes):
        inside = path.split("/")[0] == BASELINE and not nested
        if path != MANIFEST and not inside and path not in listed:
            raise _not_as_listed(tree, path, "is not in the manifest's list of files")
    if EVENTS not in listed:
        raise BundleError(f"lists no {EVENTS}", where=f"{tree.where}/{MANIFEST}")
    held: dict[str, bytes] = {}
    for path, entry in listed.items():
        size = tree.sizes.get(path)
        if size is None:
            raise _not_as_listed(tree, path, "is missing")
        if size != entry.bytes:
            raise _not_as_listed(tree, path, f"has {size} bytes instead of {entry.bytes}")
        if path in (EVENTS, LABELS):
            if size > MAX_EVENTS_BYTES:
                raise BundleError("too large", where=f"{tree.where}/{path}")
            held[path] = tree.read(path)
            found = sha256(held[path])
        else:
            found = tree.sha256(path)
        if found != entry.sha256:
            raise _not_as_listed(tree, path, "is not as it was written (its sha256 differs)")
    return held


def _not_as_listed(tree: Tree, path: str, what: str) -> BundleError:
    if path == LABELS:
        next_step = f"If that change of the labels is yours: lkgate seal {tree.where}"
    elif path.startswith(CASSETTE + "/"):
        next_step = f"If a replay with `--models record` was cut off: lkgate seal {tree.where}"
    elif path.startswith("."):
        next_step = "If it is not part of the recording, delete it."
    else:
        next_step = ALTERED
    return BundleError(what, where=f"{tree.where}/{path}", next_step=next_step)


def _pcm(tree: Tree, track: Track) -> Iterator[Pcm]:
    """Its samples, a block at a time; that they are those recorded is known after the last."""
    if track.path is None:
        raise BundleError(
            f"holds no audio of track {track.id}: {track.absent_reason}", where=tree.where
        )
    where = f"{tree.where}/{track.path}"
    if track.path not in tree.sizes:
        raise BundleError("is missing", where=where, next_step=ALTERED)
    digest = hashlib.sha256()
    with tree.file(track.path) as file:
        for block in decoded(
            file, sample_rate_hz=track.sample_rate_hz, samples=track.samples, where=where
        ):
            digest.update(block.astype("<i2", copy=False).data.cast("B"))
            yield block
    if digest.hexdigest() != track.pcm_sha256:
        raise BundleError("its samples are not those recorded", where=where, next_step=ALTERED)
