from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from statsmodels.stats.proportion import proportion_confint

from lkgate.errors import ConfigError
from lkgate.gate.trust import at_least
from lkgate.judge.calibrate import Compared, path_of, read, trust_of, write
from lkgate.judge.identity import identity_of
from lkgate.judge.store import Store
from lkgate.model.judgement import Agreed, Label
from tests.judge.asking import POLITE, RUDE, asked, entry

BOTH = [("good", POLITE), ("bad", RUDE)]


def compared(label: Label, said: Label | None, n: int) -> list[Compared]:
    return [
        Compared(f"{label} {said} {at}", f"{label} {said} {at}", label, said) for at in range(n)
    ]


def calibrated(directory: Path) -> Store:
    asked(entry(), directory, BOTH)
    store = Store.read(directory, "helpful")
    write(directory, entry(), store, compared("pass", "pass", 12) + compared("fail", "fail", 11))
    return store


def test_agreement_of_each_side() -> None:
    trust = trust_of(
        [
            *compared("pass", "pass", 9),
            *compared("pass", "fail", 1),
            *compared("fail", "fail", 3),
            *compared("fail", None, 1),
        ]
    )
    assert (trust.good, trust.bad, trust.all) == (Agreed(9, 10), Agreed(3, 4), Agreed(12, 14))


def test_a_conversation_counts_once_however_often_it_was_recorded() -> None:
    one = Compared("a", "key", "pass", "pass")
    assert trust_of([one, replace(one, call="b")]).good == Agreed(1, 1)


def test_the_bound_is_wilsons_of_the_worse_side() -> None:
    trust = trust_of(
        [*compared("pass", "pass", 40), *compared("fail", "fail", 9), *compared("fail", "pass", 1)]
    )
    low, _ = proportion_confint(9, 10, alpha=0.1, method="wilson")
    assert at_least(trust, 0.95) == pytest.approx(low)


def test_a_judge_that_passes_everything_is_not_trusted() -> None:
    always = trust_of([*compared("pass", "pass", 95), *compared("fail", "pass", 5)])
    assert always.all == Agreed(95, 100)
    assert at_least(always, 0.95) == 0.0
    assert at_least(trust_of(compared("pass", "pass", 100)), 0.95) is None


def test_it_is_kept(tmp_path: Path) -> None:
    store = calibrated(tmp_path)
    trust = read(tmp_path, entry(), store)
    assert trust is not None
    assert (trust.good, trust.bad, trust.stale) == (Agreed(12, 12), Agreed(11, 11), None)
    assert read(tmp_path, replace(entry(), name="other"), store) is None


@pytest.mark.parametrize(
    ("judge", "says"),
    [
        (entry(instructions="Another."), "its instructions, its model"),
        (entry(words="another"), "its instructions, its model"),
        (entry(votes=3), "it had 1 votes then, and has 3 now"),
    ],
)
def test_another_judge_makes_it_stale(tmp_path: Path, judge: object, says: str) -> None:
    store = calibrated(tmp_path)
    trust = read(tmp_path, judge, store)  # type: ignore[arg-type]
    assert trust is not None
    assert trust.stale is not None
    assert says in trust.stale


def test_other_words_of_livekits_make_it_stale(tmp_path: Path) -> None:
    calibrated(tmp_path)
    path = tmp_path / "helpful.jsonl"
    first, second = path.read_text().splitlines()
    path.write_text(f"{first}\n{second.replace('must be helpful', 'should help')}\n")
    trust = read(tmp_path, entry(), Store.read(tmp_path, "helpful"))
    assert trust is not None
    assert trust.stale == "livekit-agents asks in other words since"


def stale_with(directory: Path, *models: str) -> str | None:
    """What makes a calibration stale after a vote of each model."""
    store = Store.read(directory, "helpful")
    first = next(iter(store.votes.values()))
    for model in models:
        store.add(f"by {model}", 1, identity_of(entry()), replace(first, model=model))
    trust = read(directory, entry(), Store.read(directory, "helpful"))
    assert trust is not None
    return trust.stale


def test_votes_of_another_model_make_it_stale(tmp_path: Path) -> None:
    """A plugin's default changed: under the same settings another model answers."""
    calibrated(tmp_path)
    assert stale_with(tmp_path, "tests/scripted-1") is None
    assert stale_with(tmp_path, "tests/scripted-2") == (
        "it was made of votes of tests/scripted-1, and tests/scripted-2 voted since "
        "(name one model in the judge's `arguments`: then it is asked anew)"
    )


def test_votes_of_two_models_calibrate_neither(tmp_path: Path) -> None:
    calibrated(tmp_path)
    stale_with(tmp_path, "tests/scripted-2")
    write(tmp_path, entry(), Store.read(tmp_path, "helpful"), compared("pass", "pass", 12))
    told = stale_with(tmp_path)
    assert told is not None
    assert told.startswith("it rests on votes of tests/scripted-1 and tests/scripted-2 (name one")


def test_votes_of_a_judge_as_it_was_before_do_not_matter(tmp_path: Path) -> None:
    store = calibrated(tmp_path)
    before = replace(next(iter(store.votes.values())), model="tests/scripted-0")
    store.add("old", 1, identity_of(entry(instructions="Another.")), before)
    assert stale_with(tmp_path) is None


def test_a_calibration_that_does_not_say_who_voted(tmp_path: Path) -> None:
    calibrated(tmp_path)
    path = path_of(tmp_path, "helpful")
    kept = json.loads(path.read_text())
    assert kept.pop("models") == ["tests/scripted-1"]
    path.write_text(json.dumps(kept))
    assert stale_with(tmp_path) == "it does not say which model voted"


@pytest.mark.parametrize("text", ["{}", "[]", "nonsense", '{"format": 2}'])
def test_a_file_that_is_no_calibration(tmp_path: Path, text: str) -> None:
    store = calibrated(tmp_path)
    path_of(tmp_path, "helpful").write_text(text)
    with pytest.raises(ConfigError, match="this is no calibration of a judge"):
        read(tmp_path, entry(), store)


@pytest.mark.parametrize(
    "line", ["nonsense", "[]", "{}", '{"key": "k", "vote": 0, "tokens": null}']
)
def test_a_line_that_is_no_vote(tmp_path: Path, line: str) -> None:
    path = tmp_path / "helpful.jsonl"
    path.write_text(f"\n{line}\n")
    with pytest.raises(ConfigError) as told:
        Store.read(tmp_path, "helpful")
    assert str(told.value).startswith(f"{path}:2: this line is no vote of a judge: ")


def test_votes_of_two_branches_merge(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    asked(entry(), ours, BOTH)
    asked(entry(), theirs, BOTH[:1])
    merged = tmp_path / "helpful.jsonl"
    merged.write_text((ours / "helpful.jsonl").read_text() + (theirs / "helpful.jsonl").read_text())
    assert Store.read(tmp_path, "helpful").votes == Store.read(ours, "helpful").votes
