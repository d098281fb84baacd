"""GitHub's GraphQL API, as far as a pull request's comments go."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FORBIDDEN = {"type": "FORBIDDEN", "message": "Resource not accessible by integration"}


@dataclass
class FakeThread:
    """A pull request's comments.

    Attributes:
        comments: each with ``id``, ``body`` and ``viewerDidAuthor``.
        asked: ``list``, ``create`` or ``update``, in the order of the requests.
        instead: status, headers and body of an answer to one of these that is not GitHub's usual.
        head: the pull request's newest commit.
        tokens: every ``Authorization`` that came.
    """

    comments: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    instead: dict[str, tuple[int, dict[str, str], object]] = field(default_factory=dict)
    head: str = "0123456789abcdef0123456789abcdef01234567"
    tokens: set[str] = field(default_factory=set)

    def answer(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        if "addComment" in query:
            assert variables["id"] == "PR_7"
            made = {"id": f"IC_{len(self.comments)}", "viewerDidAuthor": True}
            self.comments.append({**made, "body": variables["body"]})
            return {"data": {"addComment": {"clientMutationId": None}}}
        if "updateIssueComment" in query:
            (one,) = [one for one in self.comments if one["id"] == variables["id"]]
            assert one["viewerDidAuthor"]
            one["body"] = variables["body"]
            return {"data": {"updateIssueComment": {"clientMutationId": None}}}
        assert (variables["owner"], variables["name"], variables["number"]) == (
            "clinic", "agent", 7,
        )  # fmt: skip
        first = int(variables["after"] or 0)
        page = {"hasNextPage": first + 100 < len(self.comments), "endCursor": str(first + 100)}
        comments = {"nodes": self.comments[first : first + 100], "pageInfo": page}
        pull = {"id": "PR_7", "headRefOid": self.head, "comments": comments}
        return {"data": {"repository": {"pullRequest": pull}}}


@contextmanager
def serve() -> Iterator[tuple[str, FakeThread]]:
    """Its address, and the thread that it is asked about."""
    thread = FakeThread()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            thread.tokens.add(self.headers["Authorization"])
            read = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            kinds = {"addComment": "create", "updateIssueComment": "update"}
            kind = next((kinds[name] for name in kinds if name in read["query"]), "list")
            thread.asked.append(kind)
            status, headers, body = thread.instead.get(kind, (200, {}, None))
            if body is None:
                body = thread.answer(read["query"], read["variables"])
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    # Asked at every turn whether it shall end.
    serving = threading.Thread(target=server.serve_forever, args=(0.02,))
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/graphql", thread
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
