"""One call made ready for the rules: measured, compared, and checked for being what it claims."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lkgate.diff.call import diff
from lkgate.diff.registry import compare_all
from lkgate.measure.registry import measure_all
from lkgate.measure.session import session_of
from lkgate.measure.words import TooLongError
from lkgate.model.bundle import Bundle, Role
from lkgate.model.verdict import (
    Baseline,
    CallFailure,
    CallResult,
    CassetteState,
    JudgedCall,
    Problem,
)


@dataclass(frozen=True, slots=True)
class Examined:
    """A call with what its rules look at.

    Attributes:
        accepted: metric versions that the baseline was accepted under; empty without one.
        next_step: what makes a baseline that counts.
    """

    call: JudgedCall
    accepted: Mapping[str, int]
    next_step: str


def examine(result: CallResult, own: Sequence[str] = ()) -> Examined:
    """Measure a call and compare it with its baseline, if that can be used.

    Args:
        own: names of the gate's own metrics, measured too.
    """
    failure = _failure(result)
    stale = _stale(result)
    if failure is not None or isinstance(result.candidate, CallFailure):
        return Examined(_unmeasured(result, failure, stale), {}, accepting(result))
    candidate = session_of(
        result.candidate, result.labels, prices=result.prices, history=result.history
    )
    measurements = measure_all(candidate, own)
    baseline = difference = None
    accepted: Mapping[str, int] = {}
    if stale is None and result.baseline is not None:
        accepted = result.baseline.metric_versions
        baseline = session_of(
            result.baseline.bundle, result.labels, prices=result.prices, history=result.history
        )
        try:
            difference = diff(baseline, candidate)
        except TooLongError as error:
            stale = Problem(result.call, str(error), None)
    if baseline is None or difference is None:
        call = JudgedCall(
            call=result.call,
            labels=result.labels,
            failure=None,
            turns=candidate.turns,
            baseline_turns=(),
            measurements=measurements,
            baseline_measurements={},
            difference=None,
            stale=stale,
            cassette=_cassette(result),
            take_of=result.take_of,
        )
        return Examined(call, {}, accepting(result))
    call = JudgedCall(
        call=result.call,
        labels=result.labels,
        failure=None,
        turns=candidate.turns,
        baseline_turns=baseline.turns,
        measurements={**measurements, **compare_all(baseline, candidate, difference)},
        baseline_measurements=measure_all(baseline, own),
        difference=difference,
        stale=None,
        cassette=_cassette(result),
        take_of=result.take_of,
    )
    return Examined(call, accepted, accepting(result))


def accepting(result: CallResult) -> str:
    """What makes the replay that is judged, or the next one into its build, the baseline."""
    known = result.candidate if isinstance(result.candidate, Bundle) else None
    if known is None and result.baseline is not None:
        known = result.baseline.bundle
    build = known.manifest.build if known is not None else None
    call = shlex.quote(result.take_of or result.call)
    name = "BUILD" if build is None else shlex.quote(build.name)
    return f"Replay the call, listen to it, then run `lkgate accept {call} --build {name}`."


def _unmeasured(
    result: CallResult, failure: CallFailure | None, stale: Problem | None
) -> JudgedCall:
    return JudgedCall(
        call=result.call,
        labels=result.labels,
        failure=failure,
        turns=(),
        baseline_turns=(),
        measurements={},
        baseline_measurements={},
        difference=None,
        stale=stale,
        cassette=_cassette(result),
        take_of=result.take_of,
    )


def _cassette(result: CallResult) -> CassetteState | None:
    return result.cassette if result.baseline is not None else None


def _failure(result: CallResult) -> CallFailure | None:
    if isinstance(result.candidate, CallFailure):
        return result.candidate
    if not _of(result.candidate, result.recording_digest):
        return CallFailure(
            "other_recording",
            "the replay was made from another state of the recording",
            "Replay the call again.",
        )
    return None


def _stale(result: CallResult) -> Problem | None:
    if result.baseline is None:
        return Problem(result.call, "no baseline was accepted", accepting(result))
    if not _of(result.baseline.bundle, result.recording_digest):
        return Problem(
            result.call,
            "the baseline is stale: it was made from another state of the recording",
            accepting(result),
        )
    if result.cassette == "changed":
        return Problem(
            result.call,
            "the baseline is stale: exchanges of the cassette that answered it were changed",
            accepting(result),
        )
    if isinstance(result.candidate, Bundle):
        return _detectors(result, result.baseline, result.candidate)
    return None


def _of(bundle: Bundle, recording_digest: str) -> bool:
    manifest = bundle.manifest
    if manifest.source == "replay":
        return manifest.recording_digest == recording_digest
    return manifest.digest == recording_digest


def _detectors(result: CallResult, baseline: Baseline, candidate: Bundle) -> Problem | None:
    """Speech found by two methods differs by more than an agent does."""
    roles: tuple[Role, ...] = ("caller", "agent")
    for role in roles:
        old = {track.speech_method for track in baseline.bundle.tracks(role)}
        new = {track.speech_method for track in candidate.tracks(role)}
        if old and new and old != new:
            was, now = ", ".join(sorted(old)), ", ".join(sorted(new))
            reason = f"the baseline is stale: speech was found by {was}, now by {now}"
            return Problem(result.call, reason, accepting(result))
    return None
