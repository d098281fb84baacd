"""What is not as it was between two sessions, to read: words, tools, turn-taking, latencies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.text import Text

from lkgate.diff.comparison import Comparison, Shift
from lkgate.model.difference import Difference, DifferenceKind
from lkgate.report import words
from lkgate.report.lines import inert

SHOWN = 5
LINE = 500

# What a reader looks for together, in the order of what matters most.
GROUPS: Mapping[str, tuple[DifferenceKind, ...]] = {
    "tools": (
        "tool_missing",
        "tool_extra",
        "tool_order",
        "tool_argument",
        "tool_result",
        "handoff",
    ),
    "words": ("turn_missing", "turn_extra", "agent_text", "transcript"),
    "turn-taking": (
        "interruption_ignored",
        "interruption_yielded",
        "barge_in_missing",
        "barge_in_extra",
    ),
    "latencies": ("latency", "speech_length"),
}
# Of these both texts are shown.
_TEXTS = ("agent_text", "transcript")
# Numbers that are shown without being asked for.
NUMBERS = (
    "time_to_first_audio",
    "response_latency",
    "end_of_turn_delay",
    "llm_ttft",
    "tts_ttfb",
    "barge_in_yield",
    "talk_over_ratio",
    "word_error_rate",
    "tool_errors",
)


def render(found: Comparison, *, verbose: bool = False) -> Text:
    """The differences, indented, a line each, ending in a newline.

    Args:
        verbose: all of them and every number that moved, not only the first and the best known.
    """
    text = Text()
    for line in _lines(found, verbose):
        text.append_text(inert(line, LINE)).append("\n")
    return text


def _lines(found: Comparison, verbose: bool) -> Iterator[Text]:
    shifts = [
        one for one in found.shifts if verbose or (one.new.metric in NUMBERS and _visibly(one))
    ]
    differences = found.difference.differences
    if not differences and not found.shifts:
        yield Text("  nothing differs", style="green")
        return
    for group, kinds in GROUPS.items():
        yield from _group(group, [one for one in differences if one.kind in kinds], verbose)
    diverged = found.difference.first_divergence
    if diverged is not None:
        at = words.clock(diverged.difference.t_us)
        yield Text(f"  another conversation from {at} on: {diverged.reason}", style="yellow")
    if shifts:
        yield Text("  numbers", style="bold")
        width = max(len(one.new.metric) for one in shifts)
        for one in shifts:
            yield Text(f"    {one.new.metric:{width}}  {_shift(one)}")
    hidden = len(found.shifts) - len(shifts)
    if hidden:
        yield Text(f"    and {words.count(hidden, 'other number')} (--verbose)", style="dim")


def _group(name: str, found: Sequence[Difference], verbose: bool) -> Iterator[Text]:
    if not found:
        return
    yield Text(f"  {name}", style="bold")
    shown = found if verbose else found[:SHOWN]
    for one in shown:
        yield Text().append(f"    {words.clock(one.t_us)}", style="cyan").append(f"  {_said(one)}")
        if one.kind in _TEXTS:
            yield Text(f"            - {_text(one.old)}", style="red")
            yield Text(f"            + {_text(one.new)}", style="green")
    if len(found) > len(shown):
        yield Text(f"    and {len(found) - len(shown)} more (--verbose)", style="dim")


def _said(one: Difference) -> str:
    if one.kind == "transcript":
        return "the caller was heard otherwise"
    if one.kind == "agent_text":
        return f"the agent: {one.detail}"
    return one.detail


def _text(value: object) -> str:
    return value[:LINE] if isinstance(value, str) else "(nothing)"


def _visibly(one: Shift) -> bool:
    """Whether the two values are not the same once they are rounded."""
    unit = one.new.unit
    return words.value(one.old.value, unit) != words.value(one.new.value, unit)


def _shift(one: Shift) -> str:
    old, new, unit = one.old.value, one.new.value, one.new.unit
    said = f"{words.value(old, unit)} -> {words.value(new, unit)}"
    if old is None or new is None:
        side = one.old if old is None else one.new
        return f"{said} ({'was' if old is None else 'is'}: {side.reason})"
    return f"{said} ({words.change(new - old, unit)})"
