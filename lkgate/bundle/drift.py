"""How true a recorded track's clock was, from what the recorder noted of it."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lkgate.model.bundle import TrackClock
from lkgate.model.event import Json

QUALITY = "lkgate.media_quality"

_LEAST_US = 20_000_000
_LEAST_SAMPLES = 4


@dataclass(frozen=True, slots=True)
class Noted:
    """One event ``lkgate.media_quality``.

    Attributes:
        t_us: session time.
        segment: which anchor samples were counted from.
        lag_us: how much later than counting says audio came then; ``None``: not known yet.
        delay_us: between sound and its reading; ``None``: not known yet.
    """

    t_us: int
    segment: int
    lag_us: int | None
    delay_us: int | None


def noted_in(events: Iterable[tuple[int, str, Mapping[str, Json]]]) -> dict[str, list[Noted]]:
    """What was noted, by the id of the track. Fields that are no integers count as not known."""
    found: dict[str, list[Noted]] = {}
    for t_us, kind, data in events:
        track, segment = data.get("track"), _integer(data.get("segment"))
        if kind == QUALITY and isinstance(track, str) and segment is not None:
            noted = Noted(
                t_us, segment, _integer(data.get("lag_us")), _integer(data.get("delay_us"))
            )
            found.setdefault(track, []).append(noted)
    return found


def clock_of(noted: Iterable[Noted]) -> TrackClock:
    """The slope of lag over time, by least squares with one slope over all segments.

    Samples that come too slowly lag more and more: that is a negative drift.
    """
    segments: dict[int, list[tuple[int, int]]] = {}
    delays: list[int] = []
    for each in noted:
        if each.lag_us is not None:
            segments.setdefault(each.segment, []).append((each.t_us, each.lag_us))
        if each.delay_us is not None:
            delays.append(each.delay_us)
    delay_us = round(statistics.median(delays)) if delays else None
    count = sum(len(points) for points in segments.values())
    span_us = sum(points[-1][0] - points[0][0] for points in segments.values())
    if span_us < _LEAST_US or count < _LEAST_SAMPLES:
        reason = f"audio was watched for {span_us / 1e6:.0f} s without a gap, which is too short"
        return TrackClock(drift_ppm=None, drift_absent_reason=reason, delay_us=delay_us)
    over = under = 0.0
    for points in segments.values():
        mean_t = statistics.fmean(t_us for t_us, _ in points)
        mean_lag = statistics.fmean(lag_us for _, lag_us in points)
        over += sum((t_us - mean_t) * (lag_us - mean_lag) for t_us, lag_us in points)
        under += sum((t_us - mean_t) ** 2 for t_us, _ in points)
    return TrackClock(
        drift_ppm=round(-over / under * 1e6, 1), drift_absent_reason=None, delay_us=delay_us
    )


def _integer(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
