"""Agent programs are found by reading, in whatever layout their repository has."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lkgate.scaffold import Program, find_programs, read_program

ROOT = Path(__file__).parents[2]
AGENT = """
from livekit.agents import AgentServer, cli
server = AgentServer()
@server.rtc_session()
async def answer(ctx): ...
if __name__ == "__main__":
    cli.run_app(server)
"""


def lay(root: Path, **files: str) -> Path:
    for name, content in files.items():
        path = root / name.replace("__", "/", 1) if "__" in name else root / name
        path = path.with_name(path.name + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


def test_one_file(tmp_path: Path) -> None:
    lay(tmp_path, agent=AGENT, helpers="x = 1")
    assert find_programs(tmp_path) == [Program(Path("agent.py"), None, None, True)]


def test_a_package_with_relative_imports_is_a_module(tmp_path: Path) -> None:
    package = tmp_path / "src" / "clinic" / "voice"
    package.mkdir(parents=True)
    for directory in (package, package.parent):
        (directory / "__init__.py").touch()
    (package / "main.py").write_text("from . import tools\n" + AGENT)
    (package / "__main__.py").write_text("from .main import server\n" + AGENT)
    found = find_programs(tmp_path)
    assert [(one.module, one.directory) for one in found] == [
        ("clinic.voice", Path("src")),
        ("clinic.voice.main", Path("src")),
    ]


def test_what_imports_its_package_by_name_is_a_module(tmp_path: Path) -> None:
    package = tmp_path / "src" / "clinic"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "tools.py").touch()
    (package / "main.py").write_text("from clinic.tools import book\n" + AGENT)
    # A directory that only has the name of the package that it imports.
    (tmp_path / "livekit").mkdir()
    (tmp_path / "livekit" / "agent.py").write_text(AGENT)
    found = {str(one.path): (one.module, one.directory) for one in find_programs(tmp_path)}
    assert found == {
        "src/clinic/main.py": ("clinic.main", Path("src")),
        "livekit/agent.py": (None, None),
    }


def test_what_answers_comes_before_what_only_runs_and_the_nearer_first(tmp_path: Path) -> None:
    only_runs = "from livekit.agents import cli\nfrom app import server\ncli.run_app(server)\n"
    lay(tmp_path, worker=only_runs, deep__agent=AGENT, agent=AGENT)
    assert [str(one.path) for one in find_programs(tmp_path)] == [
        "agent.py", "deep/agent.py", "worker.py",
    ]  # fmt: skip


def test_what_is_nobodys_program_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "env" / "lib").mkdir(parents=True)
    (tmp_path / "env" / "pyvenv.cfg").touch()
    for directory in (".git", "node_modules", "tests", "env/lib"):
        (tmp_path / directory).mkdir(exist_ok=True)
        (tmp_path / directory / "agent.py").write_text(AGENT)
    (tmp_path / "test_agent.py").write_text(AGENT)
    (tmp_path / "broken.py").write_text("def (cli.run_app")
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "binary.py").write_bytes(b"\0\xff cli.run_app")
    (tmp_path / "other.py").write_text("# cli.run_app is only told of here\n")
    assert find_programs(tmp_path) == []


@pytest.mark.parametrize(
    "name", ["simple", "two_agents", "worker_options", "async_main", "own_arguments"]
)
def test_programs_of_other_shapes(name: str) -> None:
    read = read_program(ROOT, ROOT / "tests" / "programs" / f"{name}.py")
    assert read is not None
    assert read.answers
