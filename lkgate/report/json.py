"""The report for programs. Its shape is ``schema/report.json``; ``schema`` in it is the version."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from lkgate.model.blame import Blame
from lkgate.model.bundle import Span
from lkgate.model.check import Check, Margin, Uncertainty
from lkgate.model.event import Json
from lkgate.model.verdict import Evidence, Finding, JudgedCall, LiveRoom, Verdict
from lkgate.report.inert import json_text

SCHEMA_VERSION = 1


def schema() -> dict[str, Any]:
    """The published JSON Schema of the report."""
    text = files("lkgate.report").joinpath("schema/report.json").read_text("utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def render(
    verdict: Verdict, *, build: str, digest: str | None, live: LiveRoom | None = None
) -> str:
    """The report as JSON text, ending in a newline. Times are integer microseconds."""
    report: dict[str, Json] = {
        "schema": SCHEMA_VERSION,
        "verdict": verdict.status,
        "build": build,
        "digest": digest,
        "gate": {
            "name": verdict.gate.name,
            "path": verdict.gate.path,
            "confidence": verdict.gate.confidence,
            "family": verdict.gate.family,
            "undecided": verdict.gate.undecided,
        },
        "findings": [_finding(found) for found in verdict.findings],
        "calls": [_call(call) for call in verdict.calls],
        "missing": [problem.call for problem in verdict.missing],
        "left_out": list(verdict.left_out),
        "unlisted": list(verdict.unlisted),
    }
    if live is not None:
        report["live_room"] = {
            "repeats": live.repeats,
            "interleaved": live.interleaved,
            "at_once": live.at_once,
        }
    return json_text(report, indent=2) + "\n"


def _finding(found: Finding) -> Json:
    return {
        "rule": found.rule.id,
        "metric": found.rule.metric,
        "unit": found.spec.unit,
        "aggregate": found.rule.aggregate,
        "severity": found.rule.severity,
        "slice": dict(found.rule.where),
        "status": found.status,
        "undecided": found.undecided,
        "reason": found.reason,
        "observed": found.observed,
        "baseline": found.baseline,
        "n": found.n,
        "calls": found.calls,
        "lost": found.lost,
        "estimated": found.estimated,
        "derived": found.derived,
        "follows": list(found.follows),
        "checks": [_check(check) for check in found.checks],
        "evidence": [_evidence(place) for place in found.evidence],
        "problems": [
            {"call": problem.call, "reason": problem.reason, "next_step": problem.next_step}
            for problem in found.problems
        ],
        "blame": _blame(found.blame),
    }


def _blame(found: Blame | None) -> Json:
    if found is None:
        return None
    return {
        "layer": found.layer,
        "reason": found.reason,
        "calls": found.calls,
        "suspects": [
            {
                "layer": one.layer,
                "calls": list(one.calls),
                "call": one.call,
                "t_us": one.t_us,
                "turn": one.turn,
                "detail": one.detail,
            }
            for one in found.suspects
        ],
    }


def _check(check: Check) -> Json:
    allowed: Json
    if isinstance(check.allowed, Margin):
        allowed = {"absolute": check.allowed.absolute, "relative": check.allowed.relative}
    else:
        allowed = check.allowed
    return {
        "limit": check.limit,
        "allowed": allowed,
        "observed": check.observed,
        "relative": check.relative,
        "ok": check.ok,
        "outcome": check.outcome,
        "note": check.note,
        "uncertainty": _uncertainty(check.uncertainty),
    }


def _uncertainty(found: Uncertainty | None) -> Json:
    if found is None:
        return None
    return {
        "low": found.low,
        "high": found.high,
        "confidence": found.confidence,
        "p_broken": found.p_broken,
        "p_family": found.p_family,
        "p_holds": found.p_holds,
        "calls": list(found.calls),
        "method": found.method,
        "needed": found.needed,
    }


def _evidence(place: Evidence) -> Json:
    return {
        "call": place.call,
        "turn": place.turn,
        "span": _span(place.span),
        "value": place.value,
        "baseline_turn": place.baseline_turn,
        "baseline_span": _span(place.baseline_span),
        "baseline_value": place.baseline_value,
        "note": place.note,
        "estimated": list(place.estimated),
    }


def _span(span: Span | None) -> Json:
    return None if span is None else {"start_us": span.start_us, "end_us": span.end_us}


def _call(call: JudgedCall) -> Json:
    failure: Json = None
    if call.failure is not None:
        failure = {
            "kind": call.failure.kind,
            "message": call.failure.message,
            "next_step": call.failure.next_step,
        }
    return {
        "call": call.call,
        "cohort": dict(call.labels.cohort) if call.labels else None,
        "failure": failure,
        "stale": call.stale.reason if call.stale else None,
        "cassette": call.cassette,
        "first_divergence": _divergence(call),
        "measurements": {
            name: {"value": found.value, "unit": found.unit, "n": found.n, "reason": found.reason}
            for name, found in sorted(call.measurements.items())
        },
    }


def _divergence(call: JudgedCall) -> Json:
    if call.difference is None or call.difference.first_divergence is None:
        return None
    first = call.difference.first_divergence
    return {
        "t_us": first.difference.t_us,
        "layer": first.layer,
        "kind": first.difference.kind,
        "turn": first.difference.candidate_turn,
        "reason": first.reason,
        "turns_lost": first.turns_lost,
    }
