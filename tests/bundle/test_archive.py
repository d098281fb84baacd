"""``.lkb``: one archive of a bundle, and no other passes."""

from __future__ import annotations

import io
import shutil
import stat
import struct
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lkgate import bundle
from lkgate.bundle import archive
from lkgate.errors import BundleError
from tests.bundle.sessions import make_bundle, paths_of


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def packed(whole: Path) -> bytes:
    path = whole.with_suffix(".lkb")
    bundle.pack(whole, path)
    return path.read_bytes()


def _refused(path: Path, data: bytes) -> BundleError:
    path.write_bytes(data)
    with pytest.raises(BundleError) as caught:
        bundle.read(path)
    return caught.value


def test_an_archive_reads_as_its_directory(whole: Path, packed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "call.lkb"
    path.write_bytes(packed)
    assert bundle.read(path) == bundle.read(whole)
    assert bundle.verify(path) == bundle.verify(whole)
    assert bundle.read_baseline(path) == bundle.read_baseline(whole)
    for track in bundle.read(whole).manifest.tracks:
        np.testing.assert_array_equal(bundle.read_pcm(path, track), bundle.read_pcm(whole, track))


def test_the_same_bytes_every_time(whole: Path, packed: bytes, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    for path in reversed(paths_of(whole)):
        (copy / path).parent.mkdir(exist_ok=True, parents=True)
        shutil.copyfile(whole / path, copy / path)
        (copy / path).chmod(0o600)
    bundle.pack(copy, tmp_path / "a.lkb")
    assert (tmp_path / "a.lkb").read_bytes() == packed
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".tmp"] == []


def test_other_programs_read_it(packed: bytes, whole: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(packed)) as file:
        assert file.testzip() is None
        assert file.namelist() == paths_of(whole)
        for entry in file.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert stat.S_IMODE(entry.external_attr >> 16) == 0o644
            assert file.read(entry) == (whole / entry.filename).read_bytes()


def test_unpacked_is_the_directory_again(whole: Path, packed: bytes, tmp_path: Path) -> None:
    path = tmp_path / "call.lkb"
    path.write_bytes(packed)
    assert bundle.unpack(path, tmp_path / "out") == bundle.read(whole)
    assert paths_of(tmp_path / "out") == paths_of(whole)
    bundle.pack(tmp_path / "out", tmp_path / "again.lkb")
    assert (tmp_path / "again.lkb").read_bytes() == packed
    with pytest.raises(BundleError, match="already exists"):
        bundle.unpack(path, tmp_path / "out")


def test_what_is_not_whole_is_not_packed(whole: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(whole, tmp_path / "copy"))
    (copy / "events.jsonl").write_text("")
    with pytest.raises(BundleError):
        bundle.pack(copy, tmp_path / "out.lkb")
    assert not (tmp_path / "out.lkb").exists()


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 1 << 30), flip=st.integers(1, 255))
def test_one_altered_byte(packed: bytes, tmp_path: Path, place: int, flip: int) -> None:
    data = bytearray(packed)
    data[place % len(data)] ^= flip
    _refused(tmp_path / "x.lkb", bytes(data))


def test_every_byte_of_the_container(packed: bytes, tmp_path: Path) -> None:
    directory = packed.index(b"PK\x01\x02")
    for place in [*range(60), *range(directory, len(packed))]:
        data = bytearray(packed)
        data[place] ^= 1 << (place % 8)
        _refused(tmp_path / "x.lkb", bytes(data))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 0.9999))
def test_truncated(packed: bytes, tmp_path: Path, share: float) -> None:
    _refused(tmp_path / "x.lkb", packed[: int(share * len(packed))])


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300), tail=st.booleans())
def test_anything_else(packed: bytes, tmp_path: Path, data: bytes, tail: bool) -> None:
    # With the end of a real archive, the directory of the file is believed for a while.
    _refused(tmp_path / "x.lkb", data + packed[-200:] if tail else data)


@pytest.mark.parametrize("where", ["before", "after", "between"])
def test_bytes_too_many(packed: bytes, tmp_path: Path, where: str) -> None:
    data = {
        "before": b"x" + packed,
        "after": packed + b"x",
        "between": packed[:-22] + b"x" + packed[-22:],
    }[where]
    _refused(tmp_path / "x.lkb", data)


