"""A real process, with the shim on its path and nothing of lkgate's environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import lkgate
from lkgate.cassette import Cassette, merge, read_worker
from lkgate.cassette.merge import Merged

SHIM = Path(lkgate.__file__).parent / "harness" / "shim"
PROGRAM = Path(__file__).with_name("program.py")


def run(code: list[str], parts: Path | None, *more: Path) -> subprocess.CompletedProcess[str]:
    path = [str(SHIM), *map(str, more)]
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(path),
        "OPENAI_API_KEY": "sk-a-secret",
        **({} if parts is None else {"LKGATE_CASSETTE_DIR": str(parts)}),
    }
    return subprocess.run(
        [sys.executable, *code],
        env=environ,
        cwd=SHIM.parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Merged, Cassette]:
    """The program's parts, merged."""
    directory = tmp_path_factory.mktemp("worker")
    done = run([str(PROGRAM)], directory / "parts")
    assert (done.returncode, done.stdout) == (0, "It is nine.\nTrue False\n"), done.stderr
    out = directory / "cassette"
    merged = merge(directory / "parts", out, started_at_unix_us=0, room=None)
    return directory, merged, Cassette.open(out)


def test_every_process_writes_what_it_asked(recorded: tuple[Path, Merged, Cassette]) -> None:
    directory, merged, cassette = recorded
    assert merged.exchanges == {"llm": 2, "tool": 1}
    assert merged.lost == ()
    assert [found.response["value"] for found in cassette.of("tool")] == ["nine"]
    assert len(list((directory / "parts").glob("part-*.jsonl"))) == 2


def test_the_worker_says_its_name(recorded: tuple[Path, Merged, Cassette]) -> None:
    directory, merged, _ = recorded
    assert merged.worker == {"agent_name": "clock", "id": "AW_1"}
    assert read_worker(directory / "parts") == merged.worker
    assert read_worker(directory) is None


def test_the_session_says_what_it_is_made_of(recorded: tuple[Path, Merged, Cassette]) -> None:
    session = recorded[1].session
    assert session["llm"] == {"class": "Clerk", "model": "unknown", "provider": "unknown"}
    assert (session["stt"], session["vad"], session["turn_detection"]) == (None, None, None)
    endpointing, versions = session["endpointing"], session["versions"]
    assert isinstance(endpointing, dict)
    assert isinstance(versions, dict)
    assert endpointing["mode"] == "fixed"
    assert {"python", "livekit", "livekit-agents"} <= versions.keys()


def test_nothing_that_was_written_is_secret(recorded: tuple[Path, Merged, Cassette]) -> None:
    written = [path for path in recorded[0].rglob("*") if path.is_file()]
    assert written
    assert not any(b"sk-a-secret" in path.read_bytes() for path in written)
    first = recorded[2].request(recorded[2].of("llm")[0])["items"]
    assert isinstance(first, list)
    assert first[0] == {"role": "system", "text": "A clock. Its key is [OPENAI_API_KEY]."}


def test_without_a_directory_nothing_is_loaded() -> None:
    code = "import sys, livekit.agents; print('lkgate' in sys.modules)"
    assert run(["-c", code], None).stdout == "False\n"


def test_only_lkgate_becomes_importable(tmp_path: Path) -> None:
    code = "import sys, livekit.agents; print([p for p in sys.path if 'lkgate' in p])"
    assert run(["-c", code], tmp_path).stdout == f"['{SHIM}']\n"


def test_another_sitecustomize_is_run_too(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import os; os.environ['THEIRS'] = __name__")
    code = "import os, sys; print(os.environ['THEIRS'], sys.modules['sitecustomize'].__file__)"
    done = run(["-c", code], tmp_path / "parts", tmp_path)
    assert done.stdout == f"sitecustomize {tmp_path / 'sitecustomize.py'}\n"


def test_a_process_that_cannot_be_recorded_goes_on(tmp_path: Path) -> None:
    (tmp_path / "livekit" / "agents").mkdir(parents=True)
    (tmp_path / "livekit" / "agents" / "__init__.py").write_text("__version__ = '0.1'\n")
    (tmp_path / "livekit" / "__init__.py").write_text("")
    code = "import livekit.agents; print(livekit.agents.__version__)"
    done = run(["-c", code], tmp_path / "parts", tmp_path)
    assert done.stdout == "0.1\n"
    assert done.stderr.startswith("lkgate: this process is not recorded:\nTraceback")


def test_lines_are_json_with_a_time_of_day(recorded: tuple[Path, Merged, Cassette]) -> None:
    lines = [
        json.loads(line)
        for path in (recorded[0] / "parts").glob("part-*.jsonl")
        for line in path.read_text().splitlines()
    ]
    assert {line["kind"] for line in lines} == {"worker", "session", "exchange"}
    assert all(line["t_us"] > 1_600_000_000_000_000 for line in lines if "t_us" in line)
