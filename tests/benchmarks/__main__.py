"""``python -m tests.benchmarks``: every figure as a ratio measured in this one run."""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

from lkgate.builds import resolve
from lkgate.bundle import read
from lkgate.config import load_config
from lkgate.ingest import ImportOptions, import_call
from lkgate.replay.recordings import Recording, find_recordings, read_recordings
from lkgate.replay.run import ReplayOptions, ReplaySet, replay
from tests.benchmarks.gating import gating
from tests.benchmarks.pages import pages
from tests.benchmarks.starting import starting
from tests.harness.program import replay as program

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Measure and print, a line a figure."""
    config = load_config(ROOT, environ=os.environ)
    recordings = read_recordings(find_recordings(config.recordings))
    with tempfile.TemporaryDirectory() as state:
        options = replace(ReplayOptions.of(config), state=Path(state))

        def run(
            calls: Sequence[Recording], workers: int, *, memory: bool = False
        ) -> tuple[ReplaySet, float]:
            began = time.perf_counter()
            chosen = replace(options, workers=workers, memory=memory)
            return replay(calls, resolve("v2", config), chosen, lambda _: None), (
                time.perf_counter() - began
            )

        run(recordings[:1], 1)  # byte code and caches
        _speed(recordings, run)
        _growth_of_calls(recordings, run)
        gating("v2", run(recordings, 1)[0])
    _growth_of_length()
    _imports()
    pages()
    starting()


def _speed(recordings: Sequence[Recording], run: Any) -> None:
    """With nothing remembered, and as every replay but the first one of a build goes."""
    cores = os.cpu_count() or 1
    run(recordings, cores, memory=True)
    peak = 0.0
    for name, memory in (("computed anew", False), ("again", True)):
        one, _ = run(recordings, 1, memory=memory)
        stats = [_stats(call) for call in one.calls]
        virtual_s = sum(found["virtual_us"] for found in stats) / 1e6
        cpu_s = sum(found["cpu_s"] for found in stats)
        _, all_s = run(recordings, cores, memory=memory)
        peak = max(peak, *(found["peak_mb"] for found in stats))
        print(f"replay {name}")
        print(f"  warm worker, per core            {virtual_s / cpu_s:6.1f} times real time")
        print(f"  whole command, {cores} cores           {virtual_s / all_s:6.1f} times real time")
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory, a worker              {peak:6.0f} MB")
    print(f"peak memory, lkgate itself         {own:6.0f} MB")


def _growth_of_calls(recordings: Sequence[Recording], run: Any) -> None:
    eight = [recordings[n % len(recordings)] for n in range(8)]
    few = [replace(one, call=f"{one.call}-{n}") for n, one in enumerate(eight)]
    many = [replace(one, call=f"{one.call}-{n}") for n in range(10) for one in few]
    cores = os.cpu_count() or 1
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _, few_s = run(few, cores)
    _, many_s = run(many, cores)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"time, 80 calls against 8           {many_s / few_s:6.1f} times")
    print(f"lkgate's memory, after against before {after / before:3.1f} times")


def _growth_of_length() -> None:
    """A one-minute and a half-hour call with the same program and caller."""
    with tempfile.TemporaryDirectory() as work:
        agent = program.start(Path(work), "long.py")
        try:
            short = _long_call(agent, 7)
            long = _long_call(agent, 220)
        finally:
            agent.server.kill()
    length = long["virtual_us"] / short["virtual_us"]
    print(
        f"call of {short['virtual_us'] / 6e7:.1f} and {long['virtual_us'] / 6e7:.1f} minutes"
        f"          {length:6.1f} times as long"
    )
    print(f"  processor time                   {long['cpu_s'] / short['cpu_s']:6.1f} times")
    print(f"  memory                           {long['peak_mb'] / short['peak_mb']:6.1f} times")


def _long_call(agent: program.Program, utterances: int) -> dict[str, Any]:
    caller = program.plan_and_pcm([0.6] * utterances)
    found = agent.call(caller=caller, horizon_us=7_200_000_000)
    assert found.result["status"] == "ok", found.result
    stats: dict[str, Any] = found.result["stats"]
    return stats


def _imports() -> None:
    """A ten-minute call of two people, in each of the kinds of file that import takes."""
    minute = np.concatenate([program.voice(), np.zeros(2 * program.RATE, np.int16)] * 15)
    talk = np.concatenate([minute] * 10)
    # Each speaks while the other is silent.
    pcm = np.stack([talk, np.roll(talk, 2 * program.RATE)], axis=1)
    print(f"import of a call of {len(pcm) / program.RATE / 60:.0f} minutes")
    with tempfile.TemporaryDirectory() as work:
        for name in ("call.wav", "call.ogg", "call.webm", "call.mp4"):
            path = _call_file(Path(work) / name, pcm)
            began, cpu = time.perf_counter(), time.process_time()
            options = ImportOptions((path,), Path(work) / f"{name}.bundle")
            import_call(options)
            took, cpu = time.perf_counter() - began, time.process_time() - cpu
            seconds = read(options.out).manifest.duration_us / 1e6
            print(
                f"  {path.suffix[1:]:5}{seconds / took:26.0f} times real time, "
                f"{seconds / cpu:.0f} per core"
            )


def _call_file(path: Path, pcm: NDArray[np.int16]) -> Path:
    if path.suffix == ".wav":
        soundfile.write(path, pcm, program.RATE)
        return path
    codec = "aac" if path.suffix == ".mp4" else "libopus"
    with av.open(str(path), "w") as container:
        # 48 kHz, as LiveKit's own recorder and its egress write.
        stream = container.add_stream(codec, rate=48_000, layout="stereo")
        assert isinstance(stream, av.AudioStream)
        frame = av.AudioFrame.from_ndarray(pcm.reshape(1, -1), format="s16", layout="stereo")
        frame.sample_rate, frame.pts = program.RATE, 0
        convert = av.AudioResampler(format="s16", layout="stereo", rate=48_000)
        for converted in (*convert.resample(frame), None):
            container.mux(stream.encode(converted))
    return path


def _stats(call: Any) -> dict[str, Any]:
    assert call.outcome.failure is None, call.outcome.failure
    found: dict[str, Any] = dict(call.outcome.stats)
    return found


if __name__ == "__main__":
    main()
