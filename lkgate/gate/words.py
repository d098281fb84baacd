"""Numbers with units, the same in a finding's reason and in every report."""

from __future__ import annotations

from lkgate.model.check import Margin
from lkgate.model.measurement import Unit


def quantity(amount: float, unit: Unit) -> str:
    """``1.25 s``, ``250 ms``, ``12.5 %``, ``3``."""
    if unit == "us":
        ms = amount / 1000
        return f"{ms:.0f} ms" if abs(ms) < 999.5 else f"{ms / 1000:.2f} s"
    if unit == "ratio":
        return f"{amount * 100:.1f} %"
    if unit == "money":
        return f"{amount:.4g}"
    number = f"{amount:.0f}" if float(amount).is_integer() else f"{amount:.2f}"
    return number if unit == "count" else f"{number} {unit}"


def difference(amount: float, unit: Unit) -> str:
    """As :func:`quantity`; shares lie points apart, so that 5 % is never of what."""
    return f"{amount * 100:.1f} points" if unit == "ratio" else quantity(amount, unit)


def margin(allowed: Margin, unit: Unit) -> str:
    """``250 ms``, ``25 % of it``, or both."""
    parts = []
    if allowed.absolute is not None:
        parts.append(difference(allowed.absolute, unit))
    if allowed.relative is not None:
        parts.append(f"{allowed.relative * 100:g} % of it")
    return " and ".join(parts)
