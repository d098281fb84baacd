"""Where a comment goes, and what is said if it cannot go anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lkgate.errors import ConfigError, GithubError
from lkgate.github import PullRequest, comment


def environ(tmp_path: Path, event: object, **others: str) -> dict[str, str]:
    path = tmp_path / "event.json"
    path.write_text(event if isinstance(event, str) else json.dumps(event))
    return {"GITHUB_EVENT_PATH": str(path), "GITHUB_REPOSITORY": "clinic/agent", **others}


def test_the_pull_request_of_a_workflow(tmp_path: Path) -> None:
    event = {"pull_request": {"number": 7}}
    where = PullRequest.of(environ(tmp_path, event, GITHUB_TOKEN="t0ken"))
    assert where == PullRequest("https://api.github.com", "clinic/agent", 7, "t0ken")
    assert "t0ken" not in repr(where)
    assert PullRequest.of(environ(tmp_path, {"ref": "refs/heads/main"})) is None
    assert PullRequest.of(environ(tmp_path, {"pull_request": None})) is None


def test_what_is_no_workflow_or_has_no_token(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="this is no GitHub workflow"):
        PullRequest.of({})
    with pytest.raises(ConfigError, match="GITHUB_TOKEN is not set"):
        PullRequest.of(environ(tmp_path, {"pull_request": {"number": 7}}))
    with pytest.raises(ConfigError, match="cannot be read"):
        PullRequest.of(environ(tmp_path, "{"))


def test_nobody_answers() -> None:
    with pytest.raises(GithubError, match="GitHub could not be asked"):
        comment(PullRequest("http://127.0.0.1:1", "clinic/agent", 7, "t0ken"), "x\n")
