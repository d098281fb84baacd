"""Where the bundles of the last run over rooms lie: ``rooms/<build>/<call>/<repeat>``."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lkgate.replay.names import file_name
from lkgate.rooms.outcome import Played, Take


def keep(played: Sequence[Played], state: Path, build: str, baseline: str | None) -> list[Played]:
    """Move the bundles of a run from where they were made to where the last run's were.

    Those of the interleaved build go to ``rooms/<build>/<call>/<repeat>-<baseline>``.
    """
    home = state / "rooms" / file_name(build)
    for call in {one.recording.call for one in played}:
        shutil.rmtree(home / file_name(call), ignore_errors=True)
    kept = []
    for one in played:
        place = home / file_name(one.recording.call)
        place.mkdir(parents=True, exist_ok=True)
        candidate = _moved(one.candidate, place / str(one.repeat))
        before = one.baseline
        if before is not None:
            before = _moved(before, place / f"{one.repeat}-{file_name(baseline or 'baseline')}")
        kept.append(replace(one, candidate=candidate, baseline=before))
    return kept


def _moved(take: Take, path: Path) -> Take:
    return replace(take, path=take.path.replace(path))
