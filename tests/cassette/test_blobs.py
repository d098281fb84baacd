"""Blobs, compressed or not, are what they were."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lkgate.cassette import Cassette, NewCassette
from lkgate.cassette.blobs import Blobs
from lkgate.cassette.compact import compact
from lkgate.cassette.keys import tts_request
from lkgate.errors import BundleError
from lkgate.model.event import Json


def speak(directory: Path, pcm: bytes, *, channels: int = 1) -> str:
    """A cassette with one spoken text; the digest of its speech."""
    new = NewCassette(directory, Cassette.open(directory / "none"))
    digest = new.put(pcm)
    audio: Json = {"blob": digest, "sample_rate_hz": 24_000, "channels": channels}
    response: dict[str, Json] = {"ending": "done", "ops": [], "audio": audio}
    new.add("tts", 0, tts_request(model="m", voice={}, text="Hi"), response)
    return digest


def files(directory: Path) -> list[str]:
    return sorted(path.suffix for path in (directory / "blobs").iterdir())


def test_speech_becomes_flac_and_is_exactly_what_it_was(tmp_path: Path) -> None:
    t = np.arange(24_000 * 5) / 24_000
    noise = np.random.default_rng(1).normal(0, 200, len(t))
    pcm = (8_000 * np.sin(2 * np.pi * 180 * t) + noise).astype("<i2").tobytes()
    digest = speak(tmp_path, pcm)
    compact(tmp_path)
    assert files(tmp_path) == [".flac"]
    (made,) = (tmp_path / "blobs").iterdir()
    assert made.stat().st_size < 0.65 * len(pcm)
    assert Cassette.open(tmp_path).blob(digest) == pcm
    compact(tmp_path)
    assert Cassette.open(tmp_path).blob(digest) == pcm


@given(st.binary(min_size=1, max_size=3_000))
def test_any_speech_at_all(tmp_path_factory: pytest.TempPathFactory, pcm: bytes) -> None:
    directory = tmp_path_factory.mktemp("any")
    digest = speak(directory, pcm)
    compact(directory)
    assert Cassette.open(directory).blob(digest) == pcm


def test_what_is_not_mono_speech_becomes_zlib(tmp_path: Path) -> None:
    digest = speak(tmp_path, bytes(1_000), channels=2)
    text = Blobs(tmp_path).put(b"instructions " * 90)
    compact(tmp_path)
    assert files(tmp_path) == [".z", ".z"]
    assert Cassette.open(tmp_path).blob(digest) == bytes(1_000)
    assert Cassette.open(tmp_path).blob(text) == b"instructions " * 90


def test_the_same_content_is_one_file(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    assert blobs.put(b"x") == blobs.put(b"x")
    assert files(tmp_path) == [""]
    compact(tmp_path)
    assert blobs.put(b"x") and files(tmp_path) == [""], "too short to shrink"


@pytest.mark.parametrize("suffix", ["", ".z", ".flac"])
def test_an_altered_blob_is_refused(tmp_path: Path, suffix: str) -> None:
    digest = Blobs(tmp_path).put(b"instructions " * 90)
    path = tmp_path / "blobs" / digest
    data = {"": b"x", ".z": zlib.compress(b"x"), ".flac": b"fLaC"}[suffix]
    path.unlink()
    path.with_name(digest + suffix).write_bytes(data)
    with pytest.raises(BundleError, match=r"is not what was recorded|cannot be decoded"):
        Blobs(tmp_path).get(digest)


def test_a_lost_blob_and_a_name_that_leads_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="has lost its content"):
        Blobs(tmp_path).get("0" * 64)
    with pytest.raises(BundleError, match="no name of a blob"):
        Blobs(tmp_path).get("../../etc/passwd")
