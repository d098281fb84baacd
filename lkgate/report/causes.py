"""Why rules have no verdict, each reason told once however many rules it silences. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from shlex import quote

from lkgate.gate.sentences import lacking
from lkgate.model.verdict import Finding, Problem, SourceLine, Verdict

# Whether it is the want of a replay; the reason; the next step.
_Key = tuple[bool, str, str | None]


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason.

    Attributes:
        lost: it is the want of a replay.
        calls: what it is the reason of, in the verdict's order.
        reason: may have several lines, if it is an exception's text.
        next_step: a command or an act, ``None`` if there is none.
        findings: rules without a verdict because of it, in the gate's order; of calls without a
            replay there may be none.
        decides: it keeps the verdict from being a pass.
        source: the agent program's own line where the first of the calls failed, if it is known.
    """

    lost: bool
    calls: tuple[str, ...]
    reason: str
    next_step: str | None
    findings: tuple[Finding, ...]
    decides: bool
    source: SourceLine | None

    @property
    def labels(self) -> tuple[str, ...]:
        """Of its rules."""
        return tuple(found.rule.label for found in self.findings)


@dataclass(frozen=True, slots=True)
class Silent:
    """A rule without a verdict, and its problems that no cause tells."""

    finding: Finding
    problems: tuple[Problem, ...]

    @property
    def reason(self) -> str:
        """In one line, as far as no cause tells it."""
        return lacking(self.problems) if self.problems else self.finding.reason


@dataclass(frozen=True, slots=True)
class Folded:
    """All reasons of a verdict for which rules have none.

    Attributes:
        lost: calls without a replay.
        shared: what other calls lack for more than one rule.
        alone: rules of which something is left to tell.
    """

    lost: tuple[Cause, ...]
    shared: tuple[Cause, ...]
    alone: tuple[Silent, ...]

    @property
    def bereft(self) -> int:
        """How many rules have no verdict for want of a replay."""
        return len({label for cause in self.lost for label in cause.labels})


def fold(verdict: Verdict) -> Folded:
    """Each problem of a rule without a verdict is told in exactly one part of the result."""
    lost = {one.call: one for one in _without_replay(verdict)}

    def key(one: Problem) -> _Key:
        # What a call without a replay lacks beside it is only what follows from that.
        cause = lost.get(one.call, one)
        return one.call in lost, cause.reason, _of_any(cause)

    calls: dict[_Key, dict[str, None]] = {}
    rules: dict[_Key, dict[str, Finding]] = {}
    for one in lost.values():
        calls.setdefault(key(one), {})[str(one.call)] = None
    silent = verdict.with_status("no_verdict")
    for found in silent:
        for one in found.problems:
            if one.call is not None:
                calls.setdefault(key(one), {})[one.call] = None
                rules.setdefault(key(one), {})[found.rule.label] = found
    causes = {
        one: _cause(verdict, one, tuple(calls[one]), tuple(rules.get(one, {}).values()))
        for one in calls
        if one[0] or len(rules[one]) > 1
    }
    left = [
        Silent(found, tuple(p for p in found.problems if p.call is None or key(p) not in causes))
        for found in silent
    ]
    return Folded(
        lost=tuple(cause for cause in causes.values() if cause.lost),
        shared=tuple(cause for cause in causes.values() if not cause.lost),
        alone=tuple(one for one in left if one.problems or not one.finding.problems),
    )


def _without_replay(verdict: Verdict) -> Iterator[Problem]:
    for call in verdict.calls:
        if (failure := call.failure) is not None:
            yield Problem(call.call, failure.message or failure.kind, failure.next_step)
    yield from verdict.missing


# What a command is about, where it is the same for every call but for its name.
_CALLS = "`lkgate accept {} --"


def _of_any(one: Problem) -> str | None:
    """The next step, without the name of its call in the command."""
    if one.next_step is None or one.call is None:
        return one.next_step
    return one.next_step.replace(_CALLS.format(quote(one.call)), _CALLS)


def _of(step: str | None, calls: tuple[str, ...]) -> str | None:
    """The next step of these calls."""
    return step and step.replace(_CALLS, _CALLS.format(" ".join(map(quote, calls))))


def _cause(
    verdict: Verdict, key: _Key, calls: tuple[str, ...], findings: tuple[Finding, ...]
) -> Cause:
    lost, reason, next_step = key
    decides = any(verdict.decides(found) for found in findings)
    # A call may be of no rule without a verdict: of none at all, or only of such as failed anyway.
    decides = decides if findings else verdict.status != "pass"
    failed = next((one.failure for one in verdict.calls if one.call == calls[0]), None)
    source = failed.source if failed is not None else None
    return Cause(lost, calls, reason, _of(next_step, calls), findings, decides, source)
