"""A report as one comment on a pull request, written over by the next run.

REST API of GitHub, issue comments: list, create, update.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Literal

from lkgate.errors import ConfigError, GithubError
from lkgate.model.event import Json

Done = Literal["created", "updated", "refused"]
_TIMEOUT_S = 30
_PAGE = 100
# A thread of more comments than this is not searched any further.
_PAGES = 20


@dataclass(frozen=True, slots=True)
class PullRequest:
    """Where to comment, as a workflow's environment says.

    Attributes:
        api: address of the REST API, without a slash at its end.
        repository: ``owner/name``.
        number: of the pull request.
        token: left out of ``repr``.
    """

    api: str
    repository: str
    number: int
    token: str = field(repr=False)

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
        number = (event.get("pull_request") or {}).get("number")
        if not isinstance(number, int):
            return None
        token = environ.get("GITHUB_TOKEN")
        if not token:
            raise ConfigError(
                "GITHUB_TOKEN is not set",
                next_step="Give the step `env: GITHUB_TOKEN: ${{ github.token }}`.",
            )
        api = environ.get("GITHUB_API_URL", "https://api.github.com").rstrip("/")
        return cls(api, repository, number, token)


def comment(where: PullRequest, body: str) -> Done:
    """Write ``body`` as a comment, over the one that begins with the same line if there is one.

    Returns:
        ``refused`` if the token may not: that of a fork's pull request.

    Raises:
        GithubError: no answer, or one that makes no sense.
    """
    thread = f"/repos/{where.repository}/issues/{where.number}/comments"
    mine = _find(where, thread, body.partition("\n")[0])
    if mine is not None:
        status, _ = _ask(
            where, "PATCH", f"/repos/{where.repository}/issues/comments/{mine}", {"body": body}
        )
        if status == HTTPStatus.OK:
            return "updated"
    status, _ = _ask(where, "POST", thread, {"body": body})
    if status == HTTPStatus.CREATED:
        return "created"
    if status in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
        return "refused"
    raise GithubError(f"GitHub answered {status} to a new comment", where=where.repository)


def _find(where: PullRequest, thread: str, marker: str) -> int | None:
    for one in _comments(where, thread):
        match one:
            case {"id": int(number), "body": str(body)} if body.splitlines()[:1] == [marker]:
                return number
    return None


def _comments(where: PullRequest, thread: str) -> Iterator[Json]:
    for page in range(1, _PAGES + 1):
        status, found = _ask(where, "GET", f"{thread}?per_page={_PAGE}&page={page}", None)
        if status != HTTPStatus.OK or not isinstance(found, list):
            return
        yield from found
        if len(found) < _PAGE:
            return


def _ask(where: PullRequest, method: str, path: str, body: Json) -> tuple[int, Json]:
    request = urllib.request.Request(
        where.api + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {where.token}",
            "Accept": "application/vnd.github+json",
            "Content-Type": "application/json",
            "X-GitHub-Api-Version": "2022-11-28",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, None
    except (OSError, ValueError) as error:
        raise GithubError(
            f"GitHub could not be asked: {error}",
            where=where.api,
            next_step="The report itself is complete; run the job again for the comment.",
        ) from error
