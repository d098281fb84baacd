"""Arithmetic on stretches of session time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from lkgate.model.bundle import Span


def union(spans: Iterable[Span], *, bridge_us: int = 0) -> tuple[Span, ...]:
    """Sorted, disjoint spans that cover the same time; gaps up to ``bridge_us`` are closed."""
    merged: list[Span] = []
    for span in sorted(spans):
        if span.duration_us <= 0:
            continue
        if merged and span.start_us - merged[-1].end_us <= bridge_us:
            last = merged[-1]
            merged[-1] = Span(last.start_us, max(last.end_us, span.end_us))
        else:
            merged.append(span)
    return tuple(merged)


def overlap(left: Sequence[Span], right: Sequence[Span]) -> tuple[Span, ...]:
    """Time that lies in both; each argument is sorted and disjoint."""
    found: list[Span] = []
    if not left or not right:
        return ()
    # A turn's few stretches are mostly held to all those of a call.
    i = bisect_right(left, right[0].start_us, key=_end)
    j = bisect_right(right, left[0].start_us, key=_end)
    while i < len(left) and j < len(right):
        start = max(left[i].start_us, right[j].start_us)
        end = min(left[i].end_us, right[j].end_us)
        if start < end:
            found.append(Span(start, end))
        if left[i].end_us <= right[j].end_us:
            i += 1
        else:
            j += 1
    return tuple(found)


def _end(span: Span) -> int:
    return span.end_us


def total_us(spans: Iterable[Span]) -> int:
    return sum(span.duration_us for span in spans)


def hull(spans: Sequence[Span]) -> Span:
    """From the first start to the last end; ``spans`` is not empty."""
    return Span(min(span.start_us for span in spans), max(span.end_us for span in spans))


def any_between(moments: Sequence[int], start_us: int, end_us: int) -> bool:
    """Whether one of the sorted ``moments`` lies in ``[start_us, end_us]``."""
    at = bisect_left(moments, start_us)
    return at < len(moments) and moments[at] <= end_us


def containing(spans: Sequence[Span], t_us: int) -> int | None:
    """Index of the span of a sorted, disjoint list that holds ``t_us``."""
    at = bisect_left(spans, Span(t_us + 1, t_us + 1)) - 1
    if at >= 0 and spans[at].start_us <= t_us < spans[at].end_us:
        return at
    return None
