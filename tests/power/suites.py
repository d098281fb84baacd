"""Suites of calls as they might be recorded: this repository's own, with other timings.

Both sides are build v1, recorded afresh: the same calls and turns, every wait and every misheard
word drawn anew on either side. Nothing is shared between the two but the build.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lkgate.bundle import read_baseline
from lkgate.gate.evaluate import judge
from lkgate.gate.examine import Examined, examine
from lkgate.gate.load import load, parse
from lkgate.gate.metrics import SPECS, baseline_of
from lkgate.measure.sample import summarise
from lkgate.model.gate import Gate
from lkgate.model.measurement import Measurement, Sample
from lkgate.model.verdict import CallResult, Verdict
from lkgate.replay.recordings import find_recordings, read_recordings

ROOT = Path(__file__).parents[2]
WAITS = ("response_latency", "end_of_turn_delay", "llm_ttft", "tts_ttfb", "time_to_first_audio")
WORDS = "word_error_rate"

Draw = Callable[[np.random.Generator, Sequence[Sample]], list[float]]


@dataclass(frozen=True, slots=True)
class Noise:
    """How the timings of one call are drawn, in microseconds."""

    name: str
    draw: Draw


def _small(rng: np.random.Generator, samples: Sequence[Sample]) -> list[float]:
    return [_value(s) + rng.normal(0, 20_000) for s in samples]


def _provider(rng: np.random.Generator, samples: Sequence[Sample]) -> list[float]:
    """A model that takes 250 ms more, give or take a half, and all of a call a fifth."""
    slow = np.exp(0.2 * rng.normal())
    return [_value(s) + 250_000 * slow * np.exp(0.5 * rng.normal()) for s in samples]


def _rough(rng: np.random.Generator, samples: Sequence[Sample]) -> list[float]:
    """Any turn of a call takes as long as any other."""
    return [float(value) for value in rng.choice([_value(s) for s in samples], len(samples))]


NOISES = (
    Noise("20 ms a turn", _small),
    Noise("a provider's", _provider),
    Noise("any turn's of the call", _rough),
)


def _value(sample: Sample) -> float:
    assert sample.value is not None
    return sample.value


def demo_gate() -> Gate:
    """This repository's own, without the names of its nine calls."""
    return replace(load(ROOT / "gates" / "demo.yaml"), calls=())


def strict_gate(family: str) -> Gate:
    """No margin at all on anything that varies: where false alarms come from."""
    rules = [
        f"  - {{id: {metric.replace('_', '-')}-{aggregate}, metric: {metric}, "
        f"aggregate: {aggregate}, max_increase: 0 ms}}"
        for metric in ("response_latency", "end_of_turn_delay", "llm_ttft", "tts_ttfb")
        for aggregate in ("mean", "p50", "p90")
    ]
    return parse(f"version: 1\nfamily: {family}\nrules:\n" + "\n".join(rules) + "\n", "strict.yaml")


def recorded() -> list[Examined]:
    """The accepted replays of this repository's recordings, each against itself."""
    found = []
    for recording in read_recordings(find_recordings(ROOT / "recordings")):
        bundle = read_baseline(recording.path)
        assert bundle is not None
        digest = recording.bundle.manifest.digest
        labels = recording.bundle.labels
        call = CallResult(recording.call, digest, labels, baseline_of(bundle), bundle)
        found.append(examine(call))
    return found


def suite(
    patterns: Sequence[Examined],
    calls: int,
    noise: Noise,
    rng: np.random.Generator,
    *,
    later_us: float = 0.0,
    misheard: float = 0.0,
    cohorts: Sequence[str] = ("one",),
) -> list[Examined]:
    """So many calls, drawn from the patterns, recorded afresh on both sides.

    Args:
        later_us: added to every response of the candidate.
        misheard: of the words of the last cohort's calls, the share more that is misheard.
        cohorts: values of ``cohort.group``, in turn.
    """
    made = []
    for n, at in enumerate(rng.integers(0, len(patterns), calls)):
        call = patterns[at].call
        group = cohorts[n % len(cohorts)]
        assert call.labels is not None
        now, before = dict(call.measurements), dict(call.baseline_measurements)
        for name in WAITS:
            late = later_us if name == "response_latency" else 0.0
            now[name] = _drawn(now[name], noise, rng, late)
            before[name] = _drawn(before[name], noise, rng, 0.0)
        worse = misheard if group == cohorts[-1] else 0.0
        now[WORDS] = _heard(now[WORDS], rng, worse)
        before[WORDS] = _heard(before[WORDS], rng, 0.0)
        made.append(
            replace(
                patterns[at],
                call=replace(
                    call,
                    call=f"{call.call}-{n}",
                    labels=replace(call.labels, cohort={**call.labels.cohort, "group": group}),
                    measurements=now,
                    baseline_measurements=before,
                ),
            )
        )
    return made


def _drawn(
    found: Measurement, noise: Noise, rng: np.random.Generator, later_us: float
) -> Measurement:
    measured = [s for s in found.samples if s.value is not None]
    values = iter([value + later_us for value in noise.draw(rng, measured)])
    return _with(found, lambda s: _timed(s, next(values)))


def _timed(sample: Sample, value: float) -> Sample:
    return replace(sample, value=value, amount=value)


def _heard(found: Measurement, rng: np.random.Generator, worse: float) -> Measurement:
    """Each turn's share of wrong words from the turns of its call, each word heard by itself."""
    rates = [_value(s) for s in found.samples if s.value is not None]
    picked = iter([float(rate) for rate in rng.choice(rates, len(rates))])

    def heard(sample: Sample) -> Sample:
        wrong = rng.binomial(int(sample.weight), min(1.0, next(picked) + worse))
        return replace(sample, amount=float(wrong), value=wrong / sample.weight)

    return _with(found, heard)


def _with(found: Measurement, change: Callable[[Sample], Sample]) -> Measurement:
    samples = [change(s) if s.value is not None else s for s in found.samples]
    return summarise(SPECS[found.metric], samples)


def verdict(gate: Gate, calls: Sequence[Examined]) -> Verdict:
    return judge(gate, calls, recordings=[one.call.call for one in calls])


def tally(verdicts: Sequence[Verdict]) -> Mapping[str, int]:
    return {
        status: sum(one.status == status for one in verdicts)
        for status in ("fail", "no_verdict", "pass")
    }
