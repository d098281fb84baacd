"""Recordings on disk, of tones."""

from __future__ import annotations

import json
import math
from array import array
from pathlib import Path

from lkgate.bundle import Journal, close_journal

RATE = 8000


def tone(seconds: float) -> bytes:
    return array(
        "h", (round(9000 * math.sin(0.3 * n)) for n in range(round(seconds * RATE)))
    ).tobytes()


def record(root: Path, name: str, *, cassette: bool = True, caller: bool = True) -> Path:
    """A call of 4 s: the agent greets, the caller answers."""
    work = root / f"{name}.journal"
    journal = Journal.create(work, header={"id": name, "source": "record", "room": "room"})
    silence = bytes(2 * RATE)
    if caller:
        track = journal.track(
            "caller", role="caller", participant="ann", sid="TR_1", sample_rate_hz=RATE, offset_us=0
        )
        track.write(silence + silence + tone(1) + silence)
    track = journal.track(
        "agent", role="agent", participant="bot", sid="TR_2", sample_rate_hz=RATE, offset_us=0
    )
    track.write(tone(1) + 3 * silence)
    journal.event(0, "connected", {"room": "room", "sid": "RM_1"})
    journal.finish(duration_us=4_000_000)
    if cassette:
        (work / "cassette" / "blobs").mkdir(parents=True)
        exchange = {"modality": "llm", "key": "a", "ordinal": 0, "t_us": 0, "request": {}}
        exchange |= {"origin": "live", "response": {"ending": "done"}}
        (work / "cassette" / "index.jsonl").write_text(json.dumps(exchange) + "\n")
    out = root / "recordings" / name
    out.parent.mkdir(exist_ok=True)
    close_journal(work, out)
    return out
