"""What a gate asks that the recordings cannot answer, found before anything is replayed."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lkgate.errors import GateFileError
from lkgate.gate.aggregate import PERCENTILES, calls_for, carried_by, needs_of
from lkgate.gate.slices import expand, levels_of, outside, within
from lkgate.measure.registry import METRICS, measure
from lkgate.measure.session import Session
from lkgate.model.gate import Gate, Rule
from lkgate.model.label import Labels


def refuse_slices(gate: Gate, labels: Sequence[Labels | None]) -> None:
    """Refuse cohorts that no recording belongs to.

    Args:
        labels: of every recording that will be judged.

    Raises:
        GateFileError: naming the rule, and the cohorts that there are.
    """
    for rule in gate.rules:
        for key in filter(None, (*rule.where, rule.by, rule.max_gap_between)):
            levels = levels_of(key, labels)
            if not levels:
                raise _wrong(
                    gate, rule, f"no recording's labels say its `{key}`", _keys(labels, key)
                )
            if (alike := _alike(levels)) is not None:
                what = f"labels say {key} `{alike[0]}` and `{alike[1]}`, which are two cohorts"
                raise _wrong(gate, rule, what, "Write it the same in every labels.yaml.")
            wanted = rule.where.get(key)
            if wanted is not None and wanted not in levels:
                what = f"no recording has {key} `{wanted}`"
                raise _wrong(gate, rule, what, f"There are: {', '.join(levels)}.")
        for one in expand(rule, labels):
            _refuse_empty(gate, one, labels)


def _refuse_empty(gate: Gate, rule: Rule, labels: Sequence[Labels | None]) -> None:
    """Refuse one slice that no recording is surely of, or whose recordings have no gap."""
    mine = [one for one in labels if outside(rule, "", one) is False]
    if rule.where and not mine:
        raise _wrong(gate, rule, f"no recording has {_said(rule.where)}", _there(rule, labels))
    if (key := rule.max_gap_between) is None:
        return
    levels = levels_of(key, mine)
    if len(levels) < 2:
        of = f" with {_said(rule.where)}" if rule.where else ""
        only = f"{key} `{levels[0]}`" if levels else f"no {key}"
        what = f"every recording{of} has {only}, and a gap needs two levels"
        raise _wrong(gate, rule, what, "Record calls of another one, or leave the rule out.")


def _said(where: Mapping[str, str]) -> str:
    return " and ".join(f"{key} `{value}`" for key, value in where.items())


def _there(rule: Rule, labels: Sequence[Labels | None]) -> str:
    """The slices of the same keys that there are, and whether a label might make it another."""
    told = [
        one.cohort for one in labels if one is not None and rule.where.keys() <= one.cohort.keys()
    ]
    there = sorted({" and ".join(f"{key} {one[key]}" for key in rule.where) for one in told})
    silent = len(within(rule, labels))
    says = f"There are: {', '.join(there)}." if there else "No recording's labels say all of that."
    if not silent:
        return says
    return f"{says} {silent} of the recordings may be of it: write it in their labels.yaml."


def _alike(levels: Sequence[str]) -> tuple[str, str] | None:
    """Two levels that a reader takes for one."""
    known: dict[str, str] = {}
    for level in levels:
        plain = " ".join(level.casefold().replace("_", " ").replace("-", " ").split())
        if plain in known:
            return known[plain], level
        known[plain] = level
    return None


def refuse_percentiles(gate: Gate, calls: Sequence[tuple[str, Session]]) -> None:
    """Refuse percentiles that the recordings have too few samples for.

    Where evidence is missing nothing is refused: that is for the verdict to tell.

    Args:
        calls: the name of each recording, and what is known of it before a replay.

    Raises:
        GateFileError: naming the rule, and how many samples it needs.
    """
    labels = [session.labels for _, session in calls]
    for rule in gate.rules:
        if rule.aggregate not in PERCENTILES or rule.metric not in METRICS:
            continue
        for level in (one for by in expand(rule, labels) for one in _levels(by, labels)):
            found = _count(level, calls)
            if found is None:
                continue
            samples, n = found
            if samples >= carried_by(rule.aggregate) and n >= calls_for(rule.aggregate):
                continue
            where = " and ".join(f"{key} {value}" for key, value in level.where.items())
            raise _wrong(
                gate,
                rule,
                f"a {rule.aggregate} needs {needs_of(rule.aggregate)}, and the {n} "
                f"{'recording' if n == 1 else 'recordings'}{f' with {where}' if where else ''} "
                f"{'gives' if n == 1 else 'give'} {samples}",
                "Of fewer it is the largest of one call: record more calls, or use max or mean.",
            )


def _levels(rule: Rule, labels: Sequence[Labels | None]) -> tuple[Rule, ...]:
    """Of a gap every level must carry the percentile."""
    return expand(replace(rule, by=rule.max_gap_between), labels)


def _count(rule: Rule, calls: Sequence[tuple[str, Session]]) -> tuple[int, int] | None:
    """Samples, and the calls that give them; ``None`` if some call cannot tell."""
    samples = n = 0
    for name, session in calls:
        out = outside(rule, name, session.labels)
        if out is True:
            continue
        found = measure(session, METRICS[rule.metric])
        if out is not False or found.missing:
            return None
        samples += found.n
        n += found.n > 0
    return samples, n


def _keys(labels: Sequence[Labels | None], key: str) -> str:
    known = sorted({name for one in labels if one is not None for name in one.cohort})
    near = difflib.get_close_matches(key, known, n=1)
    if near:
        return f"Did you mean `{near[0]}`?"
    return f"They say: {', '.join(known)}." if known else "Write it in their labels.yaml."


def _wrong(gate: Gate, rule: Rule, what: str, next_step: str) -> GateFileError:
    return GateFileError(f"the rule `{rule.id}`: {what}", where=gate.path, next_step=next_step)
