"""Quantities as a gate file writes them: ``250 ms``, ``25%``, ``2 points``, ``0``."""

from __future__ import annotations

import re

from lkgate.model.check import Margin
from lkgate.model.measurement import Unit

_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*(\D*?)\s*")
_TIMES = {"us": 1.0, "µs": 1.0, "ms": 1e3, "s": 1e6, "min": 60e6}
_SHARES = {"": 1.0, "%": 0.01, "points": 0.01}

HOW: dict[Unit, str] = {
    "us": "Write a time with its unit, for instance 250 ms or 1.5 s.",
    "ratio": "Write a share, for instance 5%, or 5 points for a change of it.",
    "count": "Write a plain number.",
    "words": "Write a plain number.",
    "tokens": "Write a plain number.",
    "money": "Write a plain number, in the price table's currency.",
    "dB": "Write a level, for instance -26 dB.",
    "mos": "Write a rating from 1 to 5.",
}


def limit(written: float | str, unit: Unit) -> float:
    """A limit in the metric's unit.

    Raises:
        ValueError: it is not one.
    """
    number, suffix = _split(written)
    if unit == "us":
        if suffix in _TIMES:
            return number * _TIMES[suffix]
    elif unit == "ratio":
        if suffix in _SHARES:
            return number * _SHARES[suffix]
    elif suffix in ("", unit):
        return number
    raise ValueError(written)


def margin(written: float | str | dict[str, float | str], unit: Unit) -> Margin:
    """An allowed change. A percentage is a share of the baseline; ``points`` are a ratio's own.

    Raises:
        ValueError: it is not one, or it is negative.
    """
    if isinstance(written, dict):
        absolute = _absolute(written["absolute"], unit) if "absolute" in written else None
        relative = _relative(written["relative"]) if "relative" in written else None
        return Margin(absolute, relative)
    if _split(written)[1] == "%":
        return Margin(None, _relative(written))
    return Margin(_absolute(written, unit), None)


def _absolute(written: float | str, unit: Unit) -> float:
    number, suffix = _split(written)
    if number < 0 or suffix == "%":
        raise ValueError(written)
    return limit(written, unit)


def _relative(written: float | str) -> float:
    number, suffix = _split(written)
    if number < 0 or suffix != "%":
        raise ValueError(written)
    return number / 100


def _split(written: float | str) -> tuple[float, str]:
    if isinstance(written, int | float):
        return float(written), ""
    found = _NUMBER.fullmatch(written)
    # No limit of anything has twenty digits; float() makes infinity of four hundred.
    if found is None or len(found[1]) > 20:
        raise ValueError(written)
    return float(found[1]), found[2]
