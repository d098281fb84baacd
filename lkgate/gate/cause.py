"""Failures that are only consequences of other failures."""

from __future__ import annotations

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
    used: dict[str, None] = {}
    for place in finding.evidence:
        since = {found.rule.label: _since(found, place) for found in causes}
        # The nearest cause before the place is the one to name.
        nearest = max(since, key=lambda name: since[name], default=None)
        if nearest is None or since[nearest] < 0:
            return finding
        used[nearest] = None
    if not used:
        return finding
    return replace(finding, status="follows", follows=tuple(used), problems=(), undecided=False)


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
