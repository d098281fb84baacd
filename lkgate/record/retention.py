"""How much of what a recorder made may stay."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from lkgate.record.ledger import Ledger, Made


@dataclass(frozen=True, slots=True)
class Limits:
    """What may stay; ``None`` is no limit.

    Attributes:
        count: bundles.
        age_us: since they were closed.
        disk_bytes: of all bundles, and of what is being recorded.
    """

    count: int | None = None
    age_us: int | None = None
    disk_bytes: int | None = None


def surplus(
    made: Sequence[Made], limits: Limits, *, now_unix_us: int, open_bytes: int
) -> list[Made]:
    """Which bundles have to go, the oldest first. Pure.

    Args:
        made: all that are there.
        now_unix_us: the wall clock. One that was set back makes nothing older.
        open_bytes: what is being recorded takes.
    """
    kept = sorted(made, key=lambda one: (one.closed_at_unix_us, one.name))
    going: list[Made] = []
    if limits.age_us is not None:
        oldest_us = now_unix_us - limits.age_us
        going = [one for one in kept if one.closed_at_unix_us < oldest_us]
        kept = kept[len(going) :]
    if limits.count is not None:
        over = max(0, len(kept) - limits.count)
        going, kept = going + kept[:over], kept[over:]
    if limits.disk_bytes is not None:
        used = open_bytes + sum(one.bytes for one in kept)
        while kept and used > limits.disk_bytes:
            used -= kept[0].bytes
            going.append(kept.pop(0))
    return going


def tidy(
    ledger: Ledger,
    limits: Limits,
    *,
    now_unix_us: int,
    open_bytes: int,
    busy: Collection[str],
    told: Callable[[Made, str | None], None],
) -> None:
    """Remove the surplus.

    Args:
        busy: names of bundles that somebody works with.
        told: called with each bundle that had to go, and why it did not.
    """
    present = [one for one in ledger.present() if one.name not in busy]
    for made in surplus(present, limits, now_unix_us=now_unix_us, open_bytes=open_bytes):
        try:
            kept = ledger.remove(made)
        except OSError as error:
            kept = str(error)
        told(made, kept)
