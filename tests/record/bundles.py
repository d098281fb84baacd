"""Small bundles, as a recorder makes them."""

from __future__ import annotations

from pathlib import Path

from lkgate.bundle import Journal, close_journal


def unfinished(out: Path, *, seconds: float = 0.1) -> Path:
    """What a recorder that was killed leaves of ``out``."""
    left = out.with_name(out.name + ".unfinished")
    header = {"id": out.name, "source": "record", "room": "ward", "started_at_unix_us": 1}
    journal = Journal.create(left, header=header)  # type: ignore[arg-type]
    track = journal.track(
        "caller", role="caller", participant="ann", sid="TR", sample_rate_hz=8_000, offset_us=0
    )
    track.write(bytes(2 * round(8_000 * seconds)))
    journal.event(0, "lkgate.recording_ended", {"reason": "stopped"})
    journal.close()
    return left


def make(out: Path) -> Path:
    """A whole bundle at ``out``."""
    out.parent.mkdir(parents=True, exist_ok=True)
    left = unfinished(out)
    close_journal(left, out)
    for file in sorted(left.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    left.rmdir()
    return out
