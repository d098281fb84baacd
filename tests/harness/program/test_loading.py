"""A program that does not load says so in one message: what, where, what to do next."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.harness.program.loader import load_all

SERVER = """
from livekit.agents import AgentServer, cli
server = AgentServer()
@server.rtc_session()
async def answer(ctx):
    pass
"""

# Name: source.
PROGRAMS = {
    "good": SERVER + "cli.run_app(server)\n",
    "catches_everything": "import sys\ndef main():\n"
    + textwrap.indent(SERVER, "    ")
    + "    try:\n        cli.run_app(server)\n    except:\n        sys.exit(1)\nmain()\n",
    "starts_in_a_thread": "import threading\ndef main():\n"
    + textwrap.indent(SERVER, "    ")
    + "    worker = threading.Thread(target=cli.run_app, args=(server,))\n"
    "    worker.start()\n    worker.join()\nmain()\n",
    "starts_among_other_tasks": SERVER + "import asyncio\nasync def main():\n"
    "    await asyncio.gather(asyncio.sleep(1e6), server.run())\nasyncio.run(main())\n",
    "exits": "import sys\nsys.exit('no licence')\n",
    "exits_well": "import sys\nsys.exit()\n",
    "exits_at_once": "import os\nos._exit(5)\n",
    "exits_by_argparse": "import argparse\nparser = argparse.ArgumentParser()\n"
    "parser.add_argument('--persona', required=True)\nparser.parse_args()\n",
    "raises": "def settings():\n    raise ValueError('the settings are wrong')\nsettings()\n",
    "raises_interrupt": "raise KeyboardInterrupt\n",
    "lacks_a_package": "import json\nimport a_package_that_nobody_has\n",
    "lacks_a_name": "from json import does_not_exist\n",
    "lacks_a_variable": "import os\nos.environ['CLINIC_DATABASE']\n",
    "lacks_a_file": "open('prompt.txt')\n",
    "is_no_python": "server = AgentServer(\n",
    "is_no_text": "caf\udce9 = 1\n",
    "crashes": "import ctypes\nctypes.string_at(0)\n",
    "waits_for_ever": "import threading\nthreading.Event().wait()\n",
    "sleeps_for_ever": "import time\nwhile True:\n    time.sleep(60)\n",
    "awaits_for_ever": "import asyncio\nasyncio.run(asyncio.Event().wait())\n",
    "polls_for_ever": "import asyncio\nasync def poll():\n    while True:\n"
    "        await asyncio.sleep(1)\nasyncio.run(poll())\n",
    "has_nothing": "print('nothing to serve')\n",
    "has_no_session": "from livekit.agents import AgentServer\nserver = AgentServer()\n",
    "has_several": SERVER.replace("server", "inbound") + SERVER.replace("server", "outbound"),
    "forks": "import os\nif os.fork() == 0:\n    raise SystemExit(1)\nos.wait()\n" + SERVER,
    "closes_output": "import sys\nsys.stdout.close()\nsys.stderr.close()\n" + SERVER,
}

Answers = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("programs")


@pytest.fixture(scope="module")
def answers(work: Path) -> Answers:
    for name, source in PROGRAMS.items():
        (work / f"{name}.py").write_text(source, encoding="utf-8", errors="surrogateescape")
    package = work / "desk"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text("from .words import GREETING\n")
    (package / "words.py").write_text(textwrap.dedent("raise LookupError('no words')\n"))
    messages: dict[str, dict[str, Any]] = {
        name: {"program": str(work / f"{name}.py")} for name in PROGRAMS
    }
    messages["absent"] = {"program": str(work / "absent.py")}
    messages["directory"] = {"program": str(package)}
    messages["module_fails"] = {"module": "desk"}
    messages["module_absent"] = {"module": "reception"}
    messages["module_without_main"] = {"module": "json"}
    return load_all(work, messages)


@pytest.mark.parametrize(
    "name",
    [
        "good",
        "catches_everything",
        "starts_in_a_thread",
        "starts_among_other_tasks",
        "forks",
        "closes_output",
    ],
)
def test_programs_that_load(answers: Answers, name: str) -> None:
    assert answers[name] == {"op": "ready", "forks": "after loading"}


@pytest.mark.parametrize(
    ("name", "kind", "message", "line"),
    [
        (
            "exits",
            "build_exit",
            "the program exited saying: no licence before it started a worker",
            2,
        ),
        (
            "exits_well",
            "build_exit",
            "the program exited with status 0 before it started a worker",
            2,
        ),
        (
            "exits_by_argparse",
            "build_exit",
            "the program exited with status 2 before it started a worker",
            4,
        ),
        (
            "exits_at_once",
            "build_crash",
            "the program's process exited at once with status 5 while it was loaded",
            2,
        ),
        (
            "raises",
            "build_import",
            "the program cannot be loaded: ValueError: the settings are wrong",
            2,
        ),
        ("raises_interrupt", "build_import", "the program cannot be loaded: KeyboardInterrupt", 1),
        (
            "lacks_a_package",
            "build_import",
            "ModuleNotFoundError: No module named 'a_package_that_nobody_has'",
            2,
        ),
        (
            "lacks_a_variable",
            "build_import",
            "the program cannot be loaded: KeyError: 'CLINIC_DATABASE'",
            2,
        ),
        (
            "lacks_a_file",
            "build_import",
            "the program cannot be loaded: FileNotFoundError: [Errno 2] No such file or "
            "directory: 'prompt.txt'",
            1,
        ),
        (
            "is_no_python",
            "build_import",
            "the program cannot be loaded: SyntaxError: '(' was never closed "
            "(is_no_python.py, line 1)",
            1,
        ),
        (
            "crashes",
            "build_crash",
            "the program's process was killed by SIGSEGV while it was loaded",
            2,
        ),
        ("has_nothing", "no_server", "the program ended without an agent server", None),
        ("has_no_session", "no_session", "the program's server has no session to start", None),
        (
            "has_several",
            "several_servers",
            "the program has several servers and starts none: inbound, outbound",
            None,
        ),
        ("absent", "build_import", "there is no program: No such file or directory", None),
    ],
)
def test_programs_that_do_not_load(
    answers: Answers, work: Path, name: str, kind: str, message: str, line: int | None
) -> None:
    answer = answers[name]
    assert answer["op"] == "failed"
    error = answer["error"]
    place = f"{work / name}.py" if line is None else f"{work / name}.py:{line}"
    assert (error["kind"], error["message"], error["where"]) == (kind, message, place)
    assert error["next_step"]


@pytest.mark.parametrize(
    ("name", "message", "line"),
    [
        ("waits_for_ever", "the program's module level never goes on: everything waits", 2),
        ("awaits_for_ever", "the program's module level never goes on: everything waits", 2),
        ("sleeps_for_ever", "the program's module level never ends: still running", 3),
        ("polls_for_ever", "the program's module level never ends: still running", 5),
    ],
)
def test_programs_that_load_for_ever(
    answers: Answers, work: Path, name: str, message: str, line: int
) -> None:
    error = answers[name]["error"]
    assert error["kind"] == "build_hang"
    assert error["message"].startswith(message)
    assert error["where"] == f"{work / name}.py:{line}"
    assert "cli.run_app" in error["next_step"]


def test_a_variable_that_the_replay_does_not_pass(answers: Answers) -> None:
    assert answers["lacks_a_variable"]["error"]["next_step"] == (
        "Set CLINIC_DATABASE in the build's `env`: a replay passes no other variables of yours."
    )


def test_a_name_that_a_package_lacks(answers: Answers, work: Path) -> None:
    error = answers["lacks_a_name"]["error"]
    assert error["message"].startswith("ImportError: cannot import name 'does_not_exist'")
    assert error["where"] == f"{work}/lacks_a_name.py:1"


def test_a_module_that_fails_behind_its_main(answers: Answers, work: Path) -> None:
    error = answers["module_fails"]["error"]
    assert error["message"] == "the program cannot be loaded: LookupError: no words"
    assert error["where"] == f"{work}/desk/words.py:1"


def test_modules_that_are_none(answers: Answers) -> None:
    absent, without = answers["module_absent"]["error"], answers["module_without_main"]["error"]
    assert absent["message"] == "No module named reception"
    assert without["message"].startswith("No module named json.__main__; 'json' is a package")
    for error in (absent, without):
        assert error["where"].startswith("-m ")
        assert error["next_step"]


def test_source_that_is_no_text(answers: Answers, work: Path) -> None:
    error = answers["is_no_text"]["error"]
    assert error["message"].startswith("the program cannot be loaded: SyntaxError: (unicode error)")


def test_a_directory_is_no_program(answers: Answers, work: Path) -> None:
    error = answers["directory"]["error"]
    assert error["message"] == "there is no program: Is a directory"
    assert error["where"] == str(work / "desk")
