"""How far a judge agrees with people, from calls that both have judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lkgate.bundle.canonical import parse, pretty
from lkgate.config import JudgeEntry
from lkgate.errors import ConfigError
from lkgate.judge.identity import identity_of
from lkgate.judge.store import Store
from lkgate.model.event import Json
from lkgate.model.judgement import Agreed, Label, Trust

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Compared:
    """One call that a person and the judge have judged.

    Attributes:
        key: of the conversation and the judge: calls with the same one are one call.
        label: the person's word; ``said``: the judge's, ``None`` if it is undecided.
    """

    call: str
    key: str
    label: Label
    said: Label | None


def trust_of(compared: Sequence[Compared], stale: str | None = None) -> Trust:
    """The figures behind a comparison. A conversation counts once, however often it was recorded;
    an undecided judge does not agree."""
    once = {(one.key, one.label): one for one in compared}.values()

    def agreed(label: Label) -> Agreed:
        mine = [one for one in once if one.label == label]
        return Agreed(sum(one.said == label for one in mine), len(mine))

    return Trust(agreed("pass"), agreed("fail"), stale)


def path_of(directory: Path, judge: str) -> Path:
    """Where the calibration of a judge is kept."""
    return directory / f"{judge}.calibration.json"


def write(directory: Path, judge: JudgeEntry, store: Store, compared: Sequence[Compared]) -> Path:
    """Keep a calibration: the calls and both words, for figures are made from these."""
    path = path_of(directory, judge.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    calls: list[Json] = [
        {"call": one.call, "key": one.key, "label": one.label, "judge": one.said}
        for one in sorted(compared, key=lambda one: (one.call, one.key))
    ]
    identity = identity_of(judge)
    path.write_bytes(
        pretty(
            {
                "format": _FORMAT,
                "judge": identity,
                "votes": judge.votes,
                "criteria": sorted(store.criteria(identity)),
                "models": sorted(store.models(identity)),
                "calls": calls,
            }
        )
    )
    return path


def read(directory: Path, judge: JudgeEntry, store: Store) -> Trust | None:
    """The calibration that is kept, ``None`` if there is none.

    It is stale if the judge was changed since, was asked in other words (by another version of
    livekit-agents), or has votes of more than the one model that people were compared with.

    Raises:
        ConfigError: the file is no calibration.
    """
    path = path_of(directory, judge.name)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        identity, votes, criteria, models, compared = _decode(parse(data))
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"this is no calibration of a judge: {error}",
            where=str(path),
            next_step=f"Run `lkgate judge calibrate {judge.name}` again.",
        ) from error
    stale = None
    if identity != identity_of(judge):
        stale = "its instructions, its model or how that is set up were changed since"
    elif votes != judge.votes:
        stale = f"it had {votes} votes then, and has {judge.votes} now"
    elif not store.criteria(identity) <= criteria:
        stale = "livekit-agents asks in other words since"
    else:
        stale = _answered(models, store.models(identity))
    return trust_of(compared, stale)


def _answered(then: set[str] | None, now: set[str]) -> str | None:
    """Why the models that voted make a calibration stale, ``None`` if it was one all along."""
    if then is None:
        return "it does not say which model voted"
    if len(then) > 1:
        found = f"it rests on votes of {' and '.join(sorted(then))}"
    elif now <= then:
        return None
    else:
        others = " and ".join(sorted(now - then))
        found = f"it was made of votes of {''.join(then) or 'no model'}, and {others} voted since"
    return f"{found} (name one model in the judge's `arguments`: then it is asked anew)"


def _decode(value: Json) -> tuple[str, int, set[str], set[str] | None, list[Compared]]:
    if not isinstance(value, dict) or value["format"] != _FORMAT:
        raise ValueError(f"it is not of format {_FORMAT}")
    identity, votes, criteria = value["judge"], value["votes"], value["criteria"]
    models, calls = value.get("models", []), value["calls"]
    if not isinstance(votes, int) or not isinstance(criteria, list) or not isinstance(calls, list):
        raise TypeError("`votes`, `criteria` or `calls` is of another type")
    if not isinstance(models, list):
        raise TypeError("`models` is no list")
    answered = set(map(str, models)) if "models" in value else None
    return str(identity), votes, set(map(str, criteria)), answered, [_call(one) for one in calls]


def _call(value: Json) -> Compared:
    if not isinstance(value, dict):
        raise TypeError("a call is no object")
    label, said = _label(value["label"]), _label(value["judge"])
    if label is None:
        raise ValueError("a call has no label")
    return Compared(str(value["call"]), str(value["key"]), label, said)


def _label(value: Json) -> Label | None:
    if value is None:
        return None
    if value == "pass":
        return "pass"
    if value == "fail":
        return "fail"
    raise ValueError(f"{value!r} is neither pass nor fail")
