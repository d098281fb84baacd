"""A recording's caller as a plan: when each utterance was said, and what it answered. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from lkgate.caller.cue import UNHEARD_US
from lkgate.caller.heard import BUSY
from lkgate.errors import ReplayError
from lkgate.model.bundle import Bundle, Span, Track
from lkgate.model.plan import Anchor, CallerPlan, Pacing, PlannedUtterance

PATIENCE_US = 20_000_000
# A caller who begins this shortly before the agent ends is answering, not interrupting.
_TERMINAL_US = 120_000
# A caller who goes on within this time, spoken into the same stretch, is finishing a sentence.
_SAME_BREATH_US = 1_000_000
_GRACE_MIN_US = 1_500_000
_GRACE_MARGIN_US = 500_000
_HANGUP_MAX_US = 15_000_000
# If the agent ended the recorded call, it may take its time to do so again.
_AGENT_ENDS_US = 2_000_000


def caller_track(bundle: Bundle) -> Track:
    """The track that a plan is made from: the caller's, the longest if there are several.

    Raises:
        ReplayError: the recording has no caller audio.
    """
    tracks = [track for track in bundle.tracks("caller") if track.path is not None]
    if not tracks:
        raise ReplayError(
            "the recording holds no audio of the caller, so there is nothing to replay",
            where=bundle.manifest.id,
            next_step="Record the call again; a baseline alone cannot be replayed.",
        )
    return max(tracks, key=lambda track: track.samples)


def plan_from(
    bundle: Bundle,
    pcm: NDArray[np.int16],
    *,
    pacing: Pacing = "anchored",
    patience_us: int = PATIENCE_US,
) -> CallerPlan:
    """The plan of a recording.

    Args:
        bundle: the recording.
        pcm: of :func:`caller_track`.
        pacing: ``absolute`` anchors every utterance to the moment the room was heard.
        patience_us: at least; longer if the recording's caller waited longer.

    Raises:
        ReplayError: no caller audio, or ``pcm`` is not that track's.
    """
    track = caller_track(bundle)
    if pcm.size != track.samples:
        raise ReplayError(
            f"the caller's audio has {pcm.size} samples, its track says {track.samples}",
            where=bundle.manifest.id,
            next_step="Run `lkgate check` on the recording.",
        )
    said = [span for span in track.speech if span.duration_us > 0]
    agent = _agent_speech(bundle)
    heard_us = max([track.offset_us, *_first(bundle.tracks("agent"))])
    utterances: list[PlannedUtterance] = []
    waits: list[int] = []
    states = _states(bundle)
    before: Span | None = None
    for index, span in enumerate(said):
        found = _anchor(span, before, agent, heard_us)
        busy = found.anchor.kind == "after_agent" and _busy(states, span.start_us)
        if pacing == "absolute":
            found = _Found(Anchor("start", max(0, span.start_us - heard_us), 0), found.waited_us)
        utterances.append(PlannedUtterance(index, span, replace(found.anchor, while_busy=busy)))
        waits.append(found.waited_us)
        before = span
    last_us = before.start_us if before else 0
    return CallerPlan(
        sample_rate_hz=track.sample_rate_hz,
        offset_us=track.offset_us,
        utterances=tuple(utterances),
        hangup_after_us=_hangup_after(bundle, track, said, agent),
        pacing=pacing,
        patience_us=max([patience_us, *(wait + patience_us // 2 for wait in waits)]),
        identity=track.participant,
        attributes=_attributes(bundle, track.participant),
        closing_segments=sum(1 for stretch in agent if stretch.start_us >= last_us),
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """An anchor, and the longest silence of the agent that the recorded caller sat through."""

    anchor: Anchor
    waited_us: int


def _anchor(span: Span, before: Span | None, agent: list[Span], heard_us: int) -> _Found:
    since_us = before.start_us if before else 0
    # An agent that began less than UNHEARD_US before did not hold the caller back: both started.
    fresh = [one for one in agent if since_us <= one.start_us <= span.start_us - UNHEARD_US]
    waited_us = _longest_wait(fresh, before.end_us if before else heard_us)
    if fresh:
        last = fresh[-1]
        between_us = _longest_wait(fresh[1:], fresh[0].end_us)
        grace_us = max(_GRACE_MIN_US, between_us + _GRACE_MARGIN_US)
        if last.end_us - _TERMINAL_US > span.start_us:
            delay_us = span.start_us - last.start_us
            return _Found(Anchor("into_agent", delay_us, len(fresh), grace_us), waited_us)
        delay_us = max(0, span.start_us - last.end_us)
        return _Found(Anchor("after_agent", delay_us, len(fresh), grace_us), waited_us)
    if before is None:
        return _Found(Anchor("start", max(0, span.start_us - heard_us), 0), 0)
    # Nothing new was said, but the caller may have waited for the end of what was spoken into.
    ended = [
        one.end_us
        for one in agent
        if one.start_us < since_us and before.end_us < one.end_us <= span.start_us
    ]
    if ended and span.start_us - before.end_us > _SAME_BREATH_US:
        return _Found(Anchor("after_agent", span.start_us - ended[-1], 0), 0)
    return _Found(Anchor("after_caller", max(0, span.start_us - before.end_us), 0), 0)


def _longest_wait(stretches: list[Span], from_us: int) -> int:
    longest = 0
    for stretch in stretches:
        longest = max(longest, stretch.start_us - from_us)
        from_us = max(from_us, stretch.end_us)
    return longest


def _agent_speech(bundle: Bundle) -> list[Span]:
    """What was said on any of the agent's tracks, overlaps joined."""
    spans = sorted(span for track in bundle.tracks("agent") for span in track.speech)
    joined: list[Span] = []
    for span in spans:
        if joined and span.start_us <= joined[-1].end_us:
            joined[-1] = Span(joined[-1].start_us, max(joined[-1].end_us, span.end_us))
        else:
            joined.append(span)
    return joined


def _states(bundle: Bundle) -> list[tuple[int, str]]:
    """The agent's states as the room saw them, or else as its session told them."""
    seen: list[tuple[int, str]] = []
    for event in bundle.of_kind("participant_attributes_changed"):
        changed = event.data.get("changed")
        state = changed.get("lk.agent.state") if isinstance(changed, dict) else None
        if isinstance(state, str):
            seen.append((event.t_us, state))
    return seen or [
        (event.t_us, str(event.data.get("new_state")))
        for event in bundle.of_kind("agent_state_changed")
    ]


def _busy(states: list[tuple[int, str]], at_us: int) -> bool:
    before = [state for t_us, state in states if t_us <= at_us]
    return bool(before) and before[-1] in BUSY


def _first(tracks: tuple[Track, ...]) -> list[int]:
    return [min(track.offset_us for track in tracks)] if tracks else []


def _hangup_after(bundle: Bundle, track: Track, said: list[Span], agent: list[Span]) -> int:
    left = [
        event.t_us
        for event in bundle.of_kind("participant_disconnected")
        if event.data.get("identity") == track.participant
    ]
    end_us = min([bundle.manifest.duration_us, *left])
    active_us = max([track.offset_us, *(span.end_us for span in (*said, *agent))])
    silence_us = min(max(0, end_us - active_us), _HANGUP_MAX_US)
    return silence_us if left else silence_us + _AGENT_ENDS_US


def _attributes(bundle: Bundle, identity: str) -> dict[str, str]:
    for event in bundle.of_kind("participant_connected"):
        attributes = event.data.get("attributes")
        if event.data.get("identity") == identity and isinstance(attributes, dict):
            return {key: str(value) for key, value in attributes.items()}
    return {}
