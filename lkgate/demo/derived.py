"""What derived answers are worth: each recorded call judged with its cassette and without it.

``python -m lkgate.demo.derived [CALL...]`` replays the recordings into ``v1``, which they were made
with, and ``v3``, which has three faults: once as they are, and once as if they had been recorded
from outside, so that their answers have to be derived. It prints the table of
``docs/derived-cassettes.md``. All are held to the same gate and to the same baselines, which were
made with the full cassettes; of a single call the gate asks for no more samples than it has.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lkgate.builds import resolve
from lkgate.bundle import read_baseline
from lkgate.cli.judging import load_gates
from lkgate.config import Config, OnMiss, load_config
from lkgate.gate.aggregate import PERCENTILES
from lkgate.gate.evaluate import evaluate
from lkgate.gate.metrics import baseline_of
from lkgate.model.gate import Gate
from lkgate.model.verdict import CallFailure, CallResult, Verdict
from lkgate.replay.recordings import Recording, find_recordings, read_recordings
from lkgate.replay.run import Replayed, ReplayOptions, replay


@dataclass(frozen=True, slots=True)
class Way:
    """A column of the table: a build, and what answers it."""

    build: str
    derived: bool
    on_miss: OnMiss = OnMiss()  # noqa: RUF009 (frozen)

    @property
    def title(self) -> str:
        """Its head."""
        answers = "derived" if self.derived else "full"
        return f"{self.build}, {answers}" + (
            "" if self.on_miss == OnMiss() else f", tts={self.on_miss.tts}"
        )


WAYS = (
    Way("v1", derived=False),
    Way("v1", derived=True),
    Way("v3", derived=False),
    Way("v3", derived=True),
    Way("v3", derived=True, on_miss=OnMiss(tts="estimate")),
)


def judged(way: Way, recordings: Sequence[Recording], config: Config, state: Path) -> list[str]:
    """A cell a call, and one for all of them under the whole gate."""
    options = replace(ReplayOptions.of(config), state=state, on_miss=way.on_miss, memory=False)
    bare = [_bare(one) for one in recordings] if way.derived else recordings
    build = resolve(way.build, config)
    replays = replay(bare, build, options, lambda _: None)
    results = {one.recording.call: _result(one) for one in replays.calls}
    (gate,) = load_gates(config, [], build)
    each = [
        evaluate(_alone(gate, call), [result], recordings=[call], left_out=())
        for call, result in results.items()
    ]
    together = replace(gate, calls=tuple(results))
    every = evaluate(together, list(results.values()), recordings=list(results), left_out=())
    return [_cell(verdict) for verdict in (*each, every)]


def table(calls: Sequence[str], cells: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Markdown: a row a call, a column a way."""
    yield f"| call | {' | '.join(cells)} |"
    yield "| --- " * (len(cells) + 1) + "|"
    for place, call in enumerate([*calls, "**all together**"]):
        yield f"| {call} | {' | '.join(column[place] for column in cells.values())} |"


def _bare(recording: Recording) -> Recording:
    """As if nobody had taped the worker."""
    manifest = replace(recording.bundle.manifest, cassette="none")
    return replace(recording, bundle=replace(recording.bundle, manifest=manifest))


def _result(one: Replayed) -> CallResult:
    recording, outcome = one.recording, one.outcome
    baseline = read_baseline(recording.path)
    failure = outcome.failure
    assert baseline is not None  # every recording of the demo has one
    return CallResult(
        call=recording.call,
        recording_digest=recording.bundle.manifest.digest,
        labels=recording.bundle.labels,
        baseline=baseline_of(baseline),
        candidate=outcome.bundle
        or CallFailure(failure.kind if failure else "", failure.message if failure else ""),
        # That it is another one is what is to be seen.
        cassette="same",
    )


def _alone(gate: Gate, call: str) -> Gate:
    """Of this very call, which bears no percentile and no statement about calls to come."""
    rules = tuple(
        replace(rule, min_n=min(rule.min_n, 1), about="these_calls")
        for rule in gate.rules
        if rule.aggregate not in PERCENTILES
    )
    return replace(gate, calls=(call,), rules=rules)


def _cell(verdict: Verdict) -> str:
    broken = [call for call in verdict.calls if call.failure is not None]
    if broken:
        reasons = {
            call.failure.message.partition(";")[0] for call in broken if call.failure is not None
        }
        return f"no replay: {'; '.join(sorted(reasons))}"
    failed = [found for found in verdict.with_status("fail") if found.rule.severity == "error"]
    if failed:
        return f"fail: {', '.join(found.rule.id for found in failed)}"
    # Nobody interrupts in most calls, and most have no second agent: such a rule says nothing.
    unsure = [found.rule.id for found in verdict.with_status("no_verdict") if found.n]
    return f"no verdict: {', '.join(unsure)}" if unsure else "pass"


def main(calls: Sequence[str]) -> None:
    """Replay, judge, print."""
    config = load_config(Path.cwd(), environ=os.environ)
    recordings = [
        one
        for one in read_recordings(find_recordings(config.recordings))
        if not calls or one.call in calls
    ]
    with tempfile.TemporaryDirectory() as state:
        cells = {way.title: judged(way, recordings, config, Path(state)) for way in WAYS}
    for line in table([one.call for one in recordings], cells):
        print(line)


if __name__ == "__main__":
    main(sys.argv[1:])
