"""Failures that are only consequences of other failures."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

from lkgate.model.verdict import Evidence, Finding


def follow(finding: Finding, earlier: Sequence[Finding]) -> Finding:
    """A failure is a consequence if rules that cover it failed earlier in each of its places.

    So is what is undecided, if that holds for every place that speaks for a failure.
    """
    if finding.status != "fail" and not finding.undecided:
        return finding
    causes = [
        found
        for found in earlier
        if found.rule.id in finding.rule.covered_by
        and found.rule.severity == "error"
        and found.status in ("fail", "follows")
    ]
    if not causes:
        return finding
    shown = {found.rule.label: _shown(found) for found in causes}
    used: dict[str, None] = {}
    for place in finding.evidence:
        since = {name: _since(starts.get(place.call, ()), place) for name, starts in shown.items()}
        # The nearest cause before the place is the one to name.
        nearest = max(since, key=lambda name: since[name])
        if since[nearest] < 0:
            return finding
        used[nearest] = None
    if not used:
        return finding
    return replace(finding, status="follows", follows=tuple(used), problems=(), undecided=False)


def _shown(cause: Finding) -> dict[str, list[int]]:
    """When a cause showed, in order, by call."""
    found: dict[str, list[int]] = {}
    for seen in cause.evidence:
        found.setdefault(seen.call, []).append(seen.span.start_us)
    for starts in found.values():
        starts.sort()
    return found


def _since(starts: Sequence[int], place: Evidence) -> int:
    """When a cause last showed before the end of a place in the same call, -1 if it did not."""
    before = bisect_right(starts, place.span.end_us)
    return starts[before - 1] if before else -1
