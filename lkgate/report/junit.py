"""JUnit XML, as CI servers show it: a suite for each call, a case for each rule in it.

What a rule says of the calls as a whole, and of calls that are missing, is a suite of its own. Only
an error rule makes a case fail; a warning that is not kept passes, with what it says as its output.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from lkgate.model.verdict import Evidence, Finding, Problem, Verdict
from lkgate.report import words
from lkgate.report.inert import clipped, visible_lines

# What XML 1.0 cannot hold, escaped or not.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# What a case says is read by people, and CI servers refuse a file of many megabytes.
_TEXT = 20_000
_WHOLE = "the calls together"

Outcome = Literal["passed", "failure", "error", "skipped"]


@dataclass(frozen=True, slots=True)
class _Case:
    rule: str
    outcome: Outcome
    message: str
    detail: str = ""


def render(verdicts: Sequence[Verdict], *, build: str) -> str:
    """The document, ending in a newline. Without times: a replay takes none that mean anything."""
    root = Element("testsuites", name=_clean(f"lkgate {build}"))
    for verdict in verdicts:
        for call, cases in _suites(verdict):
            suite = SubElement(root, "testsuite", name=_clean(f"{verdict.gate.name}: {call}"))
            _count(suite, cases)
            for case in cases:
                _write(suite, case, _clean(f"{verdict.gate.name}.{call}"))
    _count(root, [case for verdict in verdicts for _, cases in _suites(verdict) for case in cases])
    return _document(root)


def _document(root: Element) -> str:
    indent(root)
    text = tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _suites(verdict: Verdict) -> Iterator[tuple[str, list[_Case]]]:
    judged = [one.call for one in verdict.calls]
    lacking = [str(problem.call) for problem in verdict.missing]
    for call in (*judged, *lacking, *verdict.left_out):
        if call in verdict.left_out:
            yield call, [_Case("replay", "error", "left out: this cannot be a pass")]
        else:
            yield call, [*_lost(verdict, call), *_of_rules(verdict, call)]
    whole = [case for found in verdict.findings if (case := _of_all(verdict, found)) is not None]
    if whole:
        yield _WHOLE, whole


def _of_rules(verdict: Verdict, call: str) -> list[_Case]:
    return [_of_call(verdict, found, call) for found in verdict.findings]


def _lost(verdict: Verdict, call: str) -> Iterator[_Case]:
    """That a call has no replay, where no rule misses it."""
    failure = next((one.failure for one in verdict.calls if one.call == call), None)
    told = any(case.outcome in ("error", "failure") for case in _of_rules(verdict, call))
    if failure is not None and not told:
        reason = failure.message or failure.kind
        yield _Case("replay", "error", reason, failure.next_step or "")


def _of_call(verdict: Verdict, found: Finding, call: str) -> _Case:
    rule = found.rule.label
    if found.status == "follows":
        return _Case(rule, "skipped", f"explained by {', '.join(found.follows)}")
    here = [place for place in found.evidence if place.call == call]
    if found.status == "fail" and here:
        detail = "\n".join(_place(place, found) for place in here)
        return _Case(rule, _grave(verdict, found, "failure"), found.reason, detail)
    problems = [problem for problem in found.problems if problem.call == call]
    if problems:
        steps = [problem.next_step for problem in problems if problem.next_step]
        reason = "; ".join(problem.reason for problem in problems)
        return _Case(rule, _grave(verdict, found, "error"), reason, "\n".join(dict.fromkeys(steps)))
    if found.undecided:
        return _Case(rule, "skipped", f"undecided, over {_WHOLE}")
    if found.status == "no_verdict":
        return _Case(rule, "skipped", "no verdict, for what other calls lack")
    return _Case(rule, "passed", "")


def _of_all(verdict: Verdict, found: Finding) -> _Case | None:
    """What no call's own case says: a rule that failed without a place, or too few samples."""
    problems = [problem for problem in found.problems if problem.call is None]
    if problems:
        steps = [problem.next_step for problem in problems if problem.next_step]
        reason = "; ".join(problem.reason for problem in problems)
        return _Case(found.rule.label, _grave(verdict, found, "error"), reason, "\n".join(steps))
    if found.status == "fail" and not found.evidence:
        return _Case(found.rule.label, _grave(verdict, found, "failure"), found.reason)
    if found.status == "no_verdict" and not found.problems:
        return _Case(found.rule.label, _grave(verdict, found, "error"), found.reason)
    return None


def _grave(verdict: Verdict, found: Finding, outcome: Outcome) -> Outcome:
    return outcome if verdict.decides(found) else "passed"


def _place(place: Evidence, found: Finding) -> str:
    unit = found.spec.unit
    turn = "call" if place.turn is None else f"turn {place.turn}"
    text = f"{turn}, listen at {words.span(place.span)}"
    if place.value is not None:
        text += f": {words.value(place.value, unit)}"
        if place.baseline_value is not None:
            text += f", was {words.value(place.baseline_value, unit)}"
    return f"{text}: {place.note}" if place.note else text


def _write(suite: Element, case: _Case, classname: str) -> None:
    node = SubElement(suite, "testcase", classname=classname, name=_clean(case.rule))
    if case.outcome == "passed":
        said = "\n".join(filter(None, (case.message, case.detail)))
        if said:
            SubElement(node, "system-out").text = _clean(f"warning: {said}")
        return
    inner = SubElement(node, case.outcome, message=_clean(case.message))
    if case.detail:
        inner.text = _clean(case.detail)


def _count(node: Element, cases: Sequence[_Case]) -> None:
    outcomes = [case.outcome for case in cases]
    node.set("tests", str(len(cases)))
    node.set("failures", str(outcomes.count("failure")))
    node.set("errors", str(outcomes.count("error")))
    node.set("skipped", str(outcomes.count("skipped")))


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", visible_lines(clipped(text, _TEXT)))


def unjudged(problems: Sequence[Problem], *, build: str) -> str:
    """The document of a run that came to no verdict at all: a case with an error for each."""
    cases = [_Case("verdict", "error", one.reason, one.next_step or "") for one in problems]
    root = Element("testsuites", name=_clean(f"lkgate {build}"))
    suite = SubElement(root, "testsuite", name="lkgate")
    for case in cases:
        _write(suite, case, "lkgate")
    _count(suite, cases)
    _count(root, cases)
    return _document(root)
