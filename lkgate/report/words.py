"""Values, times and margins in words, the same in every report."""

from __future__ import annotations

from collections.abc import Sequence

from lkgate.gate.words import difference, quantity
from lkgate.model.blame import LAYER_NAMES, Blame
from lkgate.model.bundle import Span
from lkgate.model.check import Check, Margin
from lkgate.model.measurement import Unit
from lkgate.model.verdict import LiveRoom, Verdict


def layer(found: Blame) -> str:
    """Which layer a failed rule points at, and why, in one line."""
    name = LAYER_NAMES[found.layer] if found.layer is not None else "not clear"
    return f"Which layer? {name}: {found.reason}"


def count(number: int, of: str) -> str:
    """``1 call``, ``2 calls``."""
    return f"{number} {of}" if number == 1 else f"{number} {of}s"


def names(all_: Sequence[str], most: int) -> str:
    """``a, b and 3 more``: the first ones of many; of one more it is told as well."""
    if len(all_) <= most + 1:
        return ", ".join(all_)
    return f"{', '.join(all_[:most])} and {len(all_) - most} more"


def calls(verdict: Verdict, live: LiveRoom | None) -> str:
    """What was judged, of how many: ``8 calls``, ``7 of 8 calls``, ``6 takes of 2 calls``."""
    judged = len(verdict.calls)
    takes = ""
    if live is not None:
        takes = f"{count(judged, 'take')} of "
        judged //= live.repeats
    every = judged + len(verdict.left_out)
    return takes + (count(judged, "call") if every == judged else f"{judged} of {every} calls")


def value(amount: float | None, unit: Unit) -> str:
    """``1234567.0, "us"`` -> ``1.23 s``; ``None`` -> ``-``."""
    return "-" if amount is None else quantity(amount, unit)


def change(amount: float, unit: Unit) -> str:
    """A value with its sign."""
    return ("+" if amount >= 0 else "-") + quantity(abs(amount), unit)


def clock(t_us: int) -> str:
    """Session time as ``m:ss.t``; a track can begin before the session does."""
    tenths = round(abs(t_us) / 100_000)
    sign = "-" if t_us < 0 and tenths else ""
    return f"{sign}{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"


def span(stretch: Span) -> str:
    """A stretch of session time, to find in a player."""
    if stretch.end_us <= stretch.start_us:
        return clock(stretch.start_us)
    return f"{clock(stretch.start_us)}-{clock(stretch.end_us)}"


def margin(allowed: Margin, unit: Unit) -> str:
    """``+250 ms and 10 %``: what both must be exceeded for a rule to fail."""
    parts = []
    if allowed.absolute is not None:
        parts.append(quantity(allowed.absolute, unit))
    if allowed.relative is not None:
        parts.append(f"{allowed.relative * 100:g} %")
    return " and ".join(parts)


def sure(check: Check, unit: Unit) -> str:
    """What is known of calls to come: ``, 95 % sure at least +418 ms``; empty if nothing is.

    Of a limit that is broken the lower bound matters, of one that holds the upper one.
    """
    found = check.uncertainty
    if found is None or found.low is None or found.high is None or found.low == found.high:
        return ""
    say = quantity if check.limit in ("max", "min") else change
    say = difference if check.limit == "max_gap" else say
    sign = -1.0 if check.limit == "max_decrease" else 1.0
    low, high = sorted((sign * found.low, sign * found.high))
    rises = check.limit not in ("min", "max_decrease")
    lower, upper = f"at least {say(low, unit)}", f"at most {say(high, unit)}"
    if check.outcome == "open":
        said = f"{lower}, {upper}"
    else:
        said = lower if (check.outcome == "broken") == rises else upper
    return f", {found.confidence * 100:g} % sure {said}"


def limit(check: Check, unit: Unit) -> str:
    """One limit, and how it compares: ``+630 ms, allowed +250 ms``."""
    if isinstance(check.allowed, Margin):
        sign = "+" if check.limit == "max_increase" else "-"
        amount = check.observed if check.limit == "max_increase" else -check.observed
        moved = check.relative if sign == "+" or check.relative is None else -check.relative
        share = f" ({moved * 100:+.0f} %)" if moved is not None else ""
        return f"{change(amount, unit)}{share}, allowed {sign}{margin(check.allowed, unit)}"
    if check.limit == "max_gap":
        apart, allowed = difference(check.observed, unit), difference(check.allowed, unit)
        return f"{check.note}; {apart} apart, allowed {allowed}"
    word = "at most" if check.limit == "max" else "at least"
    return f"allowed {word} {quantity(check.allowed, unit)}"
