"""What the other recordings of a set say of one of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Before:
    """The last call of the same caller before this one.

    Attributes:
        call: name of its recording.
        ago_us: how long before this one it began.
    """

    call: str
    ago_us: int


@dataclass(frozen=True, slots=True)
class History:
    """Whether a caller had called before.

    Attributes:
        before: ``None`` if no recording of the set is an earlier call of the same caller.
        absent: why nobody can tell; ``None`` if ``before`` tells.
    """

    before: Before | None
    absent: str | None = None
