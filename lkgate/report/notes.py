"""What a verdict does not speak of, for whoever relies on it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lkgate.model.gate import Family
from lkgate.model.verdict import CassetteState, JudgedCall, LiveRoom, Verdict

FAMILY: Mapping[Family, str] = {
    "holm": "Holm's correction keeps one false failure among all of them as rare as in one",
    "benjamini-hochberg": "Benjamini and Hochberg's correction keeps few of the failures false",
    "none": "nothing corrects for judging several at once",
}

About = Literal["sureness", "left_out", "gate", "evidence", "room"]


@dataclass(frozen=True, slots=True)
class Note:
    """A remark on a verdict.

    Attributes:
        about: how sure limits are, calls left out, the calls that the gate names, what answered
            the calls, or the room they took place in.
        text: one line.
        then: what to do about it, or what it means; ``None`` if that is said.
    """

    about: About
    text: str
    then: str | None = None


def notes(verdict: Verdict) -> Iterator[Note]:
    """How sure it is, calls left out or that nobody would miss, cassettes not as they were."""
    gate = verdict.gate
    yield from _sureness(verdict)
    if verdict.left_out:
        yield Note(
            "left_out",
            f"Left out, so this cannot be a pass: {', '.join(verdict.left_out)}",
            "Run it without naming calls.",
        )
    if not gate.calls:
        yield Note(
            "gate",
            "The gate names no calls: one that is lost would not be missed",
            f"List them under `calls:` in {gate.path}.",
        )
    elif verdict.unlisted:
        yield Note(
            "gate",
            f"Judged, but not named by the gate: {', '.join(verdict.unlisted)}",
            f"Add them to `calls:` in {gate.path}, or their loss will not be noticed.",
        )
    yield from _derived(verdict)
    states: Mapping[CassetteState, tuple[str, str]] = {
        "grown": ("The cassette has grown since the baseline was made", "Replay"),
        "unknown": (
            "The baseline does not say which cassette answered it",
            "Replay with `--models cassette`",
        ),
        "none": (
            "The recording has no cassette that its baseline could be bound to",
            "Run `lkgate derive {calls}`, replay",
        ),
    }
    for state, (said, first) in states.items():
        found = [one for one in verdict.calls if one.cassette == state]
        if found:
            text = f"{said}: {', '.join(one.call for one in found)}"
            yield Note("evidence", text, _accept(first, found))


def _sureness(verdict: Verdict) -> Iterator[Note]:
    """How many limits are about calls to come, and how their false alarms are kept rare."""
    sampled = [
        check.uncertainty
        for found in verdict.findings
        for check in found.checks
        if check.uncertainty is not None and check.uncertainty.method != "no_change"
    ]
    if not sampled:
        return
    told = "1 limit is" if len(sampled) == 1 else f"{len(sampled)} limits are"
    text = f"{told} about calls to come, of which these are a sample"
    yield Note("sureness", f"{text}; {FAMILY[verdict.gate.family]} (docs/statistics.md)")


def _derived(verdict: Verdict) -> Iterator[Note]:
    turns = [(one.call, turn) for one in verdict.calls for turn in one.turns]
    calls = dict.fromkeys(call for call, turn in turns if turn.derived)
    if not calls:
        return
    thought = any("llm" in turn.derived for _, turn in turns)
    yield Note(
        "evidence",
        f"Answers derived from what was heard of the recorded call: {', '.join(calls)}",
        "What a build changes in its instructions, its tools' descriptions or its models does not "
        "show there. To see that, record with `lkgate record --build`."
        if thought
        else "To have what its models said, record with `lkgate record --build`.",
    )


def live_note(live: LiveRoom) -> Note:
    """How the calls took place, and what the numbers therefore are."""
    pooled = (
        "once each" if live.repeats == 1 else f"{live.repeats} repeats of each call in one pool"
    )
    return Note(
        "room",
        f"A live room: real clock, live models, {pooled}, no digest: another run will differ",
        f"Every repeat is held to one of {live.interleaved}, placed in turn with it"
        if live.interleaved is not None
        else "Held to the accepted baselines, which are not of this room and this machine: "
        "--interleave BUILD places both alike",
    )


def _accept(first: str, calls: Sequence[JudgedCall]) -> str:
    """How to bind the baselines of ``calls`` to their cassettes; it begins with ``first``."""
    names = " ".join(dict.fromkeys(shlex.quote(one.take_of or one.call) for one in calls))
    return (
        f"{first.replace('{calls}', names)} into the build of the baselines (`lkgate list` names "
        f"it), then run `lkgate accept {names} --build BUILD`."
    )
