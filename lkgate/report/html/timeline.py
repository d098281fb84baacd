"""Where things lie on a session's time axis, in the units of a drawing that is 1000 wide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from markupsafe import Markup

from lkgate.model.bundle import Span
from lkgate.model.turn import Turn, TurnRole
from lkgate.report import words
from lkgate.report.html.sound import Heard

WIDTH = 1000.0
LANE = 34.0
GAP = 6.0
HEIGHT = 2 * LANE + GAP

Kind = Literal[
    "turn", "tool", "barge-ignored", "barge-yielded", "barge-finished", "end-of-turn", "llm", "tts",
    "lost", "diverges",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle with a name that is read out and shown, when one points at it or steps to it.

    Attributes:
        at_us: where to listen from, ``None`` if it is no place to listen to.
    """

    kind: Kind
    x: float
    y: float
    width: float
    height: float
    title: str
    at_us: int | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """One session, drawn.

    Attributes:
        waves: an SVG path a side, empty without audio.
        boxes: back to front.
    """

    waves: tuple[Markup, ...]
    boxes: tuple[Box, ...]


def draw(
    turns: Sequence[Turn],
    heard: Heard,
    length_us: int,
    *,
    lost_from_us: int | None,
    diverges: tuple[int, str] | None,
) -> Timeline:
    """Draw a session on an axis of ``length_us``.

    Args:
        lost_from_us: from where on it is not compared any more.
        diverges: when it first became another conversation, and how.
    """
    axis = _Axis(max(1, length_us))
    boxes = [box for turn in turns for box in axis.turn(turn)]
    for before, after in pairwise(turns):
        boxes += axis.latencies(before, after)
    if lost_from_us is not None:
        x = axis.x(lost_from_us)
        title = f"not compared from {words.clock(lost_from_us)} on"
        boxes.append(Box("lost", x, 0.0, round(WIDTH - x, 2), HEIGHT, title))
    if diverges is not None:
        at_us, how = diverges
        title = f"first divergence at {words.clock(at_us)}: {how}"
        boxes.append(Box("diverges", axis.x(at_us), 0.0, 2.5, HEIGHT, title, at_us))
    loudest = max((*heard.caller, *heard.agent), default=0.0) or 1.0
    waves = (_wave(heard.caller, 0, loudest), _wave(heard.agent, 1, loudest))
    return Timeline(waves, tuple(boxes))


def scaled(heard: Heard, duration_us: int, length_us: int) -> Heard:
    """Peaks over the session as peaks over a longer axis."""
    share = min(1.0, duration_us / max(1, length_us))
    return Heard(tuple(_fit(heard.caller, share)), tuple(_fit(heard.agent, share)), heard.opus)


def _fit(peaks: Sequence[float], share: float) -> Iterator[float]:
    count = len(peaks)
    for position in range(count):
        first = position / count / share if share else 1.0
        last = (position + 1) / count / share if share else 1.0
        within = peaks[int(first * count) : max(int(first * count) + 1, int(last * count))]
        yield max(within, default=0.0)


@dataclass(frozen=True, slots=True)
class _Axis:
    length_us: int

    def x(self, t_us: int) -> float:
        return round(min(1.0, max(0.0, t_us / self.length_us)) * WIDTH, 2)

    def _span(self, span: Span, least: float = 1.5) -> tuple[float, float]:
        x = self.x(span.start_us)
        return x, round(max(least, self.x(span.end_us) - x), 2)

    def turn(self, turn: Turn) -> Iterator[Box]:
        top = _top(turn.role)
        title = f"turn {turn.index}, {turn.role}, {words.span(turn.span)}"
        for span in turn.spans or (turn.span,):
            x, width = self._span(span)
            yield Box("turn", x, top, width, LANE, title, turn.span.start_us)
        for call in turn.tools:
            place = Span(call.t_us, call.ended_us or call.t_us)
            x, width = self._span(place, 4.0)
            name = f"tool {call.name} at {words.clock(call.t_us)}"
            yield Box("tool", x, _top("agent") + LANE - 8, width, 8, name, call.t_us)
        for barge in turn.barge_ins:
            x, width = self._span(barge.span)
            kind: Kind = (
                "barge-ignored" if barge.outcome == "ignored"
                else "barge-yielded" if barge.outcome == "yielded" else "barge-finished"
            )  # fmt: skip
            name = f"barge-in at {words.clock(barge.onset_us)}: {barge.outcome}"
            yield Box(kind, x, LANE - 3, width, GAP + 6, name, barge.onset_us)

    def latencies(self, before: Turn, after: Turn) -> Iterator[Box]:
        for kind, name, span in latencies(before, after):
            x, width = self._span(span)
            took = words.value(span.duration_us, "us")
            title = f"{name} {took} at {words.clock(span.start_us)}"
            yield Box(kind, x, LANE, width, GAP, title, span.start_us)


def latencies(before: Turn, after: Turn) -> Iterator[tuple[Kind, str, Span]]:
    """What an answer waited for: end of turn, model, speech, one behind the other.

    They begin with the caller's last sound. What was not measured is left out.
    """
    if before.role != "caller" or after.role != "agent":
        return
    at = before.span.end_us
    heard = before.messages[-1] if before.messages else None
    said = after.messages[0] if after.messages else None
    parts: tuple[tuple[Kind, str, int | None], ...] = (
        ("end-of-turn", "end of turn", heard.end_of_turn_delay_us if heard else None),
        ("llm", "model", said.llm_ttft_us if said else None),
        ("tts", "speech", said.tts_ttfb_us if said else None),
    )
    for kind, name, us in parts:
        if us is not None and us > 0:
            yield kind, name, Span(at, at + us)
            at += us


def _top(role: TurnRole) -> float:
    return 0.0 if role == "caller" else LANE + GAP


def _wave(peaks: Sequence[float], lane: int, loudest: float) -> Markup:
    """A closed outline around the lane's middle."""
    if not peaks:
        return Markup()
    middle = lane * (LANE + GAP) + LANE / 2
    step = WIDTH / len(peaks)
    half = LANE / 2 / loudest
    upper = [f"{i * step:.1f} {middle - half * peak:.1f}" for i, peak in enumerate(peaks)]
    lower = [f"{i * step:.1f} {middle + half * peak:.1f}" for i, peak in enumerate(peaks)]
    return Markup(f"M{'L'.join(upper)}L{'L'.join(reversed(lower))}Z")
