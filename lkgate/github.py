"""A report as one comment on a pull request, written over by the next run.

GraphQL API of GitHub, for it alone tells any kind of token which comments are its own
(``viewerDidAuthor``): REST's ``/user`` is closed to a workflow's.
"""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Any, Literal

from lkgate.errors import ConfigError, GithubError
from lkgate.model.event import Json

Done = Literal["created", "updated", "refused", "overtaken"]
_TIMEOUT_S = 30
# GitHub closes a thread at 2,500 comments.
_PAGES = 50
_MARKER = re.compile(r"<!-- lkgate: [^<>]* -->")
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_TOKEN = re.compile(r"[!-~]+")

_COMMENTS = """\
query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      id
      headRefOid
      comments(first: 100, after: $after) {
        nodes { id body viewerDidAuthor }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}"""
_CREATE = """\
mutation($id: ID!, $body: String!) {
  addComment(input: {subjectId: $id, body: $body}) { clientMutationId }
}"""
_UPDATE = """\
mutation($id: ID!, $body: String!) {
  updateIssueComment(input: {id: $id, body: $body}) { clientMutationId }
}"""


@dataclass(frozen=True, slots=True)
class PullRequest:
    """Where to comment, as a workflow's environment says.

    Attributes:
        api: address of the GraphQL API.
        repository: ``owner/name``.
        number: of the pull request.
        token: left out of ``repr``.
        commit: of the pull request's branch, its link; ``None`` if the event does not say.
        run: link to the workflow's run; ``None`` outside of one.
    """

    api: str
    repository: str
    number: int
    token: str = field(repr=False)
    commit: str | None = None
    run: str | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> PullRequest | None:
        """The one that the workflow runs for; ``None`` if it runs for something else.

        Raises:
            ConfigError: this is no workflow, or it has no token.
        """
        path, repository = environ.get("GITHUB_EVENT_PATH"), environ.get("GITHUB_REPOSITORY")
        if not path or not repository:
            raise ConfigError(
                "this is no GitHub workflow: GITHUB_EVENT_PATH and GITHUB_REPOSITORY are not set",
                next_step="Run it as a step of a workflow.",
            )
        try:
            event = json.loads(Path(path).read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"cannot be read: {error}", where=path) from error
        match event:
            case {"pull_request": {"number": int(number)}}:
                pass
            case dict():
                return None
            case _:
                raise ConfigError("is no event of GitHub", where=path)
        token = environ.get("GITHUB_TOKEN", "").strip()
        if not token:
            raise ConfigError(
                "GITHUB_TOKEN is not set",
                next_step="Give the step `env: GITHUB_TOKEN: ${{ github.token }}`.",
            )
        if not _TOKEN.fullmatch(token):
            raise ConfigError(
                "GITHUB_TOKEN is no token: there is something in it that no token has",
                next_step="Set the secret again, as one line.",
            )
        api = environ.get("GITHUB_GRAPHQL_URL", "https://api.github.com/graphql")
        home = f"{environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{repository}"
        return cls(
            api, repository, number, token, commit=_commit(event, home), run=_run(environ, home)
        )


def _commit(event: Json, home: str) -> str | None:
    match event:
        # Not GITHUB_SHA: that is a merge which nobody made.
        case {"pull_request": {"head": {"sha": str(commit)}}} if _COMMIT.fullmatch(commit):
            return f"{home}/commit/{commit}"
    return None


def _run(environ: Mapping[str, str], home: str) -> str | None:
    number = environ.get("GITHUB_RUN_ID", "")
    return f"{home}/actions/runs/{number}" if number.isdecimal() else None


def comment(where: PullRequest, report: str) -> Done:
    """Write ``report`` as a comment, over the token's own one that begins with the same line.

    Args:
        report: Markdown of lkgate, whose first line says what it is about.

    Returns:
        ``refused`` if the token may not: that of a fork's pull request; ``overtaken`` if there is
        a newer commit, whose run tells of it before or after this one.

    Raises:
        ConfigError: it is no such report.
        GithubError: no answer, or one that makes no sense; no second comment is made then.
    """
    marker = report.partition("\n")[0]
    if not _MARKER.fullmatch(marker):
        raise ConfigError(
            "this is no report of lkgate's",
            next_step="Write one by `lkgate replay --against BUILD --report markdown=report.md`.",
        )
    body = stamped(where, report)
    try:
        found = _find(where, marker)
        if where.commit is not None and not where.commit.endswith(f"/{found.head}"):
            return "overtaken"
        if found.mine is None:
            _ask(where, _CREATE, {"id": found.thread, "body": body})
            return "created"
        _ask(where, _UPDATE, {"id": found.mine, "body": body})
    except _RefusedError:
        return "refused"
    return "updated"


