"""Whether shards are one whole run. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lkgate.replay.shard import Run, Shard, Share

# Missing shards are named one by one up to so many.
_FEW = 9


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why shards give no verdict, and the next command."""

    what: str
    next_step: str


def flaws(shards: Sequence[Shard], here: Mapping[str, str], version: str) -> list[Flaw]:
    """Everything that keeps ``shards`` (one at least) from being one whole run.

    Args:
        here: the recordings that are to be judged, and what identifies each.
        version: of the lkgate that merges.
    """
    return list(_flaws(shards, here, version))


def _flaws(shards: Sequence[Shard], here: Mapping[str, str], version: str) -> Iterator[Flaw]:
    first = shards[0]
    apart = False
    for other in shards[1:]:
        what = _difference(first, other)
        if what is not None:
            apart = True
            yield Flaw(
                f"{first.place} and {other.place} are of {what}",
                f"Run every shard again from one commit: {_command(first.run, 'i', first.share)}",
            )
    if apart:
        return
    if first.run.lkgate != version:
        yield Flaw(
            f"the shards were replayed by lkgate {first.run.lkgate}, and this is {version}",
            f"Merge with the same one: pip install lkgate=={first.run.lkgate}",
        )
    changed = _changed(first.run.recordings, here)
    if changed:
        yield Flaw(
            f"these recordings are not those that were replayed: {', '.join(changed)}",
            "Merge in a checkout of the shards' commit, or run every shard again: "
            + _command(first.run, "i", first.share),
        )
    yield from _gaps(shards)


def _gaps(shards: Sequence[Shard]) -> Iterator[Flaw]:
    run, of = shards[0].run, shards[0].share.of
    times = Counter(one.share.number for one in shards)
    missing = [number for number in range(1, of + 1) if not times[number]]
    told = missing
    if len(missing) > _FEW:
        told = []
        first = ", ".join(map(str, missing[:_FEW]))
        yield Flaw(
            f"{len(missing)} of {of} shards are missing: {first} and others",
            f"Run {_command(run, 'i', shards[0].share)} for each of them, and merge again.",
        )
    for number in sorted({*told, *times}):
        if not times[number]:
            command = _command(run, str(number), Share(number, of))
            yield Flaw(f"shard {number} of {of} is missing", f"Run {command}, and merge again.")
        elif times[number] > 1:
            places = [str(one.place) for one in shards if one.share.number == number]
            yield Flaw(
                f"shard {number} of {of} is there {times[number]} times: {', '.join(places)}",
                "Merge one of them.",
            )
    calls = Counter(call for one in shards for call in one.ends)
    uneven = sorted(call for call in run.recordings if calls[call] != 1)
    if uneven and not missing and max(times.values()) == 1:
        yield Flaw(
            f"the shards do not hold these calls once each: {', '.join(uneven)}",
            f"Run every shard again: {_command(run, 'i', shards[0].share)}",
        )


def _difference(one: Shard, other: Shard) -> str | None:
    """In what two shards differ that must not."""
    a, b = one.run, other.run
    if (a.build, a.against, a.pipeline) != (b.build, b.against, b.pipeline):
        return f"different builds ({_build(a)} and {_build(b)})"
    if a.recordings != b.recordings:
        names = ", ".join(_changed(a.recordings, b.recordings))
        return f"different recordings ({names})"
    if one.share.of != other.share.of:
        return f"different splits ({one.share} and {other.share})"
    if a.lkgate != b.lkgate:
        return f"different versions of lkgate ({a.lkgate} and {b.lkgate})"
    if a.settings != b.settings or a.named != b.named:
        return "different settings or options"
    return None


def _changed(a: Mapping[str, str], b: Mapping[str, str]) -> list[str]:
    return [call for call in dict.fromkeys((*a, *b)) if a.get(call) != b.get(call)]


def _build(run: Run) -> str:
    digest = run.build.digest[:12] if run.build.digest else "unknown"
    changed = ", ".join(f"{name} {version}" for name, version in run.build.versions.items())
    return f"{run.build.name} {digest}: {changed}" if changed else f"{run.build.name} {digest}"


def _command(run: Run, number: str, share: Share) -> str:
    calls = " ".join(run.recordings) + " " if run.named else ""
    return f"`lkgate replay {calls}--against {run.against} --shard {number}/{share.of}`"
