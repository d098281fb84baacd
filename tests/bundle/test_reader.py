"""Reading fails closed: what is not exactly as it was written is an error, never a pass."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lkgate import bundle
from lkgate.bundle.manifest import amend
from lkgate.errors import BundleError
from lkgate.model.event import Json
from lkgate.model.label import ExpectedTool, Labels
from tests.bundle.sessions import make_bundle, make_replay, manifest_of, paths_of, write_journal

FILES = [
    "audio/agent.flac",
    "audio/caller.flac",
    "baseline/events.jsonl",
    "baseline/manifest.json",
    "cassette/blobs/ab12",
    "cassette/index.jsonl",
    "events.jsonl",
    "labels.yaml",
    "manifest.json",
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording that no test leaves altered."""
    root = make_bundle(tmp_path_factory.mktemp("shared"))
    assert paths_of(root) == FILES
    return root


@pytest.fixture
def root(shared: Path, tmp_path: Path) -> Path:
    """A recording to spoil."""
    return Path(shutil.copytree(shared, tmp_path / "call"))


def _change(root: Path, **changes: Json) -> None:
    """Replace fields of the manifest, with a right seal, as a forger would."""
    path = root / "manifest.json"
    path.write_bytes(amend(path.read_bytes(), changes))


def _refused(root: Path) -> BundleError:
    with pytest.raises(BundleError) as caught:
        bundle.read(root)
    return caught.value


def test_a_whole_bundle(root: Path) -> None:
    found = bundle.verify(root)
    assert bundle.read(root) == found
    assert found.labels == Labels(
        reviewed=True,
        caller=("Hello.",),
        tools=(ExpectedTool("book", {"day": "monday", "people": 2}),),
        outcome="booked",
        cohort={"language": "en", "noise": "no"},
    )
    baseline = bundle.read_baseline(root)
    assert baseline is not None
    assert baseline.manifest.recording_digest == found.manifest.digest
    assert baseline.manifest.accepted == {"metrics": {"latency": 1}}
    shutil.rmtree(root / "baseline")
    assert bundle.read_baseline(root) is None
    assert bundle.read(root) == found


@settings(max_examples=400)
@given(
    path=st.sampled_from(FILES),
    place=st.integers(0, 1 << 30),
    flip=st.integers(1, 255),
)
def test_one_altered_byte_in_any_file(shared: Path, path: str, place: int, flip: int) -> None:
    file = shared / path
    whole = file.read_bytes()
    data = bytearray(whole)
    data[place % len(data)] ^= flip
    file.write_bytes(data)
    try:
        error = _refused(shared)
    finally:
        file.write_bytes(whole)
    assert error.where is not None
    assert error.where.startswith(str(shared))


def test_every_single_byte_of_the_manifest(shared: Path) -> None:
    file = shared / "manifest.json"
    whole = file.read_bytes()
    try:
        for place in range(len(whole)):
            data = bytearray(whole)
            data[place] ^= 1 << (place % 8)
            file.write_bytes(data)
            _refused(shared)
    finally:
        file.write_bytes(whole)


@settings(max_examples=60)
@given(path=st.sampled_from(FILES), share=st.floats(0, 0.999))
def test_truncated(shared: Path, path: str, share: float) -> None:
    file = shared / path
    whole = file.read_bytes()
    file.write_bytes(whole[: int(share * len(whole))])
    try:
        _refused(shared)
    finally:
        file.write_bytes(whole)


@pytest.mark.parametrize("path", FILES)
def test_missing(root: Path, path: str) -> None:
    (root / path).unlink()
    error = _refused(root)
    name = path.split("/")[-1]
    expected = "no bundle: it has no manifest.json" if name == "manifest.json" else "is missing"
    assert error.what == expected


@pytest.mark.parametrize("path", FILES)
def test_longer(root: Path, path: str) -> None:
    with (root / path).open("ab") as file:
        file.write(b"\n")
    _refused(root)


@pytest.mark.parametrize("path", ["extra.txt", "audio/x.flac", "baseline/x", "cassette/blobs/0"])
def test_a_file_too_many(root: Path, path: str) -> None:
    (root / path).write_text("x")
    error = _refused(root)
    assert (error.what, error.where) == (
        "is not in the manifest's list of files",
        f"{root}/{path}",
    )


