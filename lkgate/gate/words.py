"""Numbers with units, as a finding's one-line reason says them."""

from __future__ import annotations

from lkgate.model.check import Margin
from lkgate.model.measurement import Unit


def quantity(value: float, unit: Unit) -> str:
    """``1.25 s``, ``250 ms``, ``12.5 %``, ``3``."""
    if unit == "us":
        if abs(value) >= 1_000_000:
            return f"{value / 1_000_000:.2f} s"
        return f"{value / 1000:.0f} ms"
    if unit == "ratio":
        return f"{value * 100:.1f} %"
    if unit == "money":
        return f"{value:.4g}"
    number = f"{value:.0f}" if value == round(value) else f"{value:.2f}"
    return number if unit == "count" else f"{number} {unit}"


def change(value: float, unit: Unit) -> str:
    """As :func:`quantity`; a share changes by points, so that 5 % is never of what."""
    return f"{value * 100:.1f} points" if unit == "ratio" else quantity(value, unit)


def margin(allowed: Margin, unit: Unit) -> str:
    """``250 ms``, ``25 %``, or both."""
    parts = []
    if allowed.absolute is not None:
        parts.append(change(allowed.absolute, unit))
    if allowed.relative is not None:
        parts.append(f"{allowed.relative * 100:g} % of it")
    return " and ".join(parts)
