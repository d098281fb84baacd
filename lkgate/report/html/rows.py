"""A call's turns, those of the baseline beside those of the candidate. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from lkgate.model.difference import TurnPair
from lkgate.model.turn import Turn
from lkgate.model.verdict import JudgedCall
from lkgate.report import words
from lkgate.report.html import changes
from lkgate.report.html.changes import Changes, Piece
from lkgate.report.html.timeline import latencies

_Waits = Mapping[int, Mapping[str, int]]
# Two waits that differ by less are told as one.
_SAME_US = 10_000


@dataclass(frozen=True, slots=True)
class Row:
    """A turn of the baseline and of the candidate, beside one another."""

    role: str
    index: int | None
    at_us: int | None
    clock: str
    text: tuple[Piece, ...]
    tools: tuple[tuple[str, tuple[Piece, ...]], ...]
    notes: tuple[str, ...]
    lost: bool
    old_at_us: int | None


def rows_of(one: JudgedCall) -> tuple[Row, ...]:
    """One a pair of turns; without a baseline, one a turn."""
    pairs = (
        one.difference.pairs
        if one.difference is not None
        else tuple(TurnPair(None, turn, False, ()) for turn in one.turns)
    )
    was, now = _waits(one.baseline_turns), _waits(one.turns)
    return tuple(_row(pair, was, now) for pair in pairs)


def _waits(turns: Sequence[Turn]) -> _Waits:
    """What each answer waited for, by the turn's index: its parts, and how long each took."""
    return {
        after.index: {name: span.duration_us for _, name, span in latencies(before, after)}
        for before, after in pairwise(turns)
    }


def _row(pair: TurnPair, old_waits: _Waits, new_waits: _Waits) -> Row:
    new, old = pair.candidate, pair.baseline
    turn = new or old
    assert turn is not None  # a pair has at least one side
    compared = old is not None or bool(pair.differences)
    was = old.text if old else None
    now = new.text if new else None
    text = changes.words(was if compared else now, now)
    notes = [f"{one.kind}: {one.detail}" for one in pair.differences if one.kind != "agent_text"]
    if new is None:
        notes.insert(0, "missing in the candidate")
    elif compared and old is None:
        notes.insert(0, "new in the candidate")
    if new is not None:
        was_waited = old_waits.get(old.index, {}) if old else {}
        notes += _heard(new, was_waited, new_waits.get(new.index, {}))
    if new is not None and new.interrupted:
        notes.append("interrupted")
    if new is not None and new.estimated:
        notes.append(f"estimated: {', '.join(new.estimated)}")
    tools = _tools(old, new, compared=compared)
    notes += [text.note] if text.note else []
    notes += [f"{name}: {shown.note}" for name, shown in tools if shown.note]
    return Row(
        role=turn.role,
        index=new.index if new else None,
        at_us=_at(new),
        clock=words.clock(turn.span.start_us),
        text=text.pieces,
        tools=tuple((name, shown.pieces) for name, shown in tools),
        notes=tuple(notes),
        lost=pair.after_divergence,
        old_at_us=_at(old),
    )


def _heard(turn: Turn, was: Mapping[str, int], now: Mapping[str, int]) -> Iterator[str]:
    """In words what the drawing shows of a turn."""
    parts = []
    for part, us in now.items():
        before = was.get(part, us)
        changed = f" (was {words.value(before, 'us')})" if abs(us - before) >= _SAME_US else ""
        parts.append(f"{part} {words.value(us, 'us')}{changed}")
    if parts:
        yield ", ".join(parts)
    for barge in turn.barge_ins:
        yield f"barge-in at {words.clock(barge.onset_us)}: {barge.outcome}"


def _at(turn: Turn | None) -> int | None:
    return None if turn is None else turn.span.start_us


def _tools(old: Turn | None, new: Turn | None, *, compared: bool) -> list[tuple[str, Changes]]:
    """Tool calls of both turns by name and order, their arguments with what changed in them."""
    was = list(old.tools) if old else []
    shown: list[tuple[str, Changes]] = []
    for call in new.tools if new else ():
        twin = next((one for one in was if one.name == call.name), None)
        if twin is not None:
            was.remove(twin)
        before = twin.arguments if twin else None if compared and old else call.arguments
        shown.append(
            (f"{call.name} at {words.clock(call.t_us)}", changes.arguments(before, call.arguments))
        )
    shown += [(one.name, changes.arguments(one.arguments, None)) for one in was]
    return shown
