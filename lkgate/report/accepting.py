"""What accepting replays would change, call by call; and what each recording has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.text import Text

from lkgate.model.bundle import Manifest
from lkgate.model.event import Json
from lkgate.report import comparison, words
from lkgate.report.inert import visible
from lkgate.suite.inventory import Entry, Held
from lkgate.suite.offer import Offer

_DIGITS = 12
_HEAD = ("recording", "source", "length", "turns", "cassette", "labels", "baseline")


def offered(offers: Sequence[Offer], *, verbose: bool = False) -> Text:
    """Every offer, ending in a newline."""
    text = Text()
    for one in offers:
        for line in _head(one):
            line.plain = visible(line.plain)
            text.append_text(line).append("\n")
        if one.comparison is not None and not one.unchanged:
            text.append_text(comparison.render(one.comparison, verbose=verbose))
    return text


def accepted(manifest: Manifest) -> str:
    """A baseline in words: whose replay, accepted when and by whom."""
    said = manifest.build.name if manifest.build is not None else "a replay"
    note = manifest.accepted
    on, by = note.get("on"), note.get("by")
    said += f", {on}" if isinstance(on, str) else ""
    return said + (f" by {by}" if isinstance(by, str) else "")


def listed(entries: Sequence[Entry]) -> Text:
    """A line a recording under a head, columns aligned; ending in a newline."""
    rows = [_row(one) for one in entries]
    whole = [row for row in rows if len(row) == len(_HEAD)]
    widths = [max(map(len, column)) for column in zip(_HEAD, *whole, strict=True)]
    widths[0] = max(widths[0], *(len(row[0]) for row in rows), 0)
    text = Text(_aligned(_HEAD, widths) + "\n", style="bold")
    for one, row in zip(entries, rows, strict=True):
        if len(row) == len(_HEAD):
            style = "not bold" if one.wrong is None else "not bold red"
            text.append(_aligned(row, widths) + "\n", style=style)
        else:
            text.append("  ".join([row[0].ljust(widths[0]), *row[1:]]) + "\n", style="not bold red")
    return text


def rows(entries: Sequence[Entry]) -> list[Mapping[str, Json]]:
    """The same for programs: lengths in microseconds, absent things ``null``."""
    return [_object(one) for one in entries]


def _head(offer: Offer) -> Iterator[Text]:
    new = offer.bundle.manifest
    old = None if offer.before is None else offer.before.manifest
    line = Text(f"{offer.recording.call}: ", style="bold")
    if old is None:
        what = "in place of one that cannot be read" if offer.stale else "the first baseline"
        said = f"{new.digest[:_DIGITS]} ({accepted(new)}), {what}"
    elif offer.unchanged:
        said = f"{new.digest[:_DIGITS]}, unchanged"
    elif old.digest == new.digest:
        said = f"{new.digest[:_DIGITS]}, the same session, bound anew"
    else:
        said = (
            f"{old.digest[:_DIGITS]} ({accepted(old)}) -> {new.digest[:_DIGITS]} ({accepted(new)})"
        )
    yield line.append(said, style="not bold")
    for reason in offer.stale:
        yield Text(f"  stale: {reason}", style="yellow")
    if offer.new_metrics:
        yield Text(f"  {words.count(offer.new_metrics, 'metric')} it was accepted without")
    if old is not None and old.build is not None and new.build is not None:
        yield from _versions(old.build.versions, new.build.versions)


def _versions(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Text]:
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield Text(f"  {name}: {old.get(name, '-')} -> {new.get(name, '-')}", style="yellow")


def _row(entry: Entry) -> tuple[str, ...]:
    if not isinstance(entry.held, Held):
        return visible(entry.call), visible(_wrong(entry))
    held = entry.held
    baseline = "none" if held.baseline is None else accepted(held.baseline)
    if held.stale:
        baseline += f" (stale: {'; '.join(held.stale)})"
    if held.damage is not None:
        baseline = f"damaged ({_wrong(entry)})"
    found = (
        entry.call,
        held.manifest.source,
        f"{held.manifest.duration_us / 1e6:.1f} s",
        str(held.turns),
        held.manifest.cassette,
        held.labels,
        baseline,
    )
    return tuple(map(visible, found))


def _wrong(entry: Entry) -> str:
    """Which file of a recording is wrong, and how."""
    wrong = entry.wrong
    assert wrong is not None
    head, inside, file = (wrong.where or "").partition(f"{entry.path}/")
    return f"{file}: {wrong.what}" if inside and not head else wrong.what


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.rjust(width) if number in (2, 3) else cell.ljust(width)
        for number, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()


def _object(entry: Entry) -> dict[str, Json]:
    head: dict[str, Json] = {"recording": entry.call, "path": str(entry.path)}
    if not isinstance(entry.held, Held):
        return {**head, "error": _wrong(entry), "next_step": entry.held.next_step}
    held = entry.held
    baseline: Json = None
    if held.baseline is not None:
        build = held.baseline.build
        baseline = {
            "build": None if build is None else build.name,
            "digest": held.baseline.digest,
            "by": held.baseline.accepted.get("by"),
            "on": held.baseline.accepted.get("on"),
            "reason": held.baseline.accepted.get("reason"),
            "stale": list(held.stale),
        }
    if held.damage is not None:
        head |= {"error": _wrong(entry), "next_step": held.damage.next_step}
    return {
        **head,
        "source": held.manifest.source,
        "duration_us": held.manifest.duration_us,
        "turns": held.turns,
        "cassette": held.manifest.cassette,
        "labels": held.labels,
        "baseline": baseline,
        "digest": held.manifest.digest,
    }
