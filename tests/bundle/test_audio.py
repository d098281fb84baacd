"""FLAC in and out, and bytes that only look like it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from lkgate.bundle import audio
from lkgate.bundle.audio import decode, encode
from lkgate.errors import BundleError
from tests.bundle.sessions import RATE, tone

PCM = np.concatenate([tone(300), np.array([-32768, 32767, 0, 1], np.int16)])


@pytest.fixture(scope="module")
def flac(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("flac") / "x.flac"
    encode(PCM, RATE, path)
    return path.read_bytes()


def test_every_sample_survives(flac: bytes) -> None:
    found = decode(flac, sample_rate_hz=RATE, samples=len(PCM), where="x")
    np.testing.assert_array_equal(found, PCM)


@pytest.mark.parametrize("size", [1, 1_000, 4_096, 1 << 20])
def test_the_blocks_do_not_show(
    tmp_path: Path, flac: bytes, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    soundfile.write(tmp_path / "x.flac", PCM, RATE, format="FLAC", subtype="PCM_16")
    assert (tmp_path / "x.flac").read_bytes() == flac
    monkeypatch.setattr(audio, "_BLOCK_SAMPLES", size)
    encode(PCM, RATE, tmp_path / "y.flac")
    assert (tmp_path / "y.flac").read_bytes() == flac
    found = decode(flac, sample_rate_hz=RATE, samples=len(PCM), where="x")
    np.testing.assert_array_equal(found, PCM)


def test_a_directory_whose_name_is_no_utf8(tmp_path: Path, flac: bytes) -> None:
    place = tmp_path / os.fsdecode(b"caf\xe9")
    place.mkdir()
    encode(PCM, RATE, place / "x.flac")
    assert (place / "x.flac").read_bytes() == flac


def test_a_single_sample(tmp_path: Path) -> None:
    encode(PCM[:1], 48000, tmp_path / "x.flac")
    data = (tmp_path / "x.flac").read_bytes()
    assert decode(data, sample_rate_hz=48000, samples=1, where="x").tolist() == [PCM[0]]


def test_other_audio_than_said(flac: bytes) -> None:
    with pytest.raises(BundleError) as caught:
        decode(flac, sample_rate_hz=16000, samples=7, where="x")
    assert caught.value.what == (
        "holds ('FLAC', 'PCM_16', 1, 8000, 2404), expected ('FLAC', 'PCM_16', 1, 16000, 7)"
    )


@settings(max_examples=300)
@given(place=st.integers(0, 1 << 30), flip=st.integers(1, 255))
def test_an_altered_file_is_an_error_or_of_the_length_said(
    flac: bytes, place: int, flip: int
) -> None:
    data = bytearray(flac)
    data[place % len(data)] ^= flip
    try:
        pcm = decode(bytes(data), sample_rate_hz=RATE, samples=len(PCM), where="x")
    except BundleError:
        return
    assert len(pcm) == len(PCM), "the digest says the rest"


@given(data=st.binary(max_size=200), head=st.booleans())
def test_any_bytes_are_an_error(flac: bytes, data: bytes, head: bool) -> None:
    with pytest.raises(BundleError):
        decode(flac[:86] + data if head else data, sample_rate_hz=RATE, samples=len(PCM), where="x")


def test_an_interrupt_is_not_lost_while_decoding(tmp_path: Path, flac: bytes) -> None:
    (tmp_path / "x.flac").write_bytes(flac)
    program = (
        "import sys; from pathlib import Path; from lkgate.bundle.audio import decode\n"
        "data = Path(sys.argv[1]).read_bytes()\nprint('begun', flush=True)\n"
        f"while True: decode(data, sample_rate_hz={RATE}, samples={len(PCM)}, where='x')\n"
    )
    for _ in range(8):
        with subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / "x.flac")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as child:
            assert child.stdout is not None
            child.stdout.readline()
            child.send_signal(signal.SIGINT)
            try:
                _, said = child.communicate(timeout=60)
            finally:
                child.kill()
        assert said.endswith("KeyboardInterrupt\n") and "ignored" not in said
