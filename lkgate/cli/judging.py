"""Recordings, replays and gates put together: what ``replay`` and ``accept`` have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lkgate.builds import lacking_layers
from lkgate.bundle import cassette_since, read_baseline
from lkgate.cli.collecting import collector_waits
from lkgate.cli.parameters import gate_there
from lkgate.cli.places import failure_of, shown
from lkgate.cli.supply import supplied
from lkgate.config import Config
from lkgate.errors import ConfigError
from lkgate.gate.aggregate import PERCENTILES
from lkgate.gate.evaluate import evaluate
from lkgate.gate.load import load
from lkgate.gate.metrics import baseline_of, metric_versions
from lkgate.gate.support import refuse_percentiles, refuse_slices
from lkgate.judge.panel import Panel
from lkgate.measure.repeat import histories
from lkgate.measure.session import Session, session_of
from lkgate.model.build import Build
from lkgate.model.gate import Gate
from lkgate.model.price import PriceTable
from lkgate.model.verdict import Baseline, CallFailure, CallResult, Problem, Verdict
from lkgate.replay.recordings import (
    Recording,
    find_recording,
    find_recordings,
    read_recordings,
)
from lkgate.replay.run import Replayed

if TYPE_CHECKING:
    from lkgate.rooms import Played, RoomSet

_LATE = "Place fewer calls at once (--concurrency), on a machine that does nothing else."


def chosen_recordings(
    config: Config, names: Sequence[str], *, baselines: bool = True
) -> list[Recording]:
    """The recordings named on the command line (a call's name, or a path), or all of them.

    Args:
        baselines: ``False`` for who will not judge by them: then they may be damaged.
    """
    if names:
        paths = [find_recording(config.recordings, name) for name in names]
    else:
        paths = find_recordings(config.recordings)
    return read_recordings(paths, baselines=baselines)


def load_gates(config: Config, paths: Sequence[Path], build: Build | None = None) -> list[Gate]:
    """The gates named on the command line, or those of the settings.

    Args:
        build: that is to be judged; ``None``: none is.

    Raises:
        GateFileError: one is wrong, or has a rule on a layer that the build does not have.
        ConfigError: one names a judge that the settings do not have.
    """
    chosen = list(paths) or list(config.gates)
    if not chosen:
        raise ConfigError(
            "there is no gate to judge by",
            next_step="Name one with --gate, or set `gates` under [tool.lkgate].",
        )
    lacking = lacking_layers(build) if build is not None else {}
    panel = Panel(config)
    return [
        panel.trusting(replace(load(path, lacking=lacking), path=shown(path, config.root)))
        for path in map(gate_there, chosen)
    ]


def refuse_unsupported(
    gates: Sequence[Gate], recordings: Sequence[Recording], prices: PriceTable | None
) -> None:
    """Refuse what no replay of these recordings could answer.

    Args:
        prices: what models cost, if the team said so.

    Raises:
        GateFileError: a gate asks for a cohort or a percentile that they do not have.
    """
    sessions: list[tuple[str, Session]] = []
    for gate in gates:
        refuse_slices(gate, [one.bundle.labels for one in recordings])
        if any(rule.aggregate in PERCENTILES for rule in gate.rules):
            sessions = sessions or known_sessions(recordings, prices)
            refuse_percentiles(gate, sessions)


def known_sessions(
    recordings: Sequence[Recording], prices: PriceTable | None
) -> list[tuple[str, Session]]:
    """The name and the accepted replay of each; the recording itself if none was accepted."""
    past = histories({one.call: one.bundle for one in recordings})
    return [
        (
            one.call,
            session_of(
                read_baseline(one.path) or one.bundle,
                one.bundle.labels,
                prices=prices,
                history=past[one.call],
            ),
        )
        for one in recordings
    ]


def judge(
    gate: Gate,
    replayed: Sequence[Replayed],
    *,
    every: Sequence[str] | None = None,
    prices: PriceTable | None = None,
    panel: Panel | None = None,
    unusable: Sequence[Problem] = (),
) -> Verdict:
    """Judge replays against the baselines beside their recordings.

    Args:
        every: if only some calls were replayed because they were named, the names of all
            recordings. What the gate names, or all of them if it names none, is left out then.
        prices: what models cost, if the team said so.
        panel: the judges of the settings, for rules on one.
        unusable: why the replays of some calls are no evidence.
    """
    calls = [one.recording.call for one in replayed]
    expected = () if every is None else gate.calls or every
    left_out = [name for name in expected if name not in calls]
    past = histories({one.recording.call: one.recording.bundle for one in replayed})
    results = [
        supplied(
            gate,
            replace(_result(one), history=past[one.recording.call]),
            one.path,
            one.recording.path,
            prices,
            panel,
        )
        for one in replayed
        if one.recording.call not in (problem.call for problem in unusable)
    ]
    with collector_waits():
        return evaluate(gate, results, recordings=calls, left_out=left_out, unusable=unusable)


def judge_rooms(
    gate: Gate,
    played: RoomSet,
    *,
    every: Sequence[str] | None = None,
    prices: PriceTable | None = None,
    panel: Panel | None = None,
) -> Verdict:
    """Judge calls over live rooms. Every repeat counts as a call of its own, in one pool.

    With an interleaved build each repeat is held to that build's of the same minutes, else to the
    baseline beside its recording. A repeat in which this machine did not keep time is missing
    evidence, whatever it shows.

    Args:
        every, prices, panel: as in :func:`judge`.
    """
    calls = list(dict.fromkeys(one.recording.call for one in played.calls))
    expected = () if every is None else gate.calls or every
    left_out = [name for name in expected if name not in calls]

    past = histories({one.recording.call: one.recording.bundle for one in played.calls})

    def repeated(names: Sequence[str]) -> list[str]:
        numbers = range(1, played.repeats + 1)
        return [take_name(name, n, played.repeats) for name in names for n in numbers]

    verdict = evaluate(
        replace(gate, calls=tuple(repeated(gate.calls))),
        [
            supplied(
                gate,
                replace(_take_result(one, played.repeats), history=past[one.recording.call]),
                one.candidate.path,
                one.recording.path,
                prices,
                panel,
            )
            for one in played.calls
        ],
        recordings=repeated(calls),
        left_out=repeated(left_out),
    )
    return replace(verdict, left_out=tuple(left_out))


def take_name(call: str, repeat: int, repeats: int) -> str:
    """What a repeat of a call is called in a verdict."""
    return call if repeats == 1 else f"{call}#{repeat}"


def _take_result(one: Played, repeats: int) -> CallResult:
    recording, before = one.recording, one.baseline
    late = one.candidate.late
    if late is None and before is not None and before.late is not None:
        late = f"baseline: {before.late}"
    result = CallResult(
        call=take_name(recording.call, one.repeat, repeats),
        recording_digest=recording.bundle.manifest.digest,
        labels=recording.bundle.labels,
        baseline=Baseline(before.bundle, metric_versions()) if before is not None else None,
        candidate=one.candidate.bundle if late is None else CallFailure("late", late, _LATE),
        take_of=recording.call if repeats > 1 else None,
    )
    if before is not None:
        return result
    accepted = read_baseline(recording.path)
    if accepted is None:
        return result
    return replace(
        result,
        baseline=baseline_of(accepted),
        cassette=cassette_since(recording.path, accepted.manifest.answered_by),
    )


def _result(one: Replayed) -> CallResult:
    recording, outcome = one.recording, one.outcome
    baseline = read_baseline(recording.path)
    return CallResult(
        call=recording.call,
        recording_digest=recording.bundle.manifest.digest,
        labels=recording.bundle.labels,
        baseline=baseline_of(baseline) if baseline is not None else None,
        candidate=outcome.bundle if outcome.bundle is not None else failure_of(outcome),
        cassette=(
            cassette_since(recording.path, baseline.manifest.answered_by)
            if baseline is not None
            else "unknown"
        ),
    )
