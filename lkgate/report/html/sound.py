"""A session's audio for a page: what its waveforms look like, and the sound itself, compressed."""

from __future__ import annotations

import io
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import soundfile  # type: ignore[import-untyped]

from lkgate.bundle import read_pcm
from lkgate.model.bundle import Bundle, Role, Track

MIME = "audio/ogg"
# Of libsndfile's scale from best to smallest: some 20 kbit/s for two voices.
_COMPRESSION = 0.975
# Speech is understood without what lies above 6 kHz, and is encoded in half the time.
_RATE_HZ = 12_000
_BARS = 600

_Pcm = npt.NDArray[np.int16]

Side = Literal["recording", "baseline", "candidate"]


@dataclass(frozen=True, slots=True)
class Heard:
    """A session's sound.

    Attributes:
        caller, agent: peaks over equal stretches of the session, each from 0 to 1; empty where the
            session has no audio of that side.
        opus: Ogg Opus, the caller left and the agent right; ``None`` without audio.
    """

    caller: tuple[float, ...]
    agent: tuple[float, ...]
    opus: bytes | None


SILENT = Heard((), (), None)


def hear(path: Path, bundle: Bundle, *, cache: Path | None = None) -> Heard:
    """Read and encode the audio of the bundle at ``path``; its own audio only, never another's.

    Args:
        cache: directory of what was encoded before, by the bundle's digest.

    Raises:
        BundleError: if a file of it is damaged.
    """
    caller, agent = _mixed(path, bundle, "caller"), _mixed(path, bundle, "agent")
    if not len(caller) and not len(agent):
        return SILENT
    kept = cache / f"{bundle.manifest.digest}.ogg" if cache is not None else None
    opus = _kept(kept)
    if opus is None:
        opus = _encoded(caller, agent)
        if kept is not None:
            _keep(kept, opus)
    samples = bundle.manifest.duration_us * _RATE_HZ // 1_000_000
    return Heard(_peaks(caller, samples), _peaks(agent, samples), opus)


def _kept(place: Path | None) -> bytes | None:
    try:
        return None if place is None else place.read_bytes()
    except FileNotFoundError:  # not encoded yet, or tidied away by another run
        return None


def _keep(place: Path, opus: bytes) -> None:
    """Whole or not at all, whatever other threads and runs keep at the same time."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=place.parent, suffix=".new", delete=False) as file:
        new = Path(file.name)
        file.write(opus)
    try:
        new.replace(place)
    finally:
        new.unlink(missing_ok=True)


def _encoded(caller: _Pcm, agent: _Pcm) -> bytes:
    both = np.zeros((max(len(caller), len(agent)), 2), np.int16)
    both[: len(caller), 0] = caller
    both[: len(agent), 1] = agent
    file = io.BytesIO()
    soundfile.write(
        file, both, _RATE_HZ, format="OGG", subtype="OPUS", compression_level=_COMPRESSION
    )
    return file.getvalue()


def _mixed(path: Path, bundle: Bundle, role: Role) -> _Pcm:
    tracks = [track for track in bundle.tracks(role) if track.path and track.samples]
    if not tracks:
        return np.zeros(0, np.int16)
    parts = [(_start(track), _resampled(read_pcm(path, track), track)) for track in tracks]
    mixed = np.zeros(max(start + len(pcm) for start, pcm in parts), np.int32)
    for start, pcm in parts:
        mixed[start : start + len(pcm)] += pcm
    return np.clip(mixed, -32768, 32767).astype(np.int16)


def _start(track: Track) -> int:
    return track.offset_us * _RATE_HZ // 1_000_000


def _resampled(pcm: _Pcm, track: Track) -> _Pcm:
    """To be listened to, not measured: means of neighbours, and straight lines between samples."""
    times = track.sample_rate_hz // _RATE_HZ
    if times > 1:
        whole = len(pcm) // times * times
        pcm = pcm[:whole].reshape(-1, times).mean(axis=1).astype(np.int16)
    rate_hz = track.sample_rate_hz / max(1, times)
    if rate_hz == _RATE_HZ:
        return pcm
    at = np.arange(int(len(pcm) * _RATE_HZ / rate_hz)) * rate_hz / _RATE_HZ
    return np.interp(at, np.arange(len(pcm)), pcm).astype(np.int16)


def _peaks(pcm: _Pcm, samples: int) -> tuple[float, ...]:
    if not len(pcm) or samples <= 0:
        return ()
    edges = np.linspace(0, samples, _BARS + 1).astype(int)
    loud = np.abs(pcm.astype(np.int32))
    return tuple(
        round(float(loud[start:end].max()) / 32768, 3) if start < min(end, len(loud)) else 0.0
        for start, end in pairwise(edges)
    )
