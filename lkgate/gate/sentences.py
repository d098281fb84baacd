"""A finding's reason in one line, and what to do where nothing could be decided."""

from __future__ import annotations

from collections.abc import Sequence

from lkgate.gate.aggregate import carried_by, fewer
from lkgate.gate.check import Checked
from lkgate.gate.words import difference, margin, quantity
from lkgate.model.check import Check, Margin, Uncertainty
from lkgate.model.gate import Rule, unit_of
from lkgate.model.measurement import MetricSpec, Unit
from lkgate.model.verdict import FindingStatus, Problem


def reason(
    rule: Rule,
    spec: MetricSpec,
    status: FindingStatus,
    checked: Checked,
    checks: Sequence[Check],
    problems: Sequence[Problem],
) -> str:
    """Why a rule has its status."""
    if status == "no_verdict":
        return lacking(problems)
    failed = [one for one in checks if one.outcome == "broken"]
    return "; ".join(_sentence(rule, spec, one, checked) for one in failed or checks)


def lacking(problems: Sequence[Problem]) -> str:
    """The first reason with every call that has it, and how many problems are others."""
    first = problems[0]
    same = [problem for problem in problems if problem.reason == first.reason]
    calls = list(dict.fromkeys(problem.call for problem in same if problem.call))
    rest = len(problems) - len(same)
    more = f" (and {rest} more)" if rest else ""
    return f"{', '.join(calls)}{': ' if calls else ''}{first.reason}{more}"


def too_few(rule: Rule, n: int, calls: int, lost: int) -> Problem:
    """Fewer samples than the rule, or its percentile, needs."""
    wanted, carried = max(1, rule.min_n), carried_by(rule.aggregate)
    after = f"; {lost} more lie after a divergence" if lost else ""
    where = " and ".join(f"{key} {value}" for key, value in rule.where.items())
    slice_ = f" in the slice {where}" if where else ""
    if wanted < carried or n >= wanted:
        return Problem(
            None,
            f"{fewer(rule.aggregate, n, calls)}{slice_}{after}",
            "Record more calls, or use max or mean: of fewer it is the largest of one call.",
        )
    return Problem(
        None,
        f"{n} of the {wanted} samples that it needs{slice_}{after}",
        "Record more calls that show it, or lower min_n.",
    )


def undecided(rule: Rule, spec: MetricSpec, checked: Checked, check: Check) -> Problem:
    """A limit that was neither shown to be broken nor to hold."""
    found = check.uncertainty
    assert found is not None  # only what is uncertain is open
    said = _sentence(rule, spec, check, checked)
    if found.low is None:
        return Problem(
            None,
            f"{said}; so few calls cannot tell what other calls would show",
            "Record more calls, or judge these alone with `about: these_calls`.",
        )
    alone = found.p_broken <= 1.0 - found.confidence
    crowd = ", and by itself that would count, but not among all rules" if alone else ""
    reason_ = f"{said}; neither broken nor kept for sure{crowd}"
    calls = sum(found.calls)
    if found.needed is None:
        return Problem(None, reason_, "It lies at the limit itself: no number of calls decides it.")
    of = f"{calls} {'call' if calls == 1 else 'calls'}"
    return Problem(None, reason_, f"About {found.needed} calls like these {of} would decide it.")


def _sentence(rule: Rule, spec: MetricSpec, one: Check, checked: Checked) -> str:
    named = f"{rule.aggregate} of {rule.metric}"
    unit = unit_of(rule.aggregate, spec.unit)
    sure = _sure(one.uncertainty, unit, moved=one.limit not in ("max", "min"))
    if one.limit == "max_gap":
        assert not isinstance(one.allowed, Margin)
        return (
            f"{named} lies {difference(one.observed, unit)} apart ({one.note}), "
            f"allowed is {difference(one.allowed, unit)}{sure}"
        )
    if not isinstance(one.allowed, Margin):
        least = "at most" if one.limit == "max" else "at least"
        observed, allowed = quantity(one.observed, unit), quantity(one.allowed, unit)
        return f"{named} is {observed}, allowed is {least} {allowed}{sure}"
    now = "?" if checked.observed is None else quantity(checked.observed, unit)
    was = "?" if checked.baseline is None else quantity(checked.baseline, unit)
    by = difference(abs(one.observed), unit)
    up = (one.limit == "max_increase") == (one.observed >= 0)
    side = "above" if up else "below"
    return (
        f"{named} is {now}, {by} {side} the baseline's {was}, "
        f"allowed is {margin(one.allowed, unit)}{sure}"
    )


def _sure(found: Uncertainty | None, unit: Unit, *, moved: bool) -> str:
    """The bounds, where they are not the number itself."""
    if found is None or found.low is None or found.high is None or found.low == found.high:
        return ""
    say = difference if moved else quantity
    share = f"{found.confidence * 100:g} %"
    return f" ({share} sure: at least {say(found.low, unit)}, at most {say(found.high, unit)})"
