"""The pytest plugin, as a team uses it: a run of pytest in a project of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOC = (ROOT / "docs/ci.md").read_text("utf-8")
THEIRS = """
import pytest

from lkgate.errors import ConfigError, LkgateError
from lkgate.pytest_plugin import CallReplay, LkgateCall


@pytest.fixture
def book(lkgate_call: LkgateCall) -> CallReplay:
    return lkgate_call("book", against="v3")


def test_what_it_gives(book: CallReplay) -> None:
    assert (book.call, book.bundle.manifest.source) == ("book", "replay")
    assert book.recording.manifest.digest == book.bundle.manifest.recording_digest
    assert [turn.role for turn in book.turns[:3]] == ["agent", "caller", "agent"]
    assert book.measurements["response_latency"].value > 0
    assert (book.path / "manifest.json").is_file()


def test_once_a_run(book: CallReplay, lkgate_call: LkgateCall) -> None:
    assert lkgate_call("book", against="v3") is book


def test_the_fault_of_v3(book: CallReplay) -> None:
    (tool,) = book.tools
    assert tool.name == "book_appointment"
    assert tool.arguments["time"] == "14:30"


def test_nothing_of_that_name(lkgate_call: LkgateCall) -> None:
    with pytest.raises(ConfigError, match="there is no recording 'boook'\\n  Did you mean 'book'"):
        lkgate_call("boook", against="v3")
    with pytest.raises(ConfigError, match="there is no build `v4`"):
        lkgate_call("book", against="v4")


def test_a_call_that_cannot_be_replayed(lkgate_call: LkgateCall) -> None:
    with pytest.raises(LkgateError, match="build `broken`: .*no agent today"):
        lkgate_call("book", against="broken.py")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    shutil.copytree(ROOT / "lkgate/demo/clinic", tmp_path / "lkgate/demo/clinic")
    shutil.copytree(ROOT / "recordings/book", tmp_path / "recordings/book")
    (tmp_path / "broken.py").write_text("raise RuntimeError('no agent today')\n")
    (tmp_path / "test_theirs.py").write_text(THEIRS)
    (snippet,) = re.findall(r"^```python\n(.*?)^```$", DOC, re.DOTALL | re.MULTILINE)
    (tmp_path / "test_doc.py").write_text(snippet)
    return tmp_path


def test_a_team_asserts_on_a_replay(project: Path) -> None:
    # By its module's name, and no plugin by itself: this checkout need not be installed.
    plugin = ("-p", "lkgate.pytest_plugin", "-c", "/dev/null", "--rootdir", ".")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            *plugin,
            "-rA",
            "--tb=line",
            "test_theirs.py",
            "test_doc.py",
        ],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    outcome = {
        line.split("::")[-1].split(" ")[0]: line.split(" ")[0]
        for line in done.stdout.splitlines()
        if "::" in line
    }
    assert outcome == {
        "test_what_it_gives": "PASSED",
        "test_once_a_run": "PASSED",
        "test_the_fault_of_v3": "FAILED",
        "test_nothing_of_that_name": "PASSED",
        "test_a_call_that_cannot_be_replayed": "PASSED",
        "test_it_books_what_was_asked_for": "PASSED",
    }, done.stdout + done.stderr
    assert "'02:30' == '14:30'" in done.stdout


def test_a_run_of_pytest_without_it_pays_nothing() -> None:
    code = (
        "import sys, lkgate.pytest_plugin\n"
        "print([name for name in sys.modules if name.startswith('lkgate')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "['lkgate', 'lkgate.pytest_plugin']\n", done.stderr
