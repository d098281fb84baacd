"""A gate and the calls -> a verdict. Missing evidence is never a pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from lkgate.gate.check import Checked, check, places
from lkgate.gate.collect import Collected, Point, collect, outside
from lkgate.gate.estimates import is_derived, is_estimated, samples_resting_on
from lkgate.gate.examine import Examined, examine
from lkgate.gate.metrics import DIVERGENCE, SPECS
from lkgate.gate.words import change, margin, quantity
from lkgate.measure.oneoff import PREFIX
from lkgate.model.gate import (
    CallResult,
    Check,
    Evidence,
    Finding,
    FindingStatus,
    Gate,
    Margin,
    Problem,
    Rule,
    Verdict,
    VerdictStatus,
)
from lkgate.model.measurement import MetricSpec, Sample, Unit


def evaluate(
    gate: Gate,
    calls: Iterable[CallResult],
    *,
    recordings: Sequence[str],
    left_out: Sequence[str] = (),
) -> Verdict:
    """Judge calls by a gate.

    Args:
        calls: what was replayed, failures included; read once.
        recordings: names of all calls that were to be judged. One of them, or of those that the
            gate names, that ``calls`` lacks is missing evidence for every rule.
        left_out: calls that are not to be judged this time. The rules do not miss them, but the
            verdict is no pass without them.
    """
    own = [rule.metric for rule in gate.rules if rule.metric.startswith(PREFIX)]
    examined = [examine(call, own) for call in calls]
    return judge(gate, examined, recordings=recordings, left_out=left_out)


def judge(
    gate: Gate,
    calls: Sequence[Examined],
    *,
    recordings: Sequence[str],
    left_out: Sequence[str] = (),
) -> Verdict:
    """Judge calls that were measured and compared before."""
    have = {one.call.call for one in calls}
    missing = tuple(
        _missing(gate, name, recordings)
        for name in dict.fromkeys((*recordings, *gate.calls))
        if name not in have and name not in left_out
    )
    findings: list[Finding] = []
    for rule in gate.rules:
        finding = _finding(gate, rule, SPECS[rule.metric], calls, missing)
        findings.append(_follow(finding, findings))
    return Verdict(
        gate=gate,
        status=_status(findings, left_out),
        findings=tuple(findings),
        calls=tuple(one.call for one in calls),
        missing=missing,
        left_out=tuple(left_out),
    )


def _missing(gate: Gate, name: str, recordings: Sequence[str]) -> Problem:
    if name in recordings:
        next_step = f"Replay {name} too, or take it out of the recordings."
        return Problem(name, "it was not replayed", next_step)
    return Problem(
        name,
        "the gate names this call, and there is no recording of it",
        f"Restore the recording `{name}`, or take it out of `calls:` in {gate.path}.",
    )


def _status(findings: Sequence[Finding], left_out: Sequence[str]) -> VerdictStatus:
    errors = [found.status for found in findings if found.rule.severity == "error"]
    if "fail" in errors or "follows" in errors:
        return "fail"
    # A gate without an error rule decides nothing; the loader refuses it, this is for all others.
    return "no_verdict" if "no_verdict" in errors or not errors or left_out else "pass"


def _finding(
    gate: Gate,
    rule: Rule,
    spec: MetricSpec,
    calls: Sequence[Examined],
    missing: Sequence[Problem],
) -> Finding:
    points: list[Point] = []
    before: list[Sample] = []
    problems = list(missing)
    lost = estimated = derived = 0
    for one in calls:
        out = outside(rule, one.call)
        if isinstance(out, Problem):
            problems.append(out)
        elif not out:
            got: Collected = collect(rule, spec, one, judged=_divergence_judged(gate, one))
            points += got.points
            before += got.baseline
            lost += got.lost
            estimated += samples_resting_on(is_estimated, rule, spec, one.call, got)
            derived += samples_resting_on(is_derived, rule, spec, one.call, got)
            problems += got.problems
    checked = check(rule, spec, points, before)
    if checked.problem is not None:
        problems.append(Problem(None, checked.problem, "State an absolute limit."))
    # Where calls lack evidence, too few samples are only what follows from that.
    if checked.n < max(1, rule.min_n) and not problems:
        problems.append(_too_few(rule, checked.n, lost))
    status = _rule_status(rule, checked, points, problems)
    return Finding(
        rule=rule,
        spec=spec,
        status=status,
        observed=checked.observed,
        baseline=checked.baseline,
        n=checked.n,
        calls=len({point.call for point in points}),
        lost=lost,
        estimated=estimated,
        derived=derived,
        checks=checked.checks,
        evidence=places(rule, spec, points, checked.checks) if status != "no_verdict" else (),
        problems=tuple(problems),
        follows=(),
        reason=_reason(rule, spec, status, checked, problems),
    )


def _divergence_judged(gate: Gate, one: Examined) -> bool:
    return any(
        rule.severity == "error" and rule.metric in DIVERGENCE and outside(rule, one.call) is False
        for rule in gate.rules
    )


def _rule_status(
    rule: Rule, checked: Checked, points: Sequence[Point], problems: Sequence[Problem]
) -> FindingStatus:
    failed = [one for one in checked.checks if not one.ok]
    if not problems:
        return "fail" if failed else "pass"
    # A total or a worst value above its limit stays above it, whatever the missing calls hold.
    proven = rule.aggregate in ("sum", "max", "count") and all(p.value >= 0 for p in points)
    if proven and any(one.limit == "max" for one in failed):
        return "fail"
    return "no_verdict"


def _too_few(rule: Rule, n: int, lost: int) -> Problem:
    wanted = max(1, rule.min_n)
    after = f"; {lost} more lie after a divergence" if lost else ""
    where = " and ".join(f"{key} {value}" for key, value in rule.where.items())
    slice_ = f" in the slice {where}" if where else ""
    return Problem(
        None,
        f"{n} of the {wanted} samples that it needs{slice_}{after}",
        "Record more calls that show it, or lower min_n.",
    )


def _follow(finding: Finding, earlier: Sequence[Finding]) -> Finding:
    """A failure is a consequence if rules that cover it failed earlier in each of its places."""
    if finding.status != "fail":
        return finding
    causes = [
        found
        for found in earlier
        if found.rule.id in finding.rule.covered_by
        and found.rule.severity == "error"
        and found.status in ("fail", "follows")
    ]
    used: dict[str, None] = {}
    for place in finding.evidence:
        since = {found.rule.id: _since(found, place) for found in causes}
        # The nearest cause before the place is the one to name.
        nearest = max(since, key=lambda name: since[name], default=None)
        if nearest is None or since[nearest] < 0:
            return finding
        used[nearest] = None
    if not used:
        return finding
    return replace(finding, status="follows", follows=tuple(used))


def _since(cause: Finding, place: Evidence) -> int:
    """When a cause last showed before the end of a place in the same call, -1 if it did not."""
    return max(
        (
            seen.span.start_us
            for seen in cause.evidence
            if seen.call == place.call and seen.span.start_us <= place.span.end_us
        ),
        default=-1,
    )


def _reason(
    rule: Rule,
    spec: MetricSpec,
    status: FindingStatus,
    checked: Checked,
    problems: Sequence[Problem],
) -> str:
    if status == "no_verdict":
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        first = problems[0]
        return f"{first.call + ': ' if first.call else ''}{first.reason}{more}"
    failed = [one for one in checked.checks if not one.ok]
    shown = failed or list(checked.checks)
    return "; ".join(_sentence(rule, spec, one, checked) for one in shown)


def _sentence(rule: Rule, spec: MetricSpec, one: Check, checked: Checked) -> str:
    named = f"{rule.aggregate} of {rule.metric}"
    unit: Unit = "count" if rule.aggregate == "count" else spec.unit
    if not isinstance(one.allowed, Margin):
        least = "at most" if one.limit == "max" else "at least"
        observed, allowed = quantity(one.observed, unit), quantity(one.allowed, unit)
        return f"{named} is {observed}, allowed is {least} {allowed}"
    now = "?" if checked.observed is None else quantity(checked.observed, unit)
    was = "?" if checked.baseline is None else quantity(checked.baseline, unit)
    by = change(abs(one.observed), unit)
    up = (one.limit == "max_increase") == (one.observed >= 0)
    side = "above" if up else "below"
    return (
        f"{named} is {now}, {by} {side} the baseline's {was}, "
        f"allowed is {margin(one.allowed, unit)}"
    )
