"""Barge-ins: the caller began to speak while the agent was speaking. What did the agent do?"""

from __future__ import annotations

from collections.abc import Sequence

from lkgate.measure.floor import Draft, Speech
from lkgate.measure.span import containing
from lkgate.model.bundle import Span
from lkgate.model.turn import BargeIn, BargeInOutcome, Message

# Less agent speech than this around the onset is an ordinary overlap at a turn's edge.
MIN_INTO_US = 100_000
MIN_LEFT_US = 200_000
# Shorter caller speech is a sound or a backchannel ("mm-hm"). LiveKit's own default.
MIN_SPEECH_US = 500_000
# An agent that was not cut off and spoke on for so long did not just happen to end.
IGNORED_US = 1_000_000
# The same without the session's word for it.
IGNORED_UNTOLD_US = 2_000_000


def barge_ins(
    drafts: Sequence[Draft], speech: Speech, agent_messages: Sequence[Message]
) -> dict[int, tuple[BargeIn, ...]]:
    """Barge-ins by the position of the caller turn that made them; one a reply spoken into."""
    owners = _owners(drafts)
    found: dict[int, tuple[BargeIn, ...]] = {}
    for position, draft in enumerate(drafts):
        if draft.role != "caller":
            continue
        seen: set[int] = set()
        made: list[BargeIn] = []
        for at, span in enumerate(draft.spans):
            reply = containing(speech.agent, span.start_us)
            if reply is None or reply in seen:
                continue
            agent = speech.agent[reply]
            if (
                span.start_us - agent.start_us >= MIN_INTO_US
                and agent.end_us - span.start_us >= MIN_LEFT_US
                and draft.spans[-1].end_us - draft.spans[at].start_us >= MIN_SPEECH_US
            ):
                seen.add(reply)
                outcome = _outcome(speech, reply, span.start_us, agent_messages)
                made.append(BargeIn(span.start_us, agent.end_us, outcome, owners[agent]))
        if made:
            found[position] = tuple(made)
    return found


def _owners(drafts: Sequence[Draft]) -> dict[Span, int]:
    return {
        span: position
        for position, draft in enumerate(drafts)
        if draft.role == "agent"
        for span in draft.spans
    }


def _outcome(
    speech: Speech, reply: int, onset_us: int, agent_messages: Sequence[Message]
) -> BargeInOutcome:
    over_us = speech.agent[reply].end_us - onset_us
    interrupted = _interrupted(speech, reply, agent_messages)
    if interrupted is None:
        return "ignored" if over_us >= IGNORED_UNTOLD_US else "yielded"
    if interrupted:
        return "yielded"
    return "ignored" if over_us >= IGNORED_US else "finished"


def _interrupted(speech: Speech, reply: int, agent_messages: Sequence[Message]) -> bool | None:
    """What the session says about a stretch of agent speech; ``None`` if it says nothing.

    The first message reported after the stretch began speaks about it, unless the agent ended
    this reply without a report and the message is the next reply's.
    """
    span = speech.agent[reply]
    message = next((m for m in agent_messages if m.t_us > span.start_us), None)
    if message is None:
        return None
    if reply + 1 < len(speech.agent):
        after = speech.agent[reply + 1]
        if message.t_us > after.start_us and speech.agent_stopped_between(
            span.end_us, after.start_us
        ):
            return None
    return message.interrupted
