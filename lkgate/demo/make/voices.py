"""The callers' voices: text to mono 16-bit PCM at 24 kHz, the same samples every time.

``python -m lkgate.demo.make.voices OUT`` writes every line of every call as a WAV file.
"""

from __future__ import annotations

import functools
import itertools
import shutil
import subprocess
import sys
import tempfile
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lkgate.demo.make.calls import Noise, read
from lkgate.errors import ConfigError

if TYPE_CHECKING:
    from hibari import Hibari

Pcm = NDArray[np.int16]
RATE_HZ = 24_000
PEAK_DB = -6.0
QUIET = 300
PAUSE_S = 0.3
EDGE_S = 0.05


@dataclass(frozen=True, slots=True)
class Voice:
    """An engine, its voice, and what sox does to it."""

    engine: str
    voice: str
    effects: tuple[str, ...] = ()


# The agent speaks with hibari's "heart". The callers who have it too are moved away in pitch.
VOICES: Mapping[str, Voice] = {
    "slt": Voice("flite", "slt"),
    "rms": Voice("flite", "rms"),
    "awb": Voice("flite", "awb"),
    "heart-high": Voice("hibari", "heart", ("pitch", "200", "tempo", "1.05")),
    "heart-low": Voice("hibari", "heart", ("pitch", "-350")),
    "heart-deep": Voice("hibari", "heart", ("pitch", "-600", "tempo", "0.97")),
}


def speak(voice: str, text: str) -> Pcm:
    """``text`` in that voice, its loudest sample at PEAK_DB.

    Silence at the ends is cut off, and a pause between two sentences is PAUSE_S at most: engines
    take nearly a second there, which is where an agent takes its turn.

    Raises:
        ConfigError: flite or sox is not installed.
    """
    chosen = VOICES[voice]
    with tempfile.TemporaryDirectory() as made:
        raw, out = Path(made, "raw.wav"), Path(made, "out.wav")
        if chosen.engine == "flite":
            _run("flite", "-voice", chosen.voice, "-t", text, "-o", str(raw))
        else:
            _hibari(chosen.voice, text, raw)
        shape = ["-D", "-r", str(RATE_HZ), "-c", "1", "-b", "16"]
        _run("sox", str(raw), *shape, str(out), *chosen.effects, "gain", "-n", str(PEAK_DB))
        return _tightened(_read(out))


def bed(noise: Noise, speech_rms: float, seconds: float = 30.0) -> Pcm:
    """A stretch of ``livekit.agents.resources/<bed>.ogg`` at ``snr_db`` below the speech."""
    import soundfile  # type: ignore[import-untyped]

    path = resources.files("livekit.agents.resources") / f"{noise.bed}.ogg"
    with resources.as_file(path) as file, tempfile.TemporaryDirectory() as made:
        samples, rate_hz = soundfile.read(file, frames=int(48_000 * seconds), dtype="float64")
        raw, out = Path(made, "raw.wav"), Path(made, "out.wav")
        soundfile.write(raw, samples, rate_hz, subtype="FLOAT")
        _run("sox", str(raw), "-D", "-r", str(RATE_HZ), "-c", "1", "-b", "16", str(out))
        quiet = _read(out).astype(np.float64)
    wanted = speech_rms / 10 ** (noise.snr_db / 20)
    level = np.sqrt(np.mean(quiet**2))
    scaled: Pcm = np.rint(quiet * wanted / level).clip(-32768, 32767).astype(np.int16)
    return scaled


def rms(speech: Pcm) -> float:
    """Root mean square of the samples that sound, pauses left out."""
    samples = speech.astype(np.float64)
    return float(np.sqrt(np.mean(samples[np.abs(samples) > QUIET] ** 2)))


def _hibari(voice: str, text: str, out: Path) -> None:
    _model(voice).save(text, str(out), seed=0)


@functools.cache
def _model(voice: str) -> Hibari:
    from hibari import Hibari

    return Hibari(voice=voice)


def _run(*command: str) -> None:
    if shutil.which(command[0]) is None:
        raise ConfigError(
            f"{command[0]} is not installed", next_step="On Debian: apt-get install flite sox."
        )
    subprocess.run(command, check=True, capture_output=True)


def _read(path: Path) -> Pcm:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def _tightened(pcm: Pcm) -> Pcm:
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > QUIET)
    edge, half = int(EDGE_S * RATE_HZ), int(PAUSE_S * RATE_HZ) // 2
    parts, start = [], max(0, int(loud[0]) - edge)
    for before, after in itertools.pairwise(loud.tolist()):
        if after - before > 2 * half:
            parts.append(pcm[start : before + half])
            start = after - half
    parts.append(pcm[start : int(loud[-1]) + edge])
    return np.concatenate(parts)


def main(out: Path) -> None:
    """Write every line of every call below ``out``."""
    for script in read():
        directory = out / script.name
        directory.mkdir(parents=True, exist_ok=True)
        for index, line in enumerate(script.lines):
            path = directory / f"{index:02d}.wav"
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(RATE_HZ)
                file.writeframes(speak(script.voice, line.say).tobytes())
            print(f"{path}  {line.say}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
