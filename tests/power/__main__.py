"""``python -m tests.power [SEED]``: how often a gate is wrong, and what it finds.

Takes some minutes. The same numbers every time: chance comes from the seed. That of the tables in
docs/statistics.md was settled before anything had been run with it; nothing may be tuned with it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

import numpy as np

from lkgate.gate.examine import Examined
from lkgate.gate.load import parse
from lkgate.model.gate import Gate
from lkgate.model.verdict import Verdict
from lkgate.stats.shares import clopper_pearson
from tests.power.suites import (
    NOISES,
    Noise,
    demo_gate,
    recorded,
    strict_gate,
    suite,
    tally,
    verdict,
)

SEED = 20261125
SUITES = 400
RISE_US = 150_000


def main(seed: int = SEED) -> None:
    """Print every table."""
    patterns = recorded()
    print(f"{SUITES} simulated suites for each line, of this repository's nine calls, seed {seed}.")
    print("Both sides are build v1 recorded afresh, with other timings and other misheard words.")
    print("In brackets: the exact 95 % interval of the share before it.")
    _alike(patterns, seed)
    _strict(patterns, seed)
    _later(patterns, seed)
    _misheard(patterns, seed)


def run(
    patterns: Sequence[Examined],
    gate: Gate,
    calls: int,
    noise: Noise,
    suites: int = SUITES,
    *,
    later_us: float = 0.0,
    misheard: float = 0.0,
    cohorts: Sequence[str] = ("one",),
    seed: int = SEED,
) -> list[Verdict]:
    """Verdicts of so many suites."""
    rng = np.random.default_rng([seed, calls, NOISES.index(noise)])
    return [
        verdict(
            gate,
            suite(
                patterns,
                calls,
                noise,
                rng,
                later_us=later_us,
                misheard=misheard,
                cohorts=cohorts,
            ),
        )
        for _ in range(suites)
    ]


def _row(
    name: str, calls: int, found: Sequence[Verdict], counted: Callable[[Verdict], bool]
) -> None:
    shares = {status: 100 * n / len(found) for status, n in tally(found).items()}
    hits = sum(map(counted, found))
    sure = clopper_pearson(hits, len(found), 0.975)
    surely = f"({100 * sure.low:.1f}-{100 * sure.high:.1f})"
    print(
        f"  {name:24}{calls:5}{100 * hits / len(found):8.1f} {surely:13}{shares['fail']:6.1f}"
        f"{shares['no_verdict']:12.1f}{shares['pass']:7.1f}"
    )


def _head(title: str, first: str) -> None:
    print(f"\n{title}\n  {'noise of the timings':24}{'calls':>5}{first:>8} {'':13}{'fail':>6}"
          f"{'no verdict':>12}{'pass':>7}   (% of suites)")  # fmt: skip


def _fails(found: Verdict) -> bool:
    return found.status == "fail"


def _alike(patterns: Sequence[Examined], seed: int) -> None:
    _head("No change, gates/demo.yaml: a failure is a false alarm", "wrong")
    for noise in NOISES:
        for calls in (9, 20, 60):
            _row(noise.name, calls, run(patterns, demo_gate(), calls, noise, seed=seed), _fails)


def _strict(patterns: Sequence[Examined], seed: int) -> None:
    for family in ("holm", "none"):
        _head(f"No change, 12 rules on latencies without any margin, family: {family}", "wrong")
        for noise in NOISES:
            _row(noise.name, 20, run(patterns, strict_gate(family), 20, noise, seed=seed), _fails)


def _later(patterns: Sequence[Examined], seed: int) -> None:
    _head("Every response 150 ms later, gates/demo.yaml", "found")

    def named(found: Verdict) -> bool:
        return "response-latency" in {one.rule.id for one in found.with_status("fail")}

    for noise in NOISES:
        for calls in (9, 20):
            found = run(patterns, demo_gate(), calls, noise, later_us=RISE_US, seed=seed)
            _row(noise.name, calls, found, named)


def _misheard(patterns: Sequence[Examined], seed: int) -> None:
    gate = parse(
        "version: 1\nrules:\n  - {id: heard, metric: word_error_rate, aggregate: rate, "
        "max_increase: 1 points, by: group}\n",
        "heard.yaml",
    )
    _head("5 points more words misheard in one cohort of two, 1 point allowed", "found")

    def named(found: Verdict) -> bool:
        wrong = [one.rule.where["group"] for one in found.with_status("fail")]
        return wrong == ["worse"]

    for calls in (40, 80, 160):
        cohorts = ("same", "worse")
        found = run(patterns, gate, calls, NOISES[0], misheard=0.05, cohorts=cohorts, seed=seed)
        _row(f"{calls // 2} calls a cohort", calls, found, named)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
