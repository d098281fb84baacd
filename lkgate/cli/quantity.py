"""Stretches of time and sizes as people write them: ``30d``, ``20GB``."""

from __future__ import annotations

import re

import click

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_BYTES = {"kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_BYTES |= {"kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}
_QUANTITY = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")


def age_us(_: click.Context, __: click.Parameter, text: str | None) -> int | None:
    """Microseconds of ``90s``, ``45m``, ``12h``, ``30d`` or ``8w``; a callback of click's."""
    if text is None:
        return None
    seconds = _quantity(text, _SECONDS)
    if seconds is None:
        raise click.BadParameter(f"{text!r} is no age: write it as 90s, 45m, 12h, 30d or 8w.")
    return round(seconds * 1_000_000)


def size_bytes(_: click.Context, __: click.Parameter, text: str | None) -> int | None:
    """Bytes of ``500MB``, ``20GB``, ``2TB`` (thousands) or ``20GiB``; a callback of click's."""
    if text is None:
        return None
    size = _quantity(text, _BYTES)
    if size is None:
        raise click.BadParameter(f"{text!r} is no size: write it as 500MB, 20GB or 2TB.")
    return round(size)


def address(_: click.Context, __: click.Parameter, text: str | None) -> tuple[str, int] | None:
    """Host and port of ``HOST:PORT`` or ``[::1]:PORT``; a callback of click's."""
    if text is None:
        return None
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise click.BadParameter(f"{text!r} is no HOST:PORT, as in 0.0.0.0:8080.")
    return host.strip("[]"), int(port)


def _quantity(text: str, units: dict[str, int]) -> float | None:
    found = _QUANTITY.fullmatch(text.strip())
    unit = units.get(found[2].lower()) if found else None
    return None if found is None or unit is None else float(found[1]) * unit