def test_a_hidden_file_is_named_with_what_to_do(root: Path) -> None:
    (root / ".DS_Store").write_text("x")
    assert str(_refused(root)) == (
        f"{root}/.DS_Store: is not in the manifest's list of files\n"
        "  If it is not part of the recording, delete it."
    )


def test_what_an_interrupted_write_left(root: Path) -> None:
    left = root / ".baseline.new-123.tmp"
    left.mkdir()
    (left / "events.jsonl").write_text("")
    assert str(_refused(root)) == (
        f"{left}: is what an interrupted lkgate left behind\n  Delete it."
    )


def _link_to_file(root: Path) -> None:
    (root / "events.jsonl").rename(root.parent / "elsewhere")
    (root / "events.jsonl").symlink_to(root.parent / "elsewhere")


def _link_to_directory(root: Path) -> None:
    (root / "audio").rename(root.parent / "elsewhere")
    (root / "audio").symlink_to(root.parent / "elsewhere")


def _pipe(root: Path) -> None:
    (root / "events.jsonl").unlink()
    os.mkfifo(root / "events.jsonl")


@pytest.mark.parametrize("spoil", [_link_to_file, _link_to_directory, _pipe])
def test_links_and_devices(root: Path, spoil: Callable[[Path], None]) -> None:
    spoil(root)
    assert _refused(root).what == "a bundle holds plain files only, no links or devices"


@pytest.mark.parametrize(
    "path",
    ["../out", "/etc/passwd", "a/../../b", "a//b", "./a", "a\\b", "c:/x", "a\nb", "a/", "x.", ""],
)
def test_paths_that_leave_the_bundle(root: Path, path: str) -> None:
    files = manifest_of(root)["files"]
    assert isinstance(files, list)
    # Order is checked after the paths.
    _change(root, files=[*files, {"path": path, "bytes": 0, "sha256": "0" * 64}])
    error = _refused(root)
    assert "is no path of a bundle" in error.what or error.what.endswith("should be text")


def test_names_that_are_one_on_some_systems(root: Path) -> None:
    (root / "Events.jsonl").write_text("")
    assert "differ only in case" in _refused(root).what


def test_a_forged_digest(root: Path) -> None:
    _change(root, digest="0" * 64)
    assert _refused(root).what == ("the session's digest is not that of its events and audio")


@pytest.mark.parametrize(
    "change",
    [{"room": "x"}, {"duration_us": 1}, {"session": {}}, {"build": None}, {"id": "x"}],
    ids=lambda change: next(iter(change)),
)
def test_forged_fields_do_not_match_the_digest(shared: Path, change: dict[str, Json]) -> None:
    baseline = shared / "baseline"
    whole = (baseline / "manifest.json").read_bytes()
    try:
        (baseline / "manifest.json").write_bytes(amend(whole, change))
        assert _refused(baseline).what.startswith("the session's digest")
    finally:
        (baseline / "manifest.json").write_bytes(whole)


def test_forged_audio_is_found_when_it_is_decoded(root: Path) -> None:
    caller, agent = root / "audio" / "caller.flac", root / "audio" / "agent.flac"
    shutil.copyfile(agent, caller)
    files = manifest_of(root)["files"]
    assert isinstance(files, list)
    by_path = {str(entry["path"]): entry for entry in files if isinstance(entry, dict)}
    by_path["audio/caller.flac"] = {**by_path["audio/agent.flac"], "path": "audio/caller.flac"}
    _change(root, files=[by_path[path] for path in sorted(by_path)])
    found = bundle.read(root)
    with pytest.raises(BundleError, match=r"holds \('FLAC', 'PCM_16', 1, 8000, 3200\), expected"):
        bundle.verify(root)
    with pytest.raises(BundleError):
        bundle.read_pcm(root, found.manifest.tracks[0])


def test_samples_of_the_right_number_that_were_not_recorded(root: Path) -> None:
    caller, agent = bundle.read(root).manifest.tracks
    forged = replace(caller, pcm_sha256=agent.pcm_sha256)
    with pytest.raises(BundleError, match="its samples are not those recorded"):
        bundle.read_pcm(root, forged)


