"""How true a replay is: each recorded call beside its replay into the build it was recorded with.

``python -m lkgate.demo.fidelity`` replays every recording into ``v1`` and prints the table that
``docs/fidelity.md`` holds.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lkgate.builds import resolve
from lkgate.config import load_config
from lkgate.diff.call import diff
from lkgate.measure.latency import response_latency
from lkgate.measure.session import Session, session_of
from lkgate.model.bundle import Bundle
from lkgate.replay.recordings import find_recordings, read_recordings
from lkgate.replay.run import ReplayOptions, replay

BUILD = "v1"
_SAME = ("tool_missing", "tool_extra", "tool_argument", "tool_result", "handoff")


@dataclass(frozen=True, slots=True)
class Row:
    """One call: what is the same, and how far the response latencies are apart.

    Attributes:
        turns: of the recording and of the replay.
        words: turns whose words are the same, of those compared.
        tools: whether the same tools were called with the same arguments and results.
        gaps_ms: replay minus recording, a number a turn that both sides measured.
        notes: what differs, in words.
    """

    call: str
    turns: tuple[int, int]
    words: tuple[int, int]
    tools: bool
    gaps_ms: tuple[float, ...]
    notes: tuple[str, ...]


def compare(call: str, recording: Bundle, replayed: Bundle) -> Row:
    """A recording and its replay, turn by turn."""
    old = session_of(recording, recording.labels)
    new = session_of(replayed, recording.labels)
    found = diff(old, new)
    was, now = _latencies(old), _latencies(new)
    gaps, same, compared = [], 0, 0
    for pair in found.pairs:
        if pair.baseline is None or pair.candidate is None:
            continue
        compared += 1
        same += not any(d.kind in ("transcript", "agent_text") for d in pair.differences)
        before, after = was.get(pair.baseline.index), now.get(pair.candidate.index)
        if before is not None and after is not None:
            gaps.append((after - before) / 1000)
    return Row(
        call=call,
        turns=(len(old.turns), len(new.turns)),
        words=(same, compared),
        tools=not any(d.kind in _SAME for d in found.differences),
        gaps_ms=tuple(gaps),
        notes=tuple(
            d.detail for d in found.differences if d.kind not in ("latency", "tool_result")
        ),
    )


def _latencies(session: Session) -> dict[int, float]:
    return {
        sample.turn: sample.value
        for sample in response_latency(session)
        if sample.turn is not None and sample.value is not None
    }


def table(rows: Iterable[Row]) -> str:
    """Markdown: a line a call, then all turns together, then what differs in words."""
    rows = list(rows)
    lines = [
        "| call | turns, recorded / replayed | same words | same tools | latency, median | worst |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        lines.append(
            f"| {row.call} | {row.turns[0]} / {row.turns[1]} | {row.words[0]} of {row.words[1]} "
            f"| {'yes' if row.tools else 'no'} | {_middle(row.gaps_ms)} | {_worst(row.gaps_ms)} |"
        )
    gaps = [gap for row in rows for gap in row.gaps_ms]
    if gaps:
        apart = statistics.median(abs(gap) for gap in gaps)
        lines += [
            "",
            f"{len(gaps)} response latencies: the replay's differ by a median of {apart:.0f} ms "
            f"(signed median {statistics.median(gaps):+.0f} ms).",
        ]
    notes = [f"- {row.call}: {note}" for row in rows for note in row.notes]
    return "\n".join([*lines, *(["", "Differences:", "", *notes] if notes else [])]) + "\n"


def _middle(gaps: tuple[float, ...]) -> str:
    return f"{statistics.median(gaps):+.0f} ms" if gaps else "-"


def _worst(gaps: tuple[float, ...]) -> str:
    return f"{max(gaps, key=abs):+.0f} ms" if gaps else "-"


def main() -> None:
    """Replay, compare, print."""
    config = load_config(Path.cwd(), environ=os.environ)
    recordings = read_recordings(find_recordings(config.recordings))
    replays = replay(recordings, resolve(BUILD, config), ReplayOptions.of(config), lambda _: None)
    rows = []
    for one in replays.calls:
        if one.outcome.bundle is None:
            failure = one.outcome.failure
            print(f"{one.recording.call}: {failure.message if failure else 'no replay'}")
            continue
        rows.append(compare(one.recording.call, one.recording.bundle, one.outcome.bundle))
    print(table(rows), end="")


if __name__ == "__main__":
    main()
