"""When the caller speaks next, and when the caller leaves. Pure: no clock, no room."""

from __future__ import annotations

from dataclasses import dataclass

from lkgate.caller.heard import Heard, Stretch
from lkgate.model.plan import Anchor, CallerPlan

# A barge-in that comes too late, since the agent had already finished, is said as a reply.
REPLY_US = 300_000
# An agent that began less than this before the caller did not hold the caller back.
UNHEARD_US = 250_000
# So this long before speaking, a step more, the caller is committed whatever the agent begins.
COMMIT_US = UNHEARD_US + 50_000


@dataclass(frozen=True, slots=True)
class Turn:
    """The caller's own last utterance, or the moment the caller came in.

    Attributes:
        start_us, end_us: session time as the room hears it.
    """

    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Cue:
    """The moment of the next utterance as known by now; it may still move.

    Attributes:
        due_us: session time at which the room shall hear the first sample.
        reason: why it is not the recorded anchor to the letter, else ``None``.
        impatient: the anchor stayed unmet for as long as the caller waits.
    """

    due_us: int
    reason: str | None = None
    impatient: bool = False


def next_cue(anchor: Anchor, heard: Heard, turn: Turn, patience_us: int) -> Cue | None:
    """The cue of an utterance after ``turn``, ``None`` while nothing can be said about it.

    Nothing is said to a room that no agent has entered. The rules, for a candidate that need not
    behave as the recorded agent did:

    - ``after_agent`` waits for as many stretches as the recording had, then for the agent to be
      silent and neither thinking nor speaking; a further stretch moves it. Fewer stretches are
      the whole reply once the agent was silent, and not busy, for the anchor's grace.
    - ``into_agent`` is said that long into the stretch even if pauses cut it in pieces. If the
      agent has finished before, it is said as a reply.
    - Patience runs while the caller waits in silence, and never while the agent says what the
      caller waits for.
    """
    if not heard.agent_seen:
        return None
    if anchor.kind == "after_caller":
        return Cue(turn.end_us + anchor.delay_us)
    if anchor.kind == "start":
        if heard.room_us is not None and heard.begin_us is not None:
            return Cue(max(heard.room_us, heard.begin_us) + anchor.delay_us)
        return Cue(turn.end_us + patience_us, "the agent was never heard", impatient=True)
    needed = _needed(anchor, heard, turn)
    since = heard.since(turn.start_us)
    cue = (
        _into(anchor, heard, since, needed)
        if anchor.kind == "into_agent"
        else _after(anchor, heard, since, needed)
    )
    if cue is not None:
        return cue
    awaited = since[:needed] if needed else heard.stretches[-1:]
    return _impatient(anchor, heard, turn, awaited, needed, patience_us)


def hangup_cue(plan: CallerPlan, heard: Heard, turn: Turn) -> Cue | None:
    """When the caller leaves after the last utterance: silence on both sides, agent not busy."""
    if plan.closing_segments or _spoken_into(heard, turn):
        anchor = Anchor("after_agent", plan.hangup_after_us, plan.closing_segments)
        return next_cue(anchor, heard, turn, plan.patience_us)
    if not heard.stretches:
        return Cue(turn.end_us + plan.hangup_after_us)
    stop_us = None if heard.busy else heard.ended(heard.stretches[-1])
    if stop_us is not None:
        return Cue(max(stop_us, turn.end_us) + plan.hangup_after_us)
    return Cue(
        turn.end_us + plan.hangup_after_us + plan.patience_us,
        "the agent did not come to an end",
        impatient=True,
    )


def _needed(anchor: Anchor, heard: Heard, turn: Turn) -> int:
    if anchor.kind == "into_agent":
        return max(anchor.agent_segments, 1)
    # 0: the stretch spoken into. If that ended in time, the agent owes another one.
    return anchor.agent_segments or (0 if _spoken_into(heard, turn) else 1)


def _spoken_into(heard: Heard, turn: Turn) -> bool:
    """A stretch that began before the caller's turn went on beyond it."""
    for stretch in heard.stretches:
        stop_us = heard.ended(stretch)
        if stretch.start_us < turn.start_us and (stop_us is None or stop_us > turn.end_us):
            return True
    return False


def _after(anchor: Anchor, heard: Heard, since: list[Stretch], needed: int) -> Cue | None:
    stop_us = _finished(heard, anchor)
    if stop_us is None or (needed and not since):
        return None
    if len(since) >= needed:
        return Cue(stop_us + anchor.delay_us)
    return Cue(stop_us + max(anchor.delay_us, anchor.grace_us), _fewer(since, needed))


def _into(anchor: Anchor, heard: Heard, since: list[Stretch], needed: int) -> Cue | None:
    stop_us = _finished(heard, anchor)
    if len(since) < needed:
        if stop_us is None or not since:
            return None
        return Cue(stop_us + max(REPLY_US, anchor.grace_us), _fewer(since, needed))
    barge_us = since[needed - 1].start_us + anchor.delay_us
    if stop_us is None or stop_us + REPLY_US >= barge_us:
        return Cue(barge_us)
    return Cue(stop_us + REPLY_US, "the agent had finished: said as a reply")


def _finished(heard: Heard, anchor: Anchor) -> int | None:
    """When the agent fell silent, ``None`` if it has not, or says that it is busy."""
    if (heard.busy and not anchor.while_busy) or not heard.stretches:
        return None
    return heard.ended(heard.stretches[-1])


def _fewer(since: list[Stretch], needed: int) -> str:
    return f"the agent spoke in {len(since)} stretches, not {needed}"


def _impatient(
    anchor: Anchor,
    heard: Heard,
    turn: Turn,
    awaited: list[Stretch],
    needed: int,
    patience_us: int,
) -> Cue | None:
    """Patience begins at the last thing that the caller waited for; its end is the cue."""
    from_us = turn.end_us
    for count, stretch in enumerate(awaited, start=1):
        stop_us = heard.ended(stretch)
        if stop_us is None:
            return None
        met = count >= needed and anchor.kind == "after_agent"
        from_us = max(from_us, stop_us + (anchor.delay_us if met else 0))
    why = "the agent did not come to an end" if awaited else "the agent did not answer"
    return Cue(from_us + patience_us, why, impatient=True)
