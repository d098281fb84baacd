"""What of a run can be listened to, and how to hear what cannot."""

from __future__ import annotations

from pathlib import Path

from lkgate.cli.listening import sources_of
from lkgate.replay.outcome import Failure, Outcome
from lkgate.replay.recordings import read_recordings
from lkgate.replay.run import Replayed

ROOT = Path(__file__).parents[2]


def test_a_baseline_without_audio_says_what_makes_it_heard(tmp_path: Path) -> None:
    (recording,) = read_recordings([ROOT / "recordings/book"])
    outcome = Outcome("book", None, Failure("crash", "it ended", None, None), 0.0)
    sources = sources_of([Replayed(recording, outcome, None)], tmp_path)["book"]
    assert set(sources.heard) == {"recording"}
    assert set(sources.durations_us) == {"recording", "baseline"}
    assert sources.commands == {"baseline": "lkgate replay book --against v1 --no-gate"}
