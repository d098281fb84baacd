"""Small sessions to close, read and spoil."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lkgate import bundle
from lkgate.bundle import Journal
from lkgate.model.bundle import Bundle
from lkgate.model.event import Json

RATE = 8000

LABELS = """\
reviewed: true
caller:
- Hello.
tools:
- name: book
  arguments: {day: monday, people: 2}
outcome: booked
cohort: {language: en, noise: no}
"""


def tone(ms: int, *, frequency: int = 440) -> npt.NDArray[np.int16]:
    """A sound that counts as speech."""
    samples: npt.NDArray[np.int16] = (
        8000 * np.cos(2 * np.pi * frequency / RATE * np.arange(ms * RATE // 1000))
    ).astype(np.int16)
    return samples


def silence(ms: int) -> npt.NDArray[np.int16]:
    return np.zeros(ms * RATE // 1000, np.int16)


def write_journal(
    directory: Path,
    header: Mapping[str, Json] | None = None,
    *,
    finish: bool = True,
    tape: bool = True,
) -> Path:
    """A session of half a second: two tracks, four events; returns ``directory``."""
    fields: dict[str, Json] = {
        "id": "call-1",
        "source": "record",
        "room": "clinic",
        "started_at_unix_us": 1_700_000_000_000_000,
        **(header or {}),
    }
    journal = Journal.create(directory, header=fields)
    journal.event(0, "connected", {"room": "clinic", "sid": "RM_1"})
    caller = journal.track(
        "caller", role="caller", participant="ann", sid="TR_1", sample_rate_hz=RATE, offset_us=10
    )
    agent = journal.track(
        "agent", role="agent", participant="agent-7", sid=None, sample_rate_hz=RATE, offset_us=-500
    )
    caller.write(tone(200).tobytes())
    journal.event(250_000, "transcription", {"text": "¿Qué tal?", "final": True})
    journal.event(200_000, "user_state_changed", {"old_state": "a", "new_state": "b"})
    agent.write(np.concatenate([silence(250), tone(150)]).tobytes())
    caller.write(silence(300).tobytes())
    journal.event(250_000, "agent_state_changed", {"old_state": "a", "new_state": "b"})
    journal.update_header(session={"vad": "silero", "min_delay": 0.5})
    if finish:
        journal.finish(duration_us=500_000)
    else:
        journal.close()
    if tape:
        (directory / "cassette" / "blobs").mkdir(parents=True)
        (directory / "cassette" / "index.jsonl").write_text('{"key":"k"}\n')
        (directory / "cassette" / "blobs" / "ab12").write_bytes(b"\x00\x01")
    return directory


def make_bundle(directory: Path, *, baseline: bool = True) -> Path:
    """A recording with everything that a bundle can have; returns its directory."""
    out = directory / "call-1"
    recording = bundle.close_journal(
        write_journal(directory / "recorded", {"cassette": "full"}), out, labels_yaml=LABELS
    )
    if baseline:
        make_replay(directory, recording)
        bundle.strip_audio(
            directory / "replay", out / "baseline", accepted={"metrics": {"latency": 1}}
        )
    return out


def make_replay(directory: Path, recording: Bundle) -> Path:
    """A replay of ``recording``; returns its directory."""
    header: dict[str, Json] = {
        "source": "replay",
        "recording_digest": recording.manifest.digest,
        "build": {"name": "v2", "digest": "f00", "versions": {"livekit": "1.1.21"}},
    }
    replayed = write_journal(directory / "replayed", header, tape=False)
    bundle.close_journal(replayed, directory / "replay")
    return directory / "replay"


def paths_of(root: Path) -> list[str]:
    """Every file below ``root``, sorted."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def manifest_of(root: Path) -> dict[str, Json]:
    value = json.loads((root / "manifest.json").read_bytes())
    assert isinstance(value, dict)
    return value
