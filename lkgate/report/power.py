"""What the recordings can detect, as something to read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.text import Text

from lkgate.gate.power import Power
from lkgate.gate.words import difference
from lkgate.model.gate import Gate
from lkgate.report import words
from lkgate.report.inert import visible

_ALIKE = 6


def render(gate: Gate, found: Sequence[Power], *, recordings: int) -> Text:
    """The whole answer, ending in a newline."""
    text = Text()
    for line in _lines(gate, found, recordings):
        line.plain = visible(line.plain)
        text.append_text(line).append("\n")
    return text


def _lines(gate: Gate, found: Sequence[Power], recordings: int) -> Iterator[Text]:
    yield Text(f"What {words.count(recordings, 'recording')} can show by {gate.path}", style="bold")
    sampled = [one for one in found if not one.exact]
    if sampled:
        yield Text("")
        yield Text("About calls to come", style="bold")
    for one in sampled:
        yield from _sampled(one)
    exact = [one for one in found if one.exact]
    if exact:
        yield Text("")
        yield Text("Exact, about these recordings alone", style="bold")
    by_calls: dict[int, list[Power]] = {}
    for one in exact:
        by_calls.setdefault(one.calls, []).append(one)
    for calls, alike in by_calls.items():
        yield from _exact(calls, alike)
    if any(one.held is not None for one in sampled):
        yield Text("")
        yield Text(
            "Worked out as if every turn took as long as any other of its call: other timings are "
            "not rougher than that. Where a build replays with the taped timings, smaller changes "
            "are found (docs/statistics.md).",
            style="dim",
        )


def _sampled(one: Power) -> Iterator[Text]:
    line = Text().append(f"  {one.rule.label}", style="bold")
    if one.found is None:
        yield line.append(f": {one.reason}", style="yellow")
        return
    what = f"{one.rule.aggregate} of {one.rule.metric}"
    calls = words.count(one.calls, "call")
    line.append(f": with {calls} {_change(one, one.found, what)} would be found 90 % of the time")
    if one.smaller is not None and one.needed is not None:
        line.append(f"; for {_by(one, one.smaller)} record about {one.needed}")
    yield line
    if one.limit not in ("max", "min"):
        told = f"      {_by(one, one.allowed)} allowed"
        if one.held is not None:
            told += f"; with nothing but other timings {one.held * 100:.0f} % of replays pass"
        yield Text(told, style="dim")


def _change(one: Power, size: float, what: str) -> str:
    by = _by(one, size)
    if one.limit == "max_gap":
        return f"a gap of {by} in {what} between levels of {one.rule.max_gap_between}"
    if one.limit in ("max", "min"):
        return f"{what} {by} {'above' if one.limit == 'max' else 'below'} its limit"
    return f"a {'rise' if one.limit == 'max_increase' else 'fall'} of {what} by {by}"


def _by(one: Power, size: float) -> str:
    return difference(size, one.spec.unit)


def _exact(calls: int, alike: Sequence[Power]) -> Iterator[Text]:
    first = alike[0]
    assert first.found is not None
    names = list(dict.fromkeys(one.rule.label for one in alike))
    shown = ", ".join(names[:_ALIKE])
    more = f" and {len(names) - _ALIKE} more" if len(names) > _ALIKE else ""
    line = Text().append(f"  {shown}{more}", style="bold")
    line.append(
        f": a fault that hits {first.found * 100:.0f} % of calls would be in one of "
        f"{'this one' if calls == 1 else f'these {calls}'} 90 % of the time"
    )
    if first.needed is not None and first.smaller is not None:
        line.append(f"; for {first.smaller * 100:.0f} % record about {first.needed}")
    yield line
