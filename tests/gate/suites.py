"""Suites of calls with the numbers that a test wants, without playing them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from lkgate.gate.evaluate import judge
from lkgate.gate.examine import Examined, examine
from lkgate.gate.load import parse
from lkgate.gate.metrics import SPECS
from lkgate.measure.sample import summarise
from lkgate.model.gate import Gate
from lkgate.model.measurement import Measurement
from lkgate.model.verdict import Finding, Verdict
from tests.measure.builders import Step, labels, result

Value = float | tuple[float, float]


@cache
def _call(turns: int) -> Examined:
    steps = [Step("One.", "Two.")] * turns
    return examine(result("call", steps, truth=labels(*["One."] * turns)))


def call(
    name: str,
    metric: str,
    now: Sequence[Value],
    before: Sequence[Value] | None = None,
    cohort: Mapping[str, str] | None = None,
) -> Examined:
    """A call with a sample a turn.

    Args:
        now, before: values in the metric's unit, or amount and weight of a rate. ``before`` is
            as ``now`` if left out.
    """
    base = _call(len(now))
    after, earlier = base.call.measurements[metric], base.call.baseline_measurements[metric]
    return replace(
        base,
        call=replace(
            base.call,
            call=name,
            labels=None if cohort is None else labels("One.", cohort=cohort),
            measurements={**base.call.measurements, metric: _valued(after, now)},
            baseline_measurements={
                **base.call.baseline_measurements,
                metric: _valued(earlier, now if before is None else before),
            },
        ),
    )


def _valued(found: Measurement, values: Sequence[Value]) -> Measurement:
    samples = []
    for sample, value in zip(found.samples, values, strict=True):
        amount, weight = value if isinstance(value, tuple) else (value, 1.0)
        shown = amount / weight if weight else 0.0
        samples.append(
            replace(
                sample, status="measured", value=shown, amount=amount, weight=weight, reason=None
            )
        )
    return summarise(SPECS[found.metric], samples)


def gate(*rules: str, head: str = "") -> Gate:
    lines = "".join(f"  - {{id: r{n}, {rule}}}\n" for n, rule in enumerate(rules))
    return parse(f"version: 1\n{head}rules:\n{lines}", "gate.yaml")


def verdict(rules: Gate, calls: Sequence[Examined]) -> Verdict:
    return judge(rules, calls, recordings=[one.call.call for one in calls])


def finding(rule: str, calls: Sequence[Examined], head: str = "") -> Finding:
    return verdict(gate(rule, head=head), calls).findings[0]
