"""Where two JSON values differ."""

from __future__ import annotations

from dataclasses import dataclass

from lkgate.measure.brief import QUOTE, brief
from lkgate.model.event import Json


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One place where two JSON values differ; ``None`` stands for a value that is not there too.

    Attributes:
        path: ``$.slot.time``, ``$.days[2]``.
        missing, extra: the place exists on one side only.
    """

    path: str
    old: Json
    new: Json
    missing: bool = False
    extra: bool = False

    def __str__(self) -> str:
        if self.missing:
            return f"{self.path}: {show(self.old)} is missing"
        if self.extra:
            return f"{self.path}: {show(self.new)} is new"
        return f"{self.path}: {show(self.old)} became {show(self.new)}"


def show(value: Json) -> str:
    return f'"{brief(value, QUOTE)}"' if isinstance(value, str) else brief(str(value), QUOTE)


def mismatches(old: Json, new: Json, *, partial: bool = False, path: str = "$") -> list[Mismatch]:
    """Every place where ``new`` is not ``old``, in ``old``'s order.

    Numbers are equal by value (1 and 1.0), a boolean is not a number, strings by character, lists
    by position, objects by key.

    Args:
        partial: keys of ``new`` that ``old`` does not have are allowed, at every depth.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        found: list[Mismatch] = []
        for key, value in old.items():
            here = f"{path}.{key}"
            if key in new:
                found += mismatches(value, new[key], partial=partial, path=here)
            else:
                found.append(Mismatch(here, value, None, missing=True))
        if not partial:
            found += [
                Mismatch(f"{path}.{key}", None, value, extra=True)
                for key, value in new.items()
                if key not in old
            ]
        return found
    if isinstance(old, list) and isinstance(new, list):
        found = []
        for i, (a, b) in enumerate(zip(old, new, strict=False)):
            found += mismatches(a, b, partial=partial, path=f"{path}[{i}]")
        shared = min(len(old), len(new))
        found += [
            Mismatch(f"{path}[{i}]", old[i], None, missing=True) for i in range(shared, len(old))
        ]
        found += [
            Mismatch(f"{path}[{i}]", None, new[i], extra=True) for i in range(shared, len(new))
        ]
        return found
    if isinstance(old, bool) != isinstance(new, bool) or old != new:
        return [Mismatch(path, old, new)]
    return []