def test_a_newer_reader_is_needed(root: Path) -> None:
    _change(root, format=9, min_reader=2)
    assert str(_refused(root)) == (
        f"{root}/manifest.json: bundle format 9 is newer than this lkgate knows (1)\n"
        "  Update lkgate: python -m pip install --upgrade lkgate"
    )
    # Also where the rest of the file is nothing that this version could read.
    (root / "manifest.json").write_text(json.dumps({"format": 3, "min_reader": 3, "x": []}))
    assert "is newer than this lkgate knows" in _refused(root).what


def test_a_newer_bundle_that_this_reader_can_read(root: Path) -> None:
    whole = bundle.read(root)
    _change(root, format=2, some_new_field={"a": 1})
    found = bundle.read(root)
    assert (found.manifest.format, found.manifest.digest) == (2, whole.manifest.digest)


def test_the_baseline_of_another_recording(root: Path, tmp_path: Path) -> None:
    other = bundle.close_journal(write_journal(tmp_path / "j", {"id": "b"}), tmp_path / "b")
    replay = make_replay(tmp_path, other)
    shutil.rmtree(root / "baseline")
    bundle.strip_audio(replay, root / "baseline")
    # Read, for a gate says of it that it is stale; but nothing that is whole.
    assert bundle.read(root).manifest.digest != other.manifest.digest
    stale = bundle.read_baseline(root)
    assert stale is not None
    assert stale.manifest.recording_digest == other.manifest.digest
    with pytest.raises(BundleError) as caught:
        bundle.verify(root)
    assert str(caught.value) == (
        f"{root}/baseline: the baseline was made from another recording\n"
        "  Replace it: lkgate replay call --against BUILD --no-gate && "
        "lkgate accept call --build BUILD"
    )


def test_a_baseline_has_no_baseline(root: Path) -> None:
    shutil.copytree(root / "baseline", root.parent / "copy")
    shutil.move(root.parent / "copy", root / "baseline" / "baseline")
    assert _refused(root).what == "is not in the manifest's list of files"


def test_edited_labels_are_named_with_what_to_do(root: Path) -> None:
    path = root / "labels.yaml"
    path.write_text(path.read_text().replace("Hello.", "Hallo."))
    assert str(_refused(root)) == (
        f"{root}/labels.yaml: is not as it was written (its sha256 differs)\n"
        f"  If that change of the labels is yours: lkgate seal {root}"
    )


def test_no_bundle(tmp_path: Path) -> None:
    assert str(_refused(tmp_path / "x")) == (
        f"{tmp_path}/x: no such bundle\n  Give a bundle's directory, or an .lkb file."
    )
    assert str(_refused(tmp_path)) == f"{tmp_path}: no bundle: it has no manifest.json"
    write_journal(tmp_path / "j", finish=False)
    assert str(_refused(tmp_path / "j")) == (
        f"{tmp_path}/j: the recording was never closed\n"
        f"  Close what there is of it: lkgate recover {tmp_path}/j"
    )


def _lines(**fields: Json) -> str:
    return json.dumps({"t_us": 0, "seq": 0, "kind": "x", "data": {}, **fields}) + "\n"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{\n", "no JSON: Expecting property name"),
        ("[" * 100_000 + "\n", "no JSON"),
        ("[]\n", "no event"),
        (_lines(t_us=-1), "out of order"),
        (_lines(t_us=1.0), "no event"),
        (_lines(t_us=True), "no event"),
        (_lines(seq=1), "out of order"),
        (_lines(kind=""), "no event"),
        (_lines(data=None), "no event"),
        (_lines(t_us=5) + _lines(seq=1, t_us=4), "out of order"),
        (_lines()[:-1], "ends within a line"),
    ],
)
def test_events_of_the_wrong_shape(text: str, what: str) -> None:
    from lkgate.bundle.events import decode_events

    with pytest.raises(BundleError) as caught:
        decode_events(text.encode(), "events.jsonl")
    assert caught.value.what.startswith(what)
    assert caught.value.where is not None
    assert caught.value.where.startswith("events.jsonl:")


@pytest.fixture(autouse=True)
def _shared_stays_whole(shared: Path) -> Iterator[None]:
    yield
    bundle.read(shared)
