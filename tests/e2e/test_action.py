"""The composite action's own steps, run as a runner runs them, on a good and on a bad build."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
REPLAY = next(step for step in ACTION["runs"]["steps"] if step.get("id") == "replay")
COMMENT = next(s for s in ACTION["runs"]["steps"] if "lkgate comment" in s.get("run", ""))
MARKER = "<!-- lkgate: clinic intake -->"


@dataclass
class Thread:
    """A pull request's comments, and whether the token may write."""

    may_write: bool = True
    comments: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def github() -> Iterator[tuple[str, Thread]]:
    """The three requests of GitHub's REST API for a pull request's comments."""
    thread = Thread()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self, status: int, body: object) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _body(self) -> dict[str, Any]:
            read: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            return read

        def do_GET(self) -> None:
            thread.asked.append(f"GET {self.path}")
            page = int(self.path.rpartition("=")[2])
            self._answer(200, thread.comments[100 * (page - 1) : 100 * page])

        def do_POST(self) -> None:
            thread.asked.append(f"POST {self.path}")
            body = self._body()
            if not thread.may_write:
                return self._answer(403, {"message": "Resource not accessible by integration"})
            thread.comments.append({"id": len(thread.comments) + 1, **body})
            return self._answer(201, thread.comments[-1])

        def do_PATCH(self) -> None:
            thread.asked.append(f"PATCH {self.path}")
            number, body = int(self.path.rpartition("/")[2]), self._body()
            thread.comments[number - 1] |= body
            self._answer(200, thread.comments[number - 1])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}", thread
    server.shutdown()
    serving.join()
    server.server_close()


@dataclass(frozen=True)
class Ran:
    """What the replay step left."""

    code: int
    log: str
    outputs: dict[str, str]
    summary: str
    env: dict[str, str]


def run_replay(tmp: Path, against: str, gate: str = "") -> Ran:
    files = {name: tmp / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for path in files.values():
        path.touch()
    env = {
        **os.environ,
        **{name: str(path) for name, path in files.items()},
        "RUNNER_TEMP": str(tmp),
        "GITHUB_WORKSPACE": str(ROOT),
        "PYTHONPATH": str(ROOT),
        "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])),
    }
    inputs = {"against": against, "gate": gate}
    given = {
        key: inputs[str(text).split("inputs.")[1].split()[0]] for key, text in REPLAY["env"].items()
    }
    done = bash(REPLAY["run"], {**env, **given})
    outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
    return Ran(done.returncode, done.stdout, outputs, files["GITHUB_STEP_SUMMARY"].read_text(), env)


def bash(script: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """As a runner does for `shell: bash`."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=280,
    )  # fmt: skip


def run_comment(ran: Ran, tmp: Path, api: str, event: object) -> str:
    path = tmp / "event.json"
    path.write_text(json.dumps(event))
    env = {
        **ran.env,
        "GITHUB_EVENT_PATH": str(path),
        "GITHUB_REPOSITORY": "clinic/agent",
        "GITHUB_API_URL": api,
        "GITHUB_TOKEN": "t0ken-of-the-job",
        "REPORTS": ran.outputs["reports"],
    }
    done = bash(COMMENT["run"], env)
    assert done.returncode == 0, done.stderr
    assert "t0ken" not in done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_pull_request_that_is_good_and_then_bad(
    tmp_path: Path, github: tuple[str, Thread]
) -> None:
    api, thread = github
    thread.comments += [{"id": n + 1, "body": f"remark {n}"} for n in range(130)]
    event = {"pull_request": {"number": 7}}

    (tmp_path / "good").mkdir()
    good = run_replay(tmp_path / "good", "v2")
    assert (good.code, good.outputs["verdict"]) == (0, "pass"), good.log
    assert "::error" not in good.log
    assert good.summary.startswith(f"{MARKER}\n### ✅ PASS: v2\n")
    assert run_comment(good, tmp_path, api, event) == "created the comment on clinic/agent#7\n"
    assert thread.comments[-1]["body"] == good.summary

    (tmp_path / "bad").mkdir()
    bad = run_replay(tmp_path / "bad", "v3")
    assert (bad.code, bad.outputs["verdict"]) == (1, "fail"), bad.log
    assert bad.log.startswith("FAIL  v3: ")
    titles = [line.split("::")[1] for line in bad.log.splitlines() if line.startswith("::error")]
    assert titles == [
        f"error file=gates/demo.yaml,line={line},title=lkgate%3A {rule} failed (v3)"
        for rule, line in (
            ("barge-ins-ignored", 27),
            ("tool-arguments", 33),
            ("response-latency", 70),
        )
    ]
    assert bad.summary.startswith(f"{MARKER}\n### ❌ FAIL: v3\n")
    assert run_comment(bad, tmp_path, api, event) == "updated the comment on clinic/agent#7\n"
    # In place of the first one, not beside it.
    assert len(thread.comments) == 131
    assert thread.comments[-1]["body"] == bad.summary
    reports = Path(bad.outputs["reports"])
    assert sorted(path.name for path in reports.iterdir()) == [
        "junit.xml",
        "report.md",
        "report.txt",
    ]
    assert ElementTree.parse(reports / "junit.xml").getroot().get("name") == "lkgate v3"

    thread.may_write = False
    thread.comments.clear()
    told = run_comment(bad, tmp_path, api, event)
    assert told == "the token may not comment here (a fork's may not): left out\n"
    told = run_comment(bad, tmp_path, api, {"ref": "refs/heads/main"})
    assert told == "not a pull request: nothing to comment on\n"
    told = run_comment(bad, tmp_path, "http://127.0.0.1:1", event)
    assert told.startswith("::warning::lkgate could not comment, see the log\n")
    assert "error: http://127.0.0.1:1: GitHub could not be asked: " in told


def test_what_could_not_be_judged_says_so(tmp_path: Path) -> None:
    ran = run_replay(tmp_path, "v2", "gates/none.yaml")
    assert (ran.code, ran.outputs["verdict"]) == (2, "error")
    assert ran.summary == "lkgate could not judge: exit code 2, see the log of this step\n"


def test_nothing_of_an_input_is_in_a_script() -> None:
    for step in ACTION["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
