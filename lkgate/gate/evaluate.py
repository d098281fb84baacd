"""A gate and the calls -> a verdict. Missing evidence is never a pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from lkgate.gate.aggregate import calls_for, carried_by
from lkgate.gate.blame import blame
from lkgate.gate.cause import follow
from lkgate.gate.check import Checked, check
from lkgate.gate.collect import Point, compares
from lkgate.gate.examine import Examined, examine
from lkgate.gate.gather import Gathered, gather
from lkgate.gate.metrics import SPECS
from lkgate.gate.places import places
from lkgate.gate.sentences import reason, too_few, undecided
from lkgate.gate.slices import expand
from lkgate.gate.trial import Trial
from lkgate.gate.trust import distrust, hearing
from lkgate.measure.judged import is_own
from lkgate.model.check import Check
from lkgate.model.gate import Gate, Rule, Severity
from lkgate.model.measurement import MetricSpec
from lkgate.model.verdict import CallResult, Finding, FindingStatus, Problem, Verdict, VerdictStatus
from lkgate.stats.family import benjamini_hochberg, holm


def evaluate(
    gate: Gate,
    calls: Iterable[CallResult],
    *,
    recordings: Sequence[str],
    left_out: Sequence[str] = (),
    unusable: Sequence[Problem] = (),
) -> Verdict:
    """Judge calls by a gate.

    Args:
        calls: what was replayed, failures included; read once.
        recordings: names of all calls that were to be judged. One of them, or of those that the
            gate names, that ``calls`` lacks is missing evidence for every rule.
        left_out: calls that are not to be judged this time. The rules do not miss them, but the
            verdict is no pass without them.
        unusable: of calls that ``calls`` lacks, why: they were replayed, and that is no evidence.
    """
    own = [rule.metric for rule in gate.rules if is_own(rule.metric)]
    examined = [examine(call, own) for call in calls]
    return judge(gate, examined, recordings=recordings, left_out=left_out, unusable=unusable)


def judge(
    gate: Gate,
    calls: Sequence[Examined],
    *,
    recordings: Sequence[str],
    left_out: Sequence[str] = (),
    unusable: Sequence[Problem] = (),
) -> Verdict:
    """Judge calls that were measured and compared before."""
    have = {one.call.call for one in calls}
    known = {one.call: one for one in unusable}
    missing = tuple(
        known.get(name) or _missing(gate, name, recordings)
        for name in dict.fromkeys((*recordings, *gate.calls))
        if name not in have and name not in left_out
    )
    labels = [one.call.labels for one in calls]
    drafts = [
        _draft(gate, level, calls, missing) for rule in gate.rules for level in expand(rule, labels)
    ]
    corrected = _corrected(gate, drafts)
    findings: list[Finding] = []
    for draft in drafts:
        findings.append(follow(_finding(draft, corrected), findings))
    judged = [one.call for one in calls]
    findings = [
        replace(found, blame=blame(found, judged)) if found.status == "fail" else found
        for found in findings
    ]
    # A call without a replay may be of no rule, and then no rule misses it.
    whole = not left_out and not any(one.failure for one in judged)
    return Verdict(
        gate=gate,
        status=_status(gate, findings, whole=whole),
        findings=tuple(findings),
        calls=tuple(judged),
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


def _status(gate: Gate, findings: Sequence[Finding], *, whole: bool) -> VerdictStatus:
    errors = [found for found in findings if found.rule.severity == "error"]
    if any(found.status in ("fail", "follows") for found in errors):
        return "fail"
    silent = [found for found in errors if found.status == "no_verdict"]
    if gate.undecided == "fail" and any(found.undecided for found in silent):
        return "fail"
    if gate.undecided == "pass_with_warning":
        silent = [found for found in silent if not found.undecided]
    # A gate without an error rule decides nothing; the loader refuses it, this is for all others.
    return "no_verdict" if silent or not errors or not whole else "pass"


@dataclass(frozen=True, slots=True)
class _Draft:
    """A rule before its limits are decided among all others."""

    rule: Rule
    spec: MetricSpec
    gathered: Gathered
    checked: Checked
    problems: tuple[Problem, ...]
    confidence: float


def _draft(gate: Gate, rule: Rule, calls: Sequence[Examined], missing: Sequence[Problem]) -> _Draft:
    spec = SPECS[rule.metric]
    confidence = gate.confidence if rule.confidence is None else rule.confidence
    gathered = gather(gate, rule, spec, hearing(gate, rule, calls, confidence))
    checked = check(rule, spec, gathered.parts)
    problems = [*missing, *gathered.problems]
    if (doubt := distrust(gate, rule, confidence)) is not None:
        # Whatever it found: no limit of it is broken by one whom nobody trusts.
        checked = replace(checked, trials=())
        problems.insert(0, doubt)
    if checked.problem is not None:
        problems.append(checked.problem)
    # Where calls lack evidence, too few samples are only what follows from that.
    few = checked.n < max(1, rule.min_n, carried_by(rule.aggregate))
    against = compares(rule)
    tell = len({one.recording for one in gathered.parts if (one.now if against else one.points)})
    if (few or tell < calls_for(rule.aggregate)) and not problems:
        problems.append(too_few(rule, checked.n, tell, gathered.lost))
    return _Draft(rule, spec, gathered, checked, tuple(problems), confidence)


def _corrected(gate: Gate, drafts: Sequence[_Draft]) -> dict[int, float]:
    """The p-value of every sampled trial, corrected for those that are judged along with it.

    Errors and warnings are families of their own: what decides nothing must not make it harder
    to find what does.
    """
    found: dict[int, float] = {}
    severities: tuple[Severity, ...] = ("error", "warning")
    for severity in severities:
        family: list[Trial] = [
            trial
            for draft in drafts
            if draft.rule.severity == severity and not draft.problems
            for trial in draft.checked.trials
            if trial.sampled is not None
        ]
        p_values = [trial.p_broken for trial in family]
        if gate.family == "holm":
            p_values = holm(p_values)
        elif gate.family == "benjamini-hochberg":
            p_values = benjamini_hochberg(p_values)
        found |= {id(trial): p for trial, p in zip(family, p_values, strict=True)}
    return found


def _finding(draft: _Draft, corrected: dict[int, float]) -> Finding:
    rule, spec, checked, gathered = draft.rule, draft.spec, draft.checked, draft.gathered
    checks = tuple(
        trial.decided(draft.confidence, corrected.get(id(trial))) for trial in checked.trials
    )
    problems = list(draft.problems)
    status = _rule_status(rule, checks, gathered.points, problems)
    judged = status != "no_verdict"
    left_open = status == "pass" and any(one.outcome == "open" for one in checks)
    if left_open:
        status = "no_verdict"
        problems += [undecided(rule, spec, checked, one) for one in checks if one.outcome == "open"]
    return Finding(
        rule=rule,
        spec=spec,
        status=status,
        observed=checked.observed,
        baseline=checked.baseline,
        n=checked.n,
        calls=sum(bool(part.points) for part in gathered.parts),
        lost=gathered.lost,
        estimated=gathered.estimated,
        derived=gathered.derived,
        checks=checks,
        evidence=places(rule, spec, gathered.parts, checks) if judged else (),
        problems=tuple(problems),
        follows=(),
        reason=reason(rule, spec, status, checked, checks, problems),
        undecided=left_open,
    )


def _rule_status(
    rule: Rule, checks: Sequence[Check], points: Sequence[Point], problems: Sequence[Problem]
) -> FindingStatus:
    """``pass`` also where a limit is open, if none is broken."""
    failed = [one for one in checks if one.outcome == "broken"]
    if not problems:
        return "fail" if failed else "pass"
    # A total or a worst value above its limit stays above it, whatever the missing calls hold.
    proven = rule.aggregate in ("sum", "max", "count") and all(p.value >= 0 for p in points)
    if proven and any(one.limit == "max" for one in failed):
        return "fail"
    return "no_verdict"
