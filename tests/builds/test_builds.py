"""What ``--against`` means."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lkgate.builds import environment, identify, resolve
from lkgate.config import Config, load_config
from lkgate.errors import LkgateError
from lkgate.model.bundle import BuildIdentity

TOML = """\
[tool.lkgate.builds.v1]
program = "agents/v1.py"
args = ["console"]
env = { MODE = "a" }

[tool.lkgate.builds.v2]
program = "agents/v2.py"
python = "venv/bin/python"

[tool.lkgate.builds.v3]
program = "agents/v3.py"

[tool.lkgate.builds.packed]
module = "packed.agent"
cwd = "src"

[tool.lkgate.builds.node]
command = ["node", "agent.js", "start"]
cwd = "src"
pipeline = "realtime"

[tool.lkgate.builds.prod]
url = "wss://clinic.example"
agent_name = "clinic-intake"

[tool.lkgate.builds.lost]
module = "lost"
"""


@pytest.fixture
def project(tmp_path: Path) -> Config:
    (tmp_path / "pyproject.toml").write_text(TOML)
    for name in ("agents/v1.py", "agents/helper.py", "src/packed/agent.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("print(1)\n")
    (tmp_path / "src/packed/__init__.py").write_text("")
    return load_config(tmp_path, environ={})


def refused(name: str, config: Config) -> str:
    with pytest.raises(LkgateError) as error:
        resolve(name, config)
    return f"{type(error.value).__name__}: {error.value}".replace(str(config.root), "PROJECT")


def test_a_declared_build(project: Config) -> None:
    build = resolve("v1", project)
    assert build.program == project.root / "agents/v1.py"
    assert (build.python, build.args) == (Path(sys.executable), ("console",))
    assert (build.cwd, build.env) == (project.root, {"MODE": "a"})


def test_a_path(project: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.root / "agents")
    build = resolve("v1.py", project)
    assert (build.name, build.program) == ("v1", project.root / "agents/v1.py")


def test_a_command(project: Config) -> None:
    build = resolve("node", project)
    assert (build.command, build.cwd) == (("node", "agent.js", "start"), project.root / "src")
    assert (build.pipeline, build.virtual) == ("realtime", False)
    # What it runs, nobody can tell.
    assert identify(build) == BuildIdentity("node", None, {})


def test_a_deployed_agent(project: Config) -> None:
    declared = resolve("prod", project)
    named = resolve("agent:clinic-intake@wss://clinic.example", project)
    for build in (declared, named):
        assert (build.url, build.agent_name) == ("wss://clinic.example", "clinic-intake")
        assert not build.virtual
    assert (declared.name, named.name) == ("prod", "clinic-intake")
    # A name may be anything, an address may not.
    assert resolve("agent:a@b@ws://localhost:7880", project).agent_name == "a@b"
    assert "names no deployed agent" in refused("agent:clinic@localhost:7880", project)


def test_names_that_mean_nothing(project: Config) -> None:
    known = "Declared in PROJECT/pyproject.toml: v1, v2, v3, packed, node, prod, lost."
    assert refused("pcked", project) == (
        f"ConfigError: there is no build `pcked`\n  Did you mean `packed`? {known}"
    )
    assert refused("", project) == f"ConfigError: the build's name is empty\n  {known}"
    assert refused("x/none.py", project) == (
        f"ConfigError: x/none.py: there is no such program\n  {known}"
    )
    assert refused(str(project.root / "src"), project) == (
        "ConfigError: PROJECT/src: a build is a program, not a directory\n"
        "  Pass the file that you run, such as `--against PROJECT/src/agent.py`, "
        "or declare it under [tool.lkgate.builds]."
    )
    assert refused("v1", replace(project, builds={})) == (
        "ConfigError: there is no build `v1`\n"
        "  Declare it under [tool.lkgate.builds], or pass the path of a program."
    )


def test_declared_things_that_are_not_there(project: Config) -> None:
    assert refused("v2", project) == (
        "BuildError: PROJECT/pyproject.toml:6: build `v2`: "
        "there is no interpreter PROJECT/venv/bin/python\n"
        "  Create its environment, or correct `python`."
    )
    assert refused("v3", project) == (
        "BuildError: PROJECT/pyproject.toml:10: build `v3`: "
        "there is no program PROJECT/agents/v3.py\n"
        "  Correct `program`: it is relative to the settings' directory."
    )


def test_a_commit_is_told_apart_from_a_typing_error(project: Config) -> None:
    def git(*words: str) -> None:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        command = ["git", "-C", str(project.root), *who, *words]
        subprocess.run(command, check=True, capture_output=True)

    git("init", "-b", "main")
    git("commit", "--allow-empty", "-m", "x")
    assert refused("main", project) == (
        "ConfigError: `main` is a git commit, and lkgate replays programs on disk\n"
        "  Check it out (`git worktree add ../main main`) and pass the path of its program."
    )


def test_an_identity_changes_with_what_is_run(project: Config) -> None:
    build = resolve("v1", project)
    first = identify(build)
    assert first == identify(build)
    assert first.name == "v1" and first.versions["livekit-agents"].startswith("1.")
    assert first.versions["python"] == ".".join(map(str, sys.version_info[:3]))
    digests = {first.digest, identify(replace(build, args=())).digest}
    digests.add(identify(replace(build, env={"MODE": "b"})).digest)
    (project.root / "agents/helper.py").write_text("print(2)\n")
    digests.add(identify(build).digest)
    assert len(digests) == 4


def test_a_module_is_identified_by_its_package(project: Config) -> None:
    build = resolve("packed", project)
    first = identify(build).digest
    (project.root / "agents/v1.py").write_text("print(3)\n")
    assert identify(build).digest == first
    (project.root / "src/packed/__init__.py").write_text("x = 1\n")
    assert identify(build).digest != first


def test_a_module_that_is_not_there(project: Config) -> None:
    with pytest.raises(LkgateError) as error:
        identify(resolve("lost", project))
    assert str(error.value).replace(str(project.root), "PROJECT") == (
        "builds.lost: there is no module `lost` in PROJECT\n"
        "  Set `cwd` to the directory that holds it."
    )


def test_an_interpreter_that_does_not_run(project: Config, tmp_path: Path) -> None:
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\necho no such library >&2\nexit 3\n")
    fake.chmod(0o755)
    with pytest.raises(LkgateError) as error:
        identify(replace(resolve("v1", project), python=fake))
    correct = "Make its environment anew, or correct `python` under [tool.lkgate.builds.v1]."
    assert str(error.value) == (
        f"{fake}: the build's interpreter does not run: no such library\n"
        f"  See what `{fake} -c 0` says. {correct}"
    )
    fake.write_text("#!/bin/sh\nexec sleep 9\n")
    with pytest.raises(LkgateError) as error:
        identify(replace(resolve("v1", project), python=fake), limit_s=0.1)
    assert str(error.value) == (
        f"{fake}: the build's interpreter gave no answer in 0 s\n  {correct}"
    )
    fake.write_bytes(b"\x7fELF no program")
    with pytest.raises(LkgateError) as error:
        identify(replace(resolve("v1", project), python=fake))
    assert str(error.value) == (
        f"{fake}: the build's interpreter does not run: Exec format error\n  {correct}"
    )


def test_a_replay_gets_nothing_of_the_machine(
    project: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("HF_TOKEN", "h")
    monkeypatch.setenv("HF_HOME", "/models")
    monkeypatch.setenv("PYTHONPATH", "/x")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    build = resolve("v1", project)
    closed = environment(build, everything=False)
    assert "OPENAI_API_KEY" not in closed and "PYTHONPATH" not in closed
    assert "HF_TOKEN" not in closed and closed["HF_HOME"] == "/models"
    assert (closed["TZ"], closed["PYTHONHASHSEED"], closed["MODE"]) == ("UTC", "0", "a")
    opened = environment(build, everything=True)
    assert (opened["OPENAI_API_KEY"], opened["HF_TOKEN"]) == ("k", "h")
    assert "PYTHONPATH" not in opened and opened["TZ"] == "UTC"
