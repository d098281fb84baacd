"""Where a comment goes, whose it may write over, and what is said if it cannot go anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lkgate.cli.comment import command
from lkgate.errors import ConfigError, GithubError
from lkgate.github import PullRequest, comment, stamped
from tests.fake_github import FORBIDDEN, FakeThread, serve

MARKER = "<!-- lkgate: v2 -->"
REPORT = f"{MARKER}\n### ✅ PASS: v2\n\nall held\n"
SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def github() -> Iterator[tuple[PullRequest, FakeThread]]:
    with serve() as (api, thread):
        yield PullRequest(api, "clinic/agent", 7, "t0ken"), thread


def environ(tmp_path: Path, event: object, **others: str) -> dict[str, str]:
    path = tmp_path / "event.json"
    path.write_text(event if isinstance(event, str) else json.dumps(event))
    return {"GITHUB_EVENT_PATH": str(path), "GITHUB_REPOSITORY": "clinic/agent", **others}


def own(body: str, **others: Any) -> dict[str, Any]:
    return {"id": "IC_x", "body": body, "viewerDidAuthor": True, **others}


def test_the_pull_request_of_a_workflow(tmp_path: Path) -> None:
    event = {"pull_request": {"number": 7}}
    where = PullRequest.of(environ(tmp_path, event, GITHUB_TOKEN="t0ken"))
    assert where == PullRequest("https://api.github.com/graphql", "clinic/agent", 7, "t0ken")
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
    with pytest.raises(ConfigError, match="is no event of GitHub"):
        PullRequest.of(environ(tmp_path, []))
    for token in ("t0ken\nX: y", "t0\x00ken", "t0ken\u00e9"):
        with pytest.raises(ConfigError, match="something in it that no token has") as refused:
            PullRequest.of(environ(tmp_path, {"pull_request": {"number": 7}}, GITHUB_TOKEN=token))
        assert "t0" not in str(refused.value)


def test_a_report_names_the_commit_and_links_the_run(tmp_path: Path) -> None:
    event = {"pull_request": {"number": 7, "head": {"sha": SHA}}}
    workflow = {
        "GITHUB_TOKEN": "t0ken", "GITHUB_SERVER_URL": "https://git.example", "GITHUB_RUN_ID": "42",
    }  # fmt: skip
    where = PullRequest.of(environ(tmp_path, event, **workflow))
    assert where is not None
    home = "https://git.example/clinic/agent"
    assert stamped(where, REPORT) == (
        f"{MARKER}\n### ✅ PASS: v2\n\n"
        f"Commit [`0123456789ab`]({home}/commit/{SHA}), [run]({home}/actions/runs/42), "
        f"[reports and replays]({home}/actions/runs/42#artifacts)\n\nall held\n"
    )


def test_it_is_written_over(github: tuple[PullRequest, FakeThread]) -> None:
    where, thread = github
    thread.comments += [own(f"remark {n}") for n in range(130)]
    assert comment(where, REPORT) == "created"
    assert comment(where, f"{MARKER}\nagain") == "updated"
    assert [one["body"] for one in thread.comments[130:]] == [f"{MARKER}\nagain"]
    # Another build's is another one.
    assert comment(where, "<!-- lkgate: v3 -->\nred") == "created"
    assert thread.tokens == {"Bearer t0ken"}


def test_nobody_elses_comment_is_written_over(github: tuple[PullRequest, FakeThread]) -> None:
    where, thread = github
    forged = {"id": "IC_666", "body": f"{MARKER}\nPASS", "viewerDidAuthor": False}
    thread.comments += [dict(forged), {"id": "IC_667", "body": f"{MARKER}\nPASS"}]
    assert comment(where, REPORT) == "created"
    assert thread.comments[0] == forged
    assert thread.comments[2]["body"] == REPORT


def test_the_run_of_an_older_commit_leaves_the_newer_ones_alone(
    github: tuple[PullRequest, FakeThread],
) -> None:
    where, thread = github
    thread.comments.append(own(f"{MARKER}\nof the newer one"))
    of = replace(where, commit=f"https://git.example/clinic/agent/commit/{'f' * 40}")
    assert comment(of, REPORT) == "overtaken"
    assert comment(replace(of, commit=f"https://git.example/{thread.head}"), REPORT) == "updated"
    assert thread.asked == ["list", "list", "update"]


@pytest.mark.parametrize("text", ["hello\nworld", "", "<!-- lkgate: a --> b -->\n", f" {MARKER}\n"])
def test_only_a_report_is_a_comment(github: tuple[PullRequest, FakeThread], text: str) -> None:
    where, thread = github
    with pytest.raises(ConfigError, match="this is no report of lkgate's"):
        comment(where, text)
    assert not thread.asked


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((502, {}, {}), "GitHub answered 502"),
        ((401, {}, {}), "GitHub answered 401"),
        ((403, {"Retry-After": "60"}, {}), "GitHub answered 403"),
        ((403, {"X-RateLimit-Remaining": "0"}, {}), "GitHub answered 403"),
        ((200, {}, b"<html>"), "GitHub could not be asked: "),
        ((200, {}, []), "GitHub's answer is none"),
        ((200, {}, {"data": None}), "GitHub's answer is none"),
        ((200, {}, {"data": {"repository": None}, "errors": [{"message": "slow"}]}), "slow"),
        # The token is for one address.
        ((307, {"Location": "/elsewhere"}, {}), "GitHub answered 307"),
    ],
)
@pytest.mark.parametrize("kind", ["list", "update"])
def test_a_failure_makes_no_second_comment(
    github: tuple[PullRequest, FakeThread],
    kind: str,
    answer: tuple[int, dict[str, str], object],
    says: str,
) -> None:
    where, thread = github
    thread.comments.append(own(REPORT))
    thread.instead[kind] = answer
    with pytest.raises(GithubError, match=says):
        comment(where, REPORT)
    assert thread.asked == ["list", "update"][: 1 + (kind == "update")]
    assert len(thread.comments) == 1


def test_a_list_that_is_none_or_does_not_end(github: tuple[PullRequest, FakeThread]) -> None:
    where, thread = github
    page = {"hasNextPage": True, "endCursor": "1"}
    pull: dict[str, Any] = {
        "id": "PR_7",
        "headRefOid": SHA,
        "comments": {"nodes": [], "pageInfo": page},
    }
    thread.instead["list"] = (200, {}, {"data": {"repository": {"pullRequest": pull}}})
    with pytest.raises(GithubError, match="does not end"):
        comment(where, REPORT)
    pull["comments"]["nodes"] = None
    with pytest.raises(GithubError, match="no list of comments"):
        comment(where, REPORT)
    assert "create" not in thread.asked


@pytest.mark.parametrize("kind", ["list", "create", "update"])
@pytest.mark.parametrize("answer", [(403, {}, {}), (200, {}, {"data": {}, "errors": [FORBIDDEN]})])
def test_a_token_that_may_not(
    github: tuple[PullRequest, FakeThread], kind: str, answer: tuple[int, dict[str, str], object]
) -> None:
    where, thread = github
    if kind == "update":
        thread.comments.append(own(REPORT))
    thread.instead[kind] = answer
    assert comment(where, REPORT) == "refused"
    assert thread.asked[-1] == kind


def test_nobody_answers() -> None:
    with pytest.raises(GithubError, match="GitHub could not be asked"):
        comment(PullRequest("http://127.0.0.1:1", "clinic/agent", 7, "t0ken"), REPORT)


def test_a_file_that_is_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environ(tmp_path, {"pull_request": {"number": 7}}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GITHUB_TOKEN", "t0ken")
    (tmp_path / "report.md").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"report\.md: is no text in UTF-8"):
        CliRunner().invoke(
            command, [str(tmp_path / "report.md")], standalone_mode=False, catch_exceptions=False
        )
