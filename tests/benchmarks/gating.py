"""``python -m tests.benchmarks.gating``: a thousand calls measured, compared, gated and blamed."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from lkgate.builds import resolve
from lkgate.bundle import read_baseline
from lkgate.cli.collecting import collector_waits
from lkgate.config import load_config
from lkgate.gate.evaluate import evaluate, judge
from lkgate.gate.examine import examine
from lkgate.gate.load import load
from lkgate.gate.metrics import baseline_of
from lkgate.model.verdict import CallResult
from lkgate.replay.recordings import find_recordings, read_recordings
from lkgate.replay.run import ReplayOptions, ReplaySet, replay

ROOT = Path(__file__).parents[2]
CALLS = 1000


def gating(build: str, replays: ReplaySet) -> None:
    """Print the processor time of ``CALLS`` calls, made by repeating these: one core's seconds.

    The bundles were read before, and what a process does once is done: the first call is free.
    """
    results = [_result(replays, n) for n in range(CALLS)]
    gate = replace(load(ROOT / "gates" / "demo.yaml"), calls=())
    evaluate(gate, results[:1], recordings=[results[0].call])
    with collector_waits():
        began = time.process_time()
        examined = [examine(one) for one in results]
        measured_s = time.process_time() - began
        verdict = judge(gate, examined, recordings=[one.call for one in results])
        total_s = time.process_time() - began
    blamed = sum(len(found.blame.suspects) for found in verdict.findings if found.blame)
    print(f"{CALLS} calls into {build}, processor time of one core")
    print(f"  measured and compared            {measured_s:6.1f} s")
    print(f"  judged by {len(gate.rules)} rules, and blamed   {total_s - measured_s:6.1f} s")
    print(f"  together                         {total_s:6.1f} s")
    print(f"  verdict {verdict.status}, {blamed} suspects")


def _result(replays: ReplaySet, n: int) -> CallResult:
    one = replays.calls[n % len(replays.calls)]
    baseline = read_baseline(one.recording.path)
    assert baseline is not None
    assert one.outcome.bundle is not None
    return CallResult(
        call=f"{one.recording.call}-{n}",
        recording_digest=one.recording.bundle.manifest.digest,
        labels=one.recording.bundle.labels,
        baseline=baseline_of(baseline),
        candidate=one.outcome.bundle,
    )


def main() -> None:
    """Replay the demo's calls into a build that passes and one that fails, and gate them."""
    config = load_config(ROOT, environ=os.environ)
    recordings = read_recordings(find_recordings(config.recordings))
    for build in ("v2", "v3"):
        with tempfile.TemporaryDirectory() as state:
            options = replace(ReplayOptions.of(config), state=Path(state))
            gating(build, replay(recordings, resolve(build, config), options, lambda _: None))


if __name__ == "__main__":
    main()