def _zip(entries: list[tuple[zipfile.ZipInfo, bytes]], compression: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as file:
        for entry, data in entries:
            entry.compress_type = compression
            file.writestr(entry, data)
    return out.getvalue()


def _entry(name: str, mode: int = 0o100644) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    return entry


def test_a_bomb_is_not_inflated(tmp_path: Path) -> None:
    data = _zip([(_entry("manifest.json"), bytes(50_000_000))], zipfile.ZIP_DEFLATED)
    error = _refused(tmp_path / "x.lkb", data)
    assert str(error) == (
        f"{tmp_path}/x.lkb: 'manifest.json' is not a stored file\n"
        "  Get the archive again from where it came, or make it with `lkgate pack`."
    )


def test_overlapping_entries(tmp_path: Path) -> None:
    data = b"x" * 1000
    one = b"".join(archive.archive_bytes(["a"], lambda _: data))
    split = one.index(b"PK\x01\x02")
    central = one[split:-22]
    many = b"".join(central.replace(b"a", bytes([97 + n])) for n in range(26))
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 26, 26, len(many), split, 0)
    assert _refused(tmp_path / "x.lkb", one[:split] + many + end).what == "entries overlap"


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "a\\..\\x", "c:x"])
def test_names_that_leave_it(tmp_path: Path, name: str) -> None:
    data = b"".join(archive.archive_bytes([name], lambda _: b"x"))
    assert "is no path of a bundle" in _refused(tmp_path / "x.lkb", data).what


def test_a_link(whole: Path, tmp_path: Path) -> None:
    entries = [
        (
            _entry(path, 0o120777 if path == "events.jsonl" else 0o100644),
            (whole / path).read_bytes(),
        )
        for path in paths_of(whole)
    ]
    error = _refused(tmp_path / "x.lkb", _zip(entries, zipfile.ZIP_STORED))
    assert error.what == "not as `lkgate pack` makes an archive"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice(whole: Path, tmp_path: Path) -> None:
    entries = [(_entry(path), (whole / path).read_bytes()) for path in paths_of(whole)]
    data = _zip([*entries, (_entry("manifest.json"), b"{}")], zipfile.ZIP_STORED)
    assert _refused(tmp_path / "x.lkb", data).what == "'manifest.json' is in it twice"


def test_a_zip_of_another_program(whole: Path, tmp_path: Path) -> None:
    entries = [(_entry(path), (whole / path).read_bytes()) for path in paths_of(whole)]
    error = _refused(tmp_path / "x.lkb", _zip(entries, zipfile.ZIP_STORED))
    assert error.what == "not as `lkgate pack` makes an archive"


@given(files=st.dictionaries(st.text("abc/é", min_size=1, max_size=5), st.binary(max_size=50)))
def test_the_container_is_a_zip(files: dict[str, bytes]) -> None:
    data = b"".join(archive.archive_bytes(files, files.__getitem__))
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        assert {entry.filename: file.read(entry) for entry in file.infolist()} == files
        assert [entry.CRC for entry in file.infolist()] == [
            zlib.crc32(files[name]) for name in sorted(files)
        ]


def test_time_does_not_show(whole: Path, packed: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    bundle.pack(whole, whole.with_name("later.lkb"))
    assert whole.with_name("later.lkb").read_bytes() == packed


@pytest.mark.parametrize(
    ("limit", "what", "where"),
    [
        ("MAX_FILE_BYTES", "larger than 500 bytes: too large for an archive", "/audio/"),
        ("MAX_TOTAL_BYTES", "more than 500 bytes in all: too large for an archive", ""),
    ],
)
def test_what_is_too_large_for_it_stays_a_directory(
    whole: Path,
    packed: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    what: str,
    where: str,
) -> None:
    monkeypatch.setattr(archive, limit, 500)
    bundle.verify(whole)
    with pytest.raises(BundleError) as caught:
        bundle.pack(whole, tmp_path / "x.lkb")
    assert caught.value.what == what
    assert caught.value.where is not None and caught.value.where.startswith(f"{whole}{where}")
    assert caught.value.next_step == "Keep it as a directory, or pack that with tar."
    assert not (tmp_path / "x.lkb").exists()
    assert _refused(tmp_path / "y.lkb", packed).what == what
