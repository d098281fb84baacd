"""SARIF 2.1.0 for code scanning: a run for each gate, in it a result for each rule that failed, and
one for each reason why rules have no verdict, however many those are.

A result stands at the rule in the gate's file, or at the agent program's own line where that is
known to have ended a call; where to listen is in its related locations.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from urllib.parse import quote

from lkgate import __version__
from lkgate.model.event import Json
from lkgate.model.verdict import Evidence, Finding, Verdict
from lkgate.report import words
from lkgate.report.causes import Cause, Silent, fold
from lkgate.report.inert import clipped, visible_lines
from lkgate.report.places import Place, of_cause, of_gate

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_TEXT = 2_000
_PLACES = 20
_NAMES = 20
# Rules of no gate's own: calls that have no replay, and what several of the gate's rules lack.
_OWN: Sequence[tuple[str, str]] = (
    ("lkgate-missing-call", "A call has no replay."),
    ("lkgate-missing-evidence", "Rules have no verdict, for calls lack what they need."),
)
# Links and placeholders in a message (SARIF 3.11.5, 3.11.6).
_LINK = re.compile(r"[\\\[\]]")


def render(
    verdicts: Sequence[Verdict], *, build: str, digest: str | None, directory: str = ""
) -> str:
    """The document, ending in a newline. Without times: a replay takes none that mean anything.

    Args:
        digest: of all replays.
        directory: of the gates' paths, from the root of the repository.
    """
    log: dict[str, Json] = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [_run(verdict, build, digest, directory) for verdict in verdicts],
    }
    text = json.dumps(log, indent=2, ensure_ascii=False)
    # A lone surrogate is no Unicode, and no file can hold it.
    return text.encode("utf-8", "replace").decode() + "\n"


def _run(verdict: Verdict, build: str, digest: str | None, directory: str) -> Json:
    rules: list[Json] = [_rule(found) for found in verdict.findings]
    rules += [{"id": name, "shortDescription": {"text": text}} for name, text in _OWN]
    folded = fold(verdict)
    results = [_cause(verdict, one, directory) for one in (*folded.lost, *folded.shared)]
    alone = {one.finding.rule.label: one for one in folded.alone}
    results += [
        _result(verdict, found, alone.get(found.rule.label), index, directory)
        for index, found in enumerate(verdict.findings)
        if found.status == "fail" or found.rule.label in alone
    ]
    return {
        "tool": {
            "driver": {"name": "lkgate", "semanticVersion": __version__, "rules": rules},
        },
        "automationDetails": {"id": f"lkgate/{_one_line(verdict.gate.name)}/"},
        "invocations": [{"executionSuccessful": not folded.lost and not verdict.left_out}],
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": {
            "verdict": verdict.status,
            "build": _one_line(build),
            "digest": digest,
            "leftOut": [_one_line(call) for call in verdict.left_out],
        },
    }


def _rule(found: Finding) -> Json:
    rule: dict[str, Json] = {
        "id": _one_line(found.rule.label),
        "shortDescription": {"text": f"{found.rule.metric}: {found.spec.doc}"},
        "defaultConfiguration": {"level": "error" if found.rule.severity == "error" else "warning"},
    }
    if found.rule.message:
        rule["fullDescription"] = {"text": _plain(found.rule.message)}
    return rule


def _result(
    verdict: Verdict, found: Finding, silent: Silent | None, index: int, directory: str
) -> Json:
    lines = [found.rule.message, (silent or found).reason]
    if silent is not None:
        for one in silent.lacks[:3]:
            lines += [None if one.reason in silent.reason else one.told(_NAMES), one.next_step]
    result: dict[str, Json] = {
        "ruleId": _one_line(found.rule.label),
        "ruleIndex": index,
        "level": "error" if verdict.decides(found) else "warning",
        "message": {"text": _message("\n".join(dict.fromkeys(line for line in lines if line)))},
        "locations": [_location(of_gate(verdict.gate, directory, found.rule.line))],
        "partialFingerprints": {"lkgateRule/v1": _fingerprint(verdict, found.rule.label)},
        "properties": {"status": "undecided" if found.undecided else found.status},
    }
    if found.status == "fail" and found.evidence:
        result["relatedLocations"] = [
            _listen(number, one) for number, one in enumerate(found.evidence[:_PLACES])
        ]
    return result


def _cause(verdict: Verdict, cause: Cause, directory: str) -> Json:
    own = 0 if cause.lost else 1
    name, _ = _OWN[own]
    rules = f"Without a verdict: {', '.join(cause.labels)}" if cause.labels else None
    lines = (f"{words.names(cause.calls, _NAMES)}: {cause.reason}", cause.next_step, rules)
    # A call lost is the same one tomorrow, whatever it is lost for; what others lack is not.
    what = cause.calls[0] if cause.lost else f"{cause.reason}\0{cause.next_step}"
    return {
        "ruleId": name,
        "ruleIndex": len(verdict.findings) + own,
        "level": "error" if cause.decides else "warning",
        "message": {"text": _message("\n".join(line for line in lines if line))},
        "locations": [_location(of_cause(verdict, cause, directory))],
        "partialFingerprints": {"lkgateRule/v1": _fingerprint(verdict, f"\0{what}")},
        "properties": {"status": "no_verdict"},
    }


def _location(place: Place) -> Json:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(clipped(place.path, _TEXT), errors="replace")},
            # Code scanning asks for a line; of a file as a whole it is the first.
            "region": {"startLine": place.line or 1},
        }
    }


def _listen(number: int, place: Evidence) -> Json:
    turn = "call" if place.turn is None else f"turn {place.turn}"
    said = f"{place.call}, {turn}, listen at {words.span(place.span)}"
    if place.note:
        said += f": {place.note}"
    return {
        "id": number,
        "message": {"text": _message(said)},
        "logicalLocations": [
            {
                "name": turn,
                "fullyQualifiedName": f"{_one_line(place.call)}/{turn.replace(' ', '-')}",
            }
        ],
        "properties": {"startUs": place.span.start_us, "endUs": place.span.end_us},
    }


def _fingerprint(verdict: Verdict, what: str) -> str:
    told = f"{verdict.gate.name}\0{what}".encode("utf-8", "replace")
    return hashlib.sha256(told).hexdigest()


def _plain(text: str) -> str:
    return visible_lines(clipped(text, _TEXT))


def _one_line(text: str) -> str:
    return _plain(text).replace("\n", " ")


def _message(text: str) -> str:
    """A message that is read as it stands: no link in it, and no placeholder."""
    told = _LINK.sub(lambda found: f"\\{found[0]}", _plain(text))
    return told.replace("{", "{{").replace("}", "}}")
