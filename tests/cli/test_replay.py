"""``lkgate replay --verify`` on a build that is not the same again: no report calls it good."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lkgate.cli.asides import doubts_of
from lkgate.cli.main import main
from lkgate.cli.reports import KINDS
from lkgate.model.bundle import BuildIdentity
from lkgate.replay import run
from lkgate.replay.outcome import Failure
from tests.replay.recorded import record

FAKE = Path(__file__).parents[1] / "replay/fake_server.py"
SETTINGS = "gates: [gate.yaml]\nbuilds:\n  v9: {program: agent.py}\n"
GATE = """\
version: 1
calls: [one, two]
rules:
  - {id: errors, metric: tool_errors, aggregate: sum, max: 0}
"""
STEP = (
    'Find the cause (docs/determinism.md, "When replays differ"), then run '
    "`lkgate replay two --against v9 --no-gate --verify 2`."
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two calls, of which the build replays the second one by chance."""
    for call in ("one", "two"):
        record(tmp_path, call)
    (tmp_path / "lkgate.yaml").write_text(SETTINGS)
    (tmp_path / "gate.yaml").write_text(GATE)
    (tmp_path / "agent.py").write_text("# DO chance two\n")
    monkeypatch.chdir(tmp_path)
    real: Callable[..., run.Verification] = run.verify

    def verify(recordings: Any, build: Any, options: Any, *rest: Any, **more: Any) -> Any:
        return real(recordings, build, replace(options, boot=FAKE), *rest, **more)

    def replay(recordings: Any, build: Any, options: Any, *rest: Any) -> Any:
        return once(recordings, build, replace(options, boot=FAKE), *rest)

    once: Callable[..., run.ReplaySet] = run.replay
    monkeypatch.setattr(run, "verify", verify)
    monkeypatch.setattr(run, "replay", replay)
    return tmp_path


def verified(*words: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(["replay", "--against", "v9", "--verify", "2", *words])
    return ended.value.code


def test_a_build_that_is_not_deterministic_has_no_verdict(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reports = [word for kind in KINDS for word in ("--report", f"{kind}={kind}")]
    assert verified(*reports) == 3
    out, err = capsys.readouterr()
    assert err.endswith("not deterministic: two\n")
    assert out.startswith("NO VERDICT  v9: ")
    assert f"    two: not deterministic: 2 replays differ\n      {STEP}\n" in out
    made = {kind: Path(kind).read_text("utf-8") for kind in KINDS}
    assert made["text"].startswith("NO VERDICT  v9: ")
    assert "<title>NO VERDICT: v9" in made["html"]
    assert json.loads(made["json"])["verdict"] == "no_verdict"
    assert '<error message="not deterministic: 2 replays differ">' in made["junit"]
    assert "### ⚠️ NO VERDICT: v9\n" in made["markdown"]
    assert made["github"].startswith("::error file=gate.yaml,")
    for kind, text in made.items():
        assert "not deterministic: 2 replays differ" in text, kind
        assert "--no-gate --verify 2" in text, kind


def test_without_a_gate(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verified("--no-gate") == 3
    assert capsys.readouterr().out == f"two: not deterministic: 2 replays differ\n  {STEP}\n"


def test_a_replay_that_failed_only_once_says_why() -> None:
    build = BuildIdentity("v9", "0" * 64)
    first = run.ReplaySet(build, (), "d")
    failed = Failure("crash", "it died", "agent.py:3")
    calls = {f"call {number}": failed for number in range(6)}
    found = run.Verification(first, ("d", None, "e"), calls)
    problems = doubts_of(found, "my agent.py")
    assert {one.reason for one in problems} == {
        "not deterministic: 3 replays differ, of which one failed: agent.py:3: it died"
    }
    # Of many, all are replayed.
    (step,) = {one.next_step for one in problems}
    assert step is not None
    assert step.endswith("run `lkgate replay --against 'my agent.py' --no-gate --verify 3`.")


def test_a_shard_that_is_not_whole_says_why(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reports = [word for kind in KINDS for word in ("--report", f"{kind}=new/{kind}")]
    shard = ["replay", "--against", "v9", "--shard", "1/2", *reports]
    for does, code in (("ok", 3), ("crash", 4)):
        (project / "agent.py").write_text(f"# DO {does}\n")
        with pytest.raises(SystemExit) as ended:
            main(shard)
        assert ended.value.code == code
        left = {path.name: path.read_text("utf-8") for path in Path("new").iterdir()}
        assert sorted(left) == ([] if does == "ok" else ["github", "junit", "markdown", "text"])
    lines = capsys.readouterr().out.splitlines()
    what = "v9: shard 1 of 2, 1 of 2 calls, 1 could not be replayed"
    assert lines[-1] == f"NOT JUDGED  {what}"
    assert left["text"].startswith(f"NO VERDICT  {what}\n  one: ")
    assert left["text"].splitlines()[1].strip().startswith(lines[1])
