"""``lkgate judge``, in process, with a scripted model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lkgate.bundle import reseal
from lkgate.cli.main import cli
from lkgate.errors import ConfigError, LkgateError
from tests.judge.scripted import ASKED

RECORDINGS = Path(__file__).parents[2] / "recordings"
SETTINGS = """
recordings: calls
judges:
  helpful:
    llm: tests.judge.scripted:Scripted
    arguments: {words: chest}
    instructions: The agent must be helpful.
    votes: 3
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "lkgate.yaml").write_text(SETTINGS)
    for call in ("book", "emergency", "move"):
        shutil.copytree(RECORDINGS / call, tmp_path / "calls" / call)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def judge(*words: str) -> Result:
    return CliRunner().invoke(cli, ["judge", *words], standalone_mode=False)


def refused(*words: str) -> str:
    done = judge(*words)
    assert isinstance(done.exception, LkgateError)
    return str(done.exception)


def label(project: Path, **said: str) -> None:
    for call, verdict in said.items():
        path = project / "calls" / call / "labels.yaml"
        path.write_text(f"judges: {{helpful: {verdict}}}\n{path.read_text()}")
        reseal(project / "calls" / call)


def test_ask_then_again_without_asking(project: Path) -> None:
    first = judge("ask")
    assert first.return_value == 0, first.output
    assert first.stdout == (
        "book: helpful says pass (3 pass): vote 1\n"
        "emergency: helpful says fail (3 fail): vote 4\n"
        "move: helpful says pass (3 pass): vote 7\n"
        "helpful: 100.0 % of the votes agree with their call's majority\n"
    )
    assert first.stderr.startswith("helpful: asked 9 times, ")
    kept = (project / "judgements" / "helpful.jsonl").read_bytes()
    before = len(ASKED)
    again = judge("ask")
    assert (again.return_value, len(ASKED)) == (0, before)
    assert (project / "judgements" / "helpful.jsonl").read_bytes() == kept
    assert again.stdout == first.stdout.replace("vote 1\n", "vote 1 [kept]\n").replace(
        "vote 4\n", "vote 4 [kept]\n"
    ).replace("vote 7\n", "vote 7 [kept]\n")


def test_nothing_kept_is_no_verdict() -> None:
    done = judge("ask", "book", "--recorded")
    assert done.return_value == 3
    assert done.stdout == "book: it was never asked about this conversation\n"


def test_a_budget_that_is_spent(project: Path) -> None:
    (project / "lkgate.yaml").write_text(SETTINGS + "    max_calls: 4\n")
    done = judge("ask")
    assert done.return_value == 4
    assert "emergency: its budget of 4 calls is spent\n" in done.stdout
    # The next run goes on where this one ended.
    assert judge("ask").return_value == 4
    assert judge("ask").return_value == 0


def test_the_last_replays_of_a_build(project: Path) -> None:
    assert "there is no replay into v2" in refused("ask", "--against", "v2")
    shutil.copytree(project / "calls" / "book", project / ".lkgate" / "replays" / "v2" / "book")
    done = judge("ask", "--against", "v2")
    assert done.stdout.startswith("book: helpful says pass (3 pass)")
    assert "move: not replayed into v2" in refused("ask", "move", "--against", "v2")


def test_calibrate(project: Path) -> None:
    label(project, book="pass", emergency="fail", move="fail")
    done = judge("calibrate", "helpful")
    assert done.return_value == 0, done.output
    assert done.stdout.splitlines()[-6:] == [
        "helpful: 100.0 % of the votes agree with their call's majority",
        "move: people say fail, the judge says pass",
        "agreement        2 of 3, 66.7 % (95 % sure: at least 25.4 %, at most 92.2 %)",
        "  on good calls  1 of 1, 100.0 % (95 % sure: at least 27.0 %, at most 100.0 %)",
        "  on bad calls   1 of 2, 50.0 % (95 % sure: at least 12.1 %, at most 87.9 %)",
        "No better than a coin, as far as these calls tell: it cannot decide in a gate.",
    ]
    kept = json.loads((project / "judgements" / "helpful.calibration.json").read_text())
    assert [(one["call"], one["label"], one["judge"]) for one in kept["calls"]] == [
        ("book", "pass", "pass"),
        ("emergency", "fail", "fail"),
        ("move", "fail", "pass"),
    ]


def test_calibrate_with_votes_of_two_models(project: Path) -> None:
    label(project, book="pass", emergency="fail")
    assert judge("ask", "book").return_value == 0
    votes = project / "judgements" / "helpful.jsonl"
    votes.write_text(votes.read_text().replace("scripted-1", "scripted-0"))
    done = judge("calibrate", "helpful")
    assert done.stdout.splitlines()[-1] == (
        "It cannot decide in a gate: it rests on votes of tests/scripted-0 and tests/scripted-1 "
        "(name one model in the judge's `arguments`: then it is asked anew)."
    )


def test_calibrate_without_a_judgement(project: Path) -> None:
    label(project, book="pass")
    done = judge("calibrate", "helpful", "--recorded")
    assert done.return_value == 4
    assert not (project / "judgements").exists()


def test_calibrate_without_a_label(project: Path) -> None:
    assert refused("calibrate", "helpful").startswith("no call has a label for the judge `helpful`")


def test_labels_that_nobody_reviewed_do_not_count(project: Path) -> None:
    label(project, book="pass")
    path = project / "calls" / "book" / "labels.yaml"
    path.write_text(path.read_text().replace("reviewed: true", "reviewed: false"))
    reseal(project / "calls" / "book")
    assert refused("calibrate", "helpful").startswith("no call has a label")


def test_what_its_metric_means() -> None:
    done = CliRunner().invoke(cli, ["metrics", "judge:helpful"])
    assert done.stdout.startswith("judge:helpful\n  Whether most votes of the judge helpful passed")


def test_no_such_judge() -> None:
    assert "there is no judge `kind`" in refused("ask", "--judge", "kind")
    assert "There are: helpful." in refused("calibrate", "kind")


@pytest.mark.parametrize(
    ("judges", "says"),
    [
        ("{x: {llm: 'a:B'}}", "has neither `instructions` nor a `kind`"),
        ("{x: {llm: 'a:B', kind: safety, instructions: y}}", "has instructions of its own"),
        ("{x: {instructions: y}}", "`judges.x` has no `llm`"),
        ("{x: {llm: 'a:B', kind: saftey}}", "Did you mean `safety`?"),
        (
            "{x: {llm: 'a:B', instructions: y, arguments: {api_key: sk-1234567890}}}",
            "a credential stands in the arguments of the judge `x`",
        ),
        ("{}", "there is no judge to ask"),
    ],
)
def test_settings_that_are_wrong(project: Path, judges: str, says: str) -> None:
    (project / "lkgate.yaml").write_text(f"recordings: calls\njudges: {judges}\n")
    told = refused("ask")
    assert says in told
    assert "sk-1234567890" not in told
    assert isinstance(judge("ask").exception, ConfigError)
