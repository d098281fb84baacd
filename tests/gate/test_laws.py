"""What holds for every gate and every set of calls: taking evidence away never makes a pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from lkgate.gate.evaluate import judge
from lkgate.gate.examine import Examined, examine
from lkgate.gate.metrics import SPECS
from lkgate.measure.sample import missing, rank, summarise
from lkgate.model.check import Margin
from lkgate.model.gate import Gate, Rule
from lkgate.model.measurement import Measurement, Sample
from lkgate.model.verdict import CallFailure, JudgedCall, Verdict
from tests.gate.calls import BOOK, CALLS, V3, truth
from tests.measure.builders import V1, V2, Agent, result

BUILDS = (
    V1,
    V2,
    V3,
    Agent(interruptible=False),
    Agent(yields_after=1.3),
    Agent(llm=1.5),
    Agent(skips_tools=True),
    Agent(silent_at=frozenset({1})),
    Agent(silent_at=frozenset(range(9))),
    Agent(arguments={BOOK: {"time": "02:30"}}),
    Agent(misses=((0, "llm"),)),
)
NAMES = list(CALLS)


@cache
def examined(call: str, build: int, baseline: int | None) -> Examined:
    steps = CALLS[call]
    accepted = None if baseline is None else BUILDS[baseline]
    return examine(result(call, steps, BUILDS[build], baseline=accepted, truth=truth(steps)))


limits = st.sampled_from((0.0, 0.05, 1.0, 3.0, 200_000.0, 1_000_000.0, 2_000_000.0))
margins = st.builds(
    Margin, absolute=st.none() | limits, relative=st.none() | st.sampled_from((0.0, 0.1, 0.5))
).filter(lambda margin: margin != Margin(None, None))


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    name = draw(st.sampled_from(sorted(SPECS)))
    against = "baseline" not in SPECS[name].evidence
    limit = draw(
        st.sampled_from(
            ("max", "min", "max_increase", "max_decrease") if against else ("max", "min")
        )
    )
    rule = Rule(
        id=name,
        metric=name,
        aggregate=draw(st.sampled_from(("p50", "p95", "max", "mean", "sum", "count", "rate"))),
        where=draw(st.sampled_from(({}, {"language": "en"}))),
        min_n=draw(st.sampled_from((1, 1, 3, 10))),
        turns=draw(st.sampled_from(("comparable", "all"))),
        severity=draw(st.sampled_from(("error", "error", "warning"))),
    )
    if limit == "max":
        return replace(rule, max=draw(limits))
    if limit == "min":
        return replace(rule, min=draw(limits))
    if limit == "max_increase":
        return replace(rule, max_increase=draw(margins))
    return replace(rule, max_decrease=draw(margins))


DIVERGENCE = Rule("divergence-judged", "divergence", "sum", max=99.0)
gates = st.tuples(st.lists(rules(), min_size=1, max_size=4), st.booleans()).map(
    lambda made: Gate("g", "g", (*made[0], *((DIVERGENCE,) if made[1] else ())))
)
sets = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.integers(0, len(BUILDS) - 1),
        st.sampled_from((0, 0, 0, 7, None)),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda entry: entry[0],
).map(lambda entries: [examined(*entry) for entry in entries])


def verdict(gate: Gate, calls: list[Examined], recordings: list[str]) -> Verdict:
    return judge(gate, calls, recordings=recordings)


def changed(one: Examined, change: Callable[[JudgedCall], JudgedCall]) -> Examined:
    return replace(one, call=change(one.call))


@settings(max_examples=300)
@given(gate=gates, calls=sets, data=st.data())
def test_deleting_a_call_is_never_a_pass(
    gate: Gate, calls: list[Examined], data: st.DataObject
) -> None:
    recordings = [one.call.call for one in calls]
    gone = data.draw(st.integers(0, len(calls) - 1))
    left = [one for at, one in enumerate(calls) if at != gone]
    after = verdict(gate, left, recordings)
    assert after.status != "pass"
    assert [problem.call for problem in after.missing] == [recordings[gone]]
    named = replace(gate, calls=tuple(recordings))
    assert verdict(named, left, [one.call.call for one in left]).status != "pass"
    kept = [one.call.call for one in left]
    partial = judge(named, left, recordings=kept, left_out=[recordings[gone]])
    assert partial.status != "pass"
    failed = Examined(
        replace(calls[gone].call, failure=CallFailure("crash", "it crashed"), measurements={}),
        {},
        "",
    )
    crashed = verdict(gate, [*left, failed], recordings)
    assert crashed.status != "pass"


def _drop(metric: str) -> Callable[[JudgedCall], JudgedCall]:
    return lambda call: replace(
        call, measurements={n: m for n, m in call.measurements.items() if n != metric}
    )


def _lack(metric: str) -> Callable[[JudgedCall], JudgedCall]:
    return lambda call: replace(
        call, measurements={**call.measurements, metric: missing(SPECS[metric], "gone")}
    )


def _lack_before(metric: str) -> Callable[[JudgedCall], JudgedCall]:
    return lambda call: replace(
        call,
        baseline_measurements={n: m for n, m in call.baseline_measurements.items() if n != metric},
    )


def _no_number(metric: str) -> Callable[[JudgedCall], JudgedCall]:
    def change(call: JudgedCall) -> JudgedCall:
        found: Measurement = call.measurements[metric]
        samples: tuple[Sample, ...] = tuple(
            replace(s, value=float("nan")) if s.value is not None else s for s in found.samples
        )
        spoilt = replace(found, samples=samples)
        return replace(call, measurements={**call.measurements, metric: spoilt})

    return change


def _unlabel(_: str) -> Callable[[JudgedCall], JudgedCall]:
    return lambda call: replace(call, labels=None)


@settings(max_examples=400)
@given(gate=gates, calls=sets, data=st.data())
def test_deleting_a_measurement_never_turns_into_a_pass(
    gate: Gate, calls: list[Examined], data: st.DataObject
) -> None:
    recordings = [one.call.call for one in calls]
    before = verdict(gate, calls, recordings)
    at = data.draw(st.integers(0, len(calls) - 1))
    metric = data.draw(st.sampled_from([rule.metric for rule in gate.rules]))
    way = data.draw(st.sampled_from((_drop, _lack, _lack_before, _no_number, _unlabel)))
    if way is _no_number and metric not in calls[at].call.measurements:
        way = _drop
    calls = [changed(one, way(metric)) if n == at else one for n, one in enumerate(calls)]
    after = verdict(gate, calls, recordings)
    if before.status != "pass":
        assert after.status != "pass"
    for old, new in zip(before.findings, after.findings, strict=True):
        if old.status in ("fail", "follows", "no_verdict"):
            assert new.status != "pass"


@settings(max_examples=200)
@given(gate=gates, calls=sets, data=st.data())
def test_deleting_a_baseline_never_turns_into_a_pass(
    gate: Gate, calls: list[Examined], data: st.DataObject
) -> None:
    recordings = [one.call.call for one in calls]
    before = verdict(gate, calls, recordings)
    at = data.draw(st.integers(0, len(calls) - 1))
    name = recordings[at]
    build = next(n for n in range(len(BUILDS)) if _same(calls[at], examined(name, n, None)))
    calls = [examined(name, build, None) if n == at else one for n, one in enumerate(calls)]
    after = verdict(gate, calls, recordings)
    if before.status != "pass":
        assert after.status != "pass"


def _same(one: Examined, other: Examined) -> bool:
    return one.call.turns == other.call.turns and all(
        one.call.measurements[name] == found for name, found in other.call.measurements.items()
    )


@settings(max_examples=200)
@given(gate=gates, calls=sets)
def test_verdict_is_the_same_in_any_order_of_calls(gate: Gate, calls: list[Examined]) -> None:
    recordings = [one.call.call for one in calls]
    one, other = verdict(gate, calls, recordings), verdict(gate, calls[::-1], recordings)
    assert one.status == other.status
    for a, b in zip(one.findings, other.findings, strict=True):
        assert (a.status, a.observed, a.baseline, a.n) == (b.status, b.observed, b.baseline, b.n)


@settings(max_examples=200)
@given(gate=gates, calls=sets)
def test_every_failure_has_its_evidence_and_every_silence_its_reason(
    gate: Gate, calls: list[Examined]
) -> None:
    found = verdict(gate, calls, [one.call.call for one in calls])
    for one in found.findings:
        assert one.reason
        if one.status == "no_verdict":
            assert one.problems
        if one.status == "pass":
            assert not one.problems
            assert one.n >= one.rule.min_n
            assert all(check.ok for check in one.checks)
            assert one.checks
        for place in one.evidence:
            turns = next(c.turns for c in found.calls if c.call == place.call)
            assert place.turn is None or 0 <= place.turn < len(turns)
            assert 0 <= place.span.start_us <= place.span.end_us


values = st.lists(st.integers(-100, 100).map(float), min_size=1, max_size=60)


@given(values=values, share=st.sampled_from((0.5, 0.9, 0.95, 1.0)))
def test_percentile_is_the_smallest_value_with_its_share_at_or_below(
    values: list[float], share: float
) -> None:
    found = rank(values, share)
    assert found in values
    below = sum(value <= found for value in values) / len(values)
    under = sum(value < found for value in values) / len(values)
    assert below >= share - 1e-9
    assert under < share


def test_summary_of_nothing_is_no_value() -> None:
    for spec in SPECS.values():
        found = summarise(spec, ())
        assert (found.value, found.n, found.reason) == (None, 0, "nothing to measure in this call")
