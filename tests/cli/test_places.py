"""Reports tell of files as they are seen from where lkgate runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from lkgate.cli.places import failure_of, shown, source_line
from lkgate.model.verdict import CallFailure, SourceLine
from lkgate.replay.outcome import Failure, Outcome


def failed(message: str, where: str | None, step: str | None = None) -> CallFailure:
    return failure_of(Outcome("ann", None, Failure("entrypoint", message, where, step), 1.0))


def test_a_failure_does_not_say_where_on_this_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ops").mkdir()
    for name in ("agent.py", "ops/main.py"):
        (tmp_path / name).touch()
    here = tmp_path / "ops"
    monkeypatch.chdir(here)
    assert failed("it raised", f"{here}/main.py:9") == CallFailure(
        "entrypoint", "main.py:9: it raised", None, SourceLine("main.py", 9)
    )
    assert failed("it raised", f"{tmp_path}/agent.py:9").message == "../agent.py:9: it raised"
    told = failed(f"no file {here}/a.txt", "builds.v2", f"Make {here}/a.txt.")
    assert (told.message, told.next_step) == ("builds.v2: no file a.txt", "Make a.txt.")
    assert failed("it crashed", None).message == "it crashed"
    for other in ("/usr", "/"):  # which have nothing in common with it
        monkeypatch.chdir(other)
        far = failed("it raised", f"{here}/main.py:9")
        assert far.message == f"{here}/main.py:9: it raised"


def test_a_failures_place_is_a_line_of_a_file_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ops").mkdir()
    agent = tmp_path / "agent.py"
    agent.touch()
    (tmp_path / "link.py").symlink_to(agent)
    monkeypatch.chdir(tmp_path / "ops")
    assert source_line(f"{agent}:41") == SourceLine("../agent.py", 41)
    assert source_line(f"{tmp_path}/link.py:41") == SourceLine("../agent.py", 41)
    for other in (None, "", str(agent), f"{agent}:0", f"{agent}:x", f"{agent}:41:2", "builds.v2:1"):
        assert source_line(other) is None
    assert source_line(f"{tmp_path}/gone.py:41") is None
    assert source_line("a\0b:1") is None


def test_a_gate_is_shown_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "project" / "agent"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    root = here.parent
    assert shown(here / "gate.yaml", root) == "gate.yaml"
    assert shown(root / "gates" / "g.yaml", root) == "../gates/g.yaml"
    assert shown(tmp_path / "g.yaml", root) == str(tmp_path / "g.yaml")
