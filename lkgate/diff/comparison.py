"""Two sessions compared as a whole: what was said and done, and every number that moved."""

from __future__ import annotations

from dataclasses import dataclass

from lkgate.diff.call import diff
from lkgate.measure.registry import measure_all
from lkgate.measure.session import Session
from lkgate.model.difference import CallDifference
from lkgate.model.measurement import Measurement


@dataclass(frozen=True, slots=True)
class Shift:
    """One metric of both sessions, where their values differ; at least one of them has one."""

    old: Measurement
    new: Measurement


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is not as it was.

    Attributes:
        shifts: in the metrics' order.
    """

    difference: CallDifference
    shifts: tuple[Shift, ...]


def compare(old: Session, new: Session) -> Comparison:
    """Align two sessions, and measure both by every metric of one session."""
    was, now = measure_all(old), measure_all(new)
    shifts = [Shift(was[name], now[name]) for name in was if was[name].value != now[name].value]
    return Comparison(diff(old, new), tuple(shifts))