def stamped(where: PullRequest, report: str) -> str:
    """``report`` with the commit and the run that it is of, below its first heading."""
    links = []
    if where.commit is not None:
        links.append(f"Commit [`{where.commit.rpartition('/')[2][:12]}`]({where.commit})")
    if where.run is not None:
        links.append(f"[run]({where.run})")
        links.append(f"[reports and replays]({where.run}#artifacts)")
    if not links:
        return report
    lines = report.split("\n")
    heading = next((n for n, line in enumerate(lines) if line.startswith("### ")), 0)
    return "\n".join([*lines[: heading + 1], "", ", ".join(links), *lines[heading + 1 :]])


class _RefusedError(Exception):
    """The token may not do this."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A pull request: its id, its newest commit, the token's own comment with a first line."""

    thread: str
    head: str
    mine: str | None


def _find(where: PullRequest, marker: str) -> _Found:
    owner, _, name = where.repository.partition("/")
    after: str | None = None
    for _ in range(_PAGES):
        variables: dict[str, Json] = {
            "owner": owner, "name": name, "number": where.number, "after": after,
        }  # fmt: skip
        match _ask(where, _COMMENTS, variables):
            case {
                "repository": {
                    "pullRequest": {
                        "id": str(thread),
                        "headRefOid": str(head),
                        "comments": {
                            "nodes": list(nodes),
                            "pageInfo": {"hasNextPage": bool(more), **page},
                        },
                    }
                }
            }:
                mine = next((one["id"] for one in nodes if _is_own(one, marker)), None)
            case _:
                raise GithubError("GitHub's answer is no list of comments", where=where.api)
        if mine is not None or not more:
            return _Found(thread, head, mine)
        after = str(page.get("endCursor"))
    raise GithubError("GitHub's list of comments does not end", where=where.api)


def _is_own(node: Json, marker: str) -> bool:
    match node:
        case {"id": str(), "body": str(body), "viewerDidAuthor": True}:
            return body.splitlines()[:1] == [marker]
    return False


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows nothing: the token is for one address."""

    def redirect_request(self, *_: object) -> None:
        return None


def _ask(where: PullRequest, query: str, variables: Mapping[str, Json]) -> Any:
    """The answer's ``data``.

    Raises:
        _RefusedError: the token may not.
        GithubError: anything else but an answer.
    """
    request = urllib.request.Request(
        where.api,
        method="POST",
        data=json.dumps({"query": query, "variables": dict(variables)}).encode(),
        headers={
            "Authorization": f"Bearer {where.token}",
            "Content-Type": "application/json",
            "User-Agent": "lkgate",
        },
    )
    again = "The report itself is complete; run the job again for the comment."
    try:
        with urllib.request.build_opener(_Stay).open(request, timeout=_TIMEOUT_S) as response:
            answer = json.loads(response.read())
    except urllib.error.HTTPError as error:
        if error.code in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND) and not _hurried(
            error.headers
        ):
            raise _RefusedError from error
        raise GithubError(
            f"GitHub answered {error.code}", where=where.api, next_step=again
        ) from error
    except (OSError, ValueError, HTTPException) as error:
        raise GithubError(
            f"GitHub could not be asked: {error}", where=where.api, next_step=again
        ) from error
    match answer:
        case {"errors": [_, *_] as errors}:
            types = {one.get("type") for one in errors if isinstance(one, dict)}
            if types and types <= {"FORBIDDEN", "NOT_FOUND"}:
                raise _RefusedError
            told = [str(one.get("message")) for one in errors if isinstance(one, dict)]
            raise GithubError(
                f"GitHub answered: {'; '.join(told)}", where=where.api, next_step=again
            )
        case {"data": dict(data)}:
            return data
    raise GithubError("GitHub's answer is none", where=where.api, next_step=again)


def _hurried(headers: Message) -> bool:
    """Whether a 403 only says: not so quick."""
    return "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
