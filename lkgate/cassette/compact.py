"""Makes a recorded cassette small. For lkgate's own process: encoding needs libsndfile.

Speech becomes FLAC, everything else zlib, both without loss; a blob that does not shrink stays as
it is. What was made is decoded again and compared before the original goes.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

from lkgate.bundle import audio
from lkgate.cassette.blobs import DIRECTORY, FLAC, ZLIB
from lkgate.cassette.store import Cassette
from lkgate.errors import BundleError
from lkgate.model.event import Json


def compact(cassette: Path) -> None:
    """Compress every blob of the cassette in place. Doing it again changes nothing.

    Raises:
        BundleError: the cassette cannot be read.
    """
    rates = _speech(Cassette.open(cassette))
    directory = cassette / DIRECTORY
    for path in sorted(directory.glob("*")) if directory.is_dir() else []:
        if path.suffix or not path.is_file():
            continue
        content = path.read_bytes()
        rate_hz = rates.get(path.name)
        if rate_hz is not None and content and len(content) % 2 == 0:
            _to_flac(path, content, rate_hz)
        else:
            _to_zlib(path, content)


def _speech(cassette: Cassette) -> dict[str, int]:
    """Digest and sample rate of all mono speech."""
    found: dict[str, int] = {}
    for exchange in cassette.of("tts"):
        speech: Json = exchange.response.get("audio")
        if isinstance(speech, dict) and speech.get("channels") == 1:
            rate_hz = speech["sample_rate_hz"]
            assert isinstance(rate_hz, int)  # written by the harness
            found[str(speech["blob"])] = rate_hz
    return found


def _to_flac(path: Path, content: bytes, rate_hz: int) -> None:
    pcm = np.frombuffer(content, dtype="<i2")
    target = path.with_name(path.name + FLAC)
    made = target.with_name(target.name + ".new")
    audio.encode(pcm, rate_hz, made)
    where = str(made)
    data = made.read_bytes()
    back = audio.decode(data, sample_rate_hz=rate_hz, samples=len(pcm), where=where)
    if not np.array_equal(pcm, back):
        raise BundleError("FLAC gave back other samples", where=where)
    made.replace(target)
    path.unlink()


def _to_zlib(path: Path, content: bytes) -> None:
    data = zlib.compress(content, 9)
    if len(data) >= len(content):
        return
    target = path.with_name(path.name + ZLIB)
    made = target.with_name(target.name + ".new")
    made.write_bytes(data)
    made.replace(target)
    path.unlink()
