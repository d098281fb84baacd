"""Why rules have no verdict, each reason told once however many rules it silences. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from lkgate.model.verdict import Finding, Problem, SourceLine, Verdict
from lkgate.report import words

# Whether it is the want of a replay; the reason; the next step.
_Key = tuple[bool, str, str | None]
# Of calls, in a line that is about many.
NAMES = 8


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
class Lack:
    """One reason of a rule's own.

    Attributes:
        calls: that it is about, once each; none if it is about all of them.
        next_step: for all of these calls together.
    """

    calls: tuple[str, ...]
    reason: str
    next_step: str | None

    def told(self, most: int) -> str:
        """With the names of at most ``most`` calls and one."""
        calls = words.names(self.calls, most)
        return f"{calls}: {self.reason}" if calls else self.reason


@dataclass(frozen=True, slots=True)
class Silent:
    """A rule without a verdict, and its problems that no cause tells."""

    finding: Finding
    problems: tuple[Problem, ...]

    @property
    def lacks(self) -> tuple[Lack, ...]:
        """What the problems say, each once for all calls that have it."""
        alike: dict[tuple[str, str | None], list[Problem]] = {}
        for one in self.problems:
            alike.setdefault((one.reason, _of_any(one.next_step)), []).append(one)
        return tuple(
            Lack(
                tuple(dict.fromkeys(one.call for one in found if one.call is not None)),
                reason,
                _of_all(one.next_step for one in found),
            )
            for (reason, _), found in alike.items()
        )

    @property
    def reason(self) -> str:
        """In one line, as far as no cause tells it."""
        if not self.problems:
            return self.finding.reason
        first, *others = self.lacks
        more = f" (and {words.count(len(others), 'more reason')})" if others else ""
        return first.told(NAMES) + more


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
        return one.call in lost, cause.reason, _of_any(cause.next_step)

    calls: dict[_Key, dict[str, None]] = {}
    steps: dict[_Key, list[str | None]] = {}
    rules: dict[_Key, dict[str, Finding]] = {}
    for one in lost.values():
        calls.setdefault(key(one), {})[str(one.call)] = None
        steps.setdefault(key(one), []).append(one.next_step)
    silent = verdict.with_status("no_verdict")
    for found in silent:
        for one in found.problems:
            if one.call is not None:
                calls.setdefault(key(one), {})[one.call] = None
                steps.setdefault(key(one), []).append(lost.get(one.call, one).next_step)
                rules.setdefault(key(one), {})[found.rule.label] = found
    causes = {
        one: _cause(verdict, one, tuple(calls[one]), steps[one], tuple(rules.get(one, {}).values()))
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


# Which call a command is about, where the rest of it is the same for every call.
_CALL = re.compile(r"(?<=`lkgate accept )(.+?)(?= --)")


def _of_any(step: str | None) -> str | None:
    """A next step without the name of its call."""
    return step and _CALL.sub("", step)


def _of_all(steps: Iterable[str | None]) -> str | None:
    """Of next steps that are the same but for their calls: the one of all of them."""
    first, *others = dict.fromkeys(steps)
    if first is None or not others:
        return first
    names = dict.fromkeys(
        found[1] for one in (first, *others) if one and (found := _CALL.search(one))
    )
    return _CALL.sub(lambda _: " ".join(names), first)


def _cause(
    verdict: Verdict,
    key: _Key,
    calls: tuple[str, ...],
    steps: Iterable[str | None],
    findings: tuple[Finding, ...],
) -> Cause:
    lost, reason, _ = key
    decides = any(verdict.decides(found) for found in findings)
    # A call may be of no rule without a verdict: of none at all, or only of such as failed anyway.
    decides = decides if findings else verdict.status != "pass"
    failed = next((one.failure for one in verdict.calls if one.call == calls[0]), None)
    source = failed.source if failed is not None else None
    return Cause(lost, calls, reason, _of_all(steps), findings, decides, source)
