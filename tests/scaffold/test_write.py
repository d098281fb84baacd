"""What is written can be read back by lkgate and by GitHub; what is there stays."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from lkgate.config import load_config
from lkgate.errors import ConfigError
from lkgate.gate.load import load
from lkgate.scaffold import Done, Program, write
from lkgate.scaffold.change import Change, Place, carry_out
from lkgate.scaffold.origin import Origin
from lkgate.scaffold.project import look
from lkgate.scaffold.text import GITIGNORE
from lkgate.scaffold.write import declared, starts

RELEASED = Origin("lkgate==1.2.3")
IGNORED = "".join(f"{line}\n" for line in GITIGNORE)
AGENT = Program(Path("agent.py"), None, None, True)
NEW = ("pyproject.toml", "gates/release.yaml", ".github/workflows/lkgate.yml")


def files_of(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): path.read_text()
        for path in root.rglob("*")
        if path.is_file()
    }


def test_an_empty_repository(tmp_path: Path) -> None:
    done = write(tmp_path, AGENT, RELEASED)
    assert done == [Done("created", name) for name in (*NEW, ".gitignore", ".gitattributes")]
    config = load_config(tmp_path, environ={})
    assert config.builds["candidate"].program == tmp_path / "agent.py"
    assert config.builds["candidate"].python is None
    (path,) = config.gates
    assert len(load(path).rules) == 7


def test_the_second_time_changes_nothing(tmp_path: Path) -> None:
    write(tmp_path, AGENT, RELEASED)
    before = files_of(tmp_path)
    assert {done.what for done in write(tmp_path, AGENT, RELEASED)} == {"kept"}
    assert files_of(tmp_path) == before


def test_what_is_there_is_kept_and_added_to(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "clinic"  # ours')
    (tmp_path / ".gitignore").write_text("*.pyc")
    (tmp_path / "gates").mkdir()
    (tmp_path / "gates" / "release.yaml").write_text("mine")
    done = {one.path: one for one in write(tmp_path, AGENT, RELEASED)}
    assert done["pyproject.toml"].what == "added to"
    assert done["gates/release.yaml"] == Done("kept", "gates/release.yaml", "it is there already")
    assert (tmp_path / "gates" / "release.yaml").read_text() == "mine"
    assert (tmp_path / ".gitignore").read_text() == "*.pyc\n" + IGNORED
    told = (tmp_path / "pyproject.toml").read_text()
    assert told.startswith('[project]\nname = "clinic"  # ours\n\n[tool.lkgate]\n')
    assert tomllib.loads(told)["project"] == {"name": "clinic"}
    assert "pip install ." in (tmp_path / NEW[2]).read_text()


def test_settings_in_yaml_stay_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "lkgate.yaml").write_text("recordings: calls\n")
    why = "it holds settings already; the workflow wants a build `candidate` in it"
    assert write(tmp_path, AGENT, RELEASED)[0] == Done("kept", "lkgate.yaml", why)
    assert not (tmp_path / "pyproject.toml").exists()


def test_a_module_in_a_directory_of_its_own_and_its_environment(tmp_path: Path) -> None:
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    (tmp_path / "requirements.txt").touch()
    (tmp_path / "src").mkdir()
    module = Program(Path("src/clinic/main.py"), "clinic.main", Path("src"), True)
    write(tmp_path, module, RELEASED)
    entry = declared(tmp_path)
    assert entry is not None
    assert starts(entry, tmp_path, module)
    assert not starts(entry, tmp_path, AGENT)
    assert (entry.module, entry.cwd, entry.python) == (
        "clinic.main", tmp_path / "src", ".venv/bin/python",
    )  # fmt: skip
    flow = (tmp_path / NEW[2]).read_text()
    assert "          .venv/bin/pip install -r requirements.txt\n" in flow


def test_a_lock_of_uv(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").touch()
    write(tmp_path, AGENT, RELEASED)
    assert "          uv sync --frozen\n" in (tmp_path / NEW[2]).read_text()


def test_a_pyproject_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool")
    with pytest.raises(ConfigError, match="not valid TOML"):
        write(tmp_path, AGENT, RELEASED)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("pyproject.toml", b"tool = 3", "`tool` is no table"),
        ("pyproject.toml", b"tool = {x = {y = 1}}", "cannot be added at its end"),
        (".gitattributes", "*.png binary\n".encode("utf-16"), "git cannot read this"),
        ("gates", b"", "no directory, so there can be no gates/release.yaml"),
        (".github", b"", "no directory, so there can be no .github/workflows/lkgate.yml"),
    ],
)
def test_what_is_in_the_way_is_found_before_anything_is_written(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        write(tmp_path, AGENT, RELEASED)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_bytes() == content


@pytest.mark.parametrize("name", ["pyproject.toml", "gates", ".gitattributes", ".github"])
@pytest.mark.parametrize("target", ["../outside", "nowhere", "../there"])
def test_no_link_is_written_through(tmp_path: Path, name: str, target: str) -> None:
    root = tmp_path / "agent"
    root.mkdir()
    (tmp_path / "there").mkdir()
    (root / name).symlink_to(target)
    with pytest.raises(ConfigError, match=r"leads nowhere|outside of the repository"):
        write(root, AGENT, RELEASED)
    assert [path.name for path in root.iterdir()] == [name]
    assert [path.name for path in sorted(tmp_path.rglob("*"))] == ["agent", name, "there"]


def test_a_link_within_the_repository_is_followed(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "settings").write_text("")
    (tmp_path / "pyproject.toml").symlink_to("shared/settings")
    (tmp_path / "gates").symlink_to("shared")
    write(tmp_path, AGENT, RELEASED)
    assert (tmp_path / "pyproject.toml").is_symlink()
    assert load_config(tmp_path, environ={}).gates[0].is_file()
    assert (tmp_path / "shared" / "release.yaml").is_file()


def test_what_cannot_be_written_undoes_the_rest(tmp_path: Path) -> None:
    (tmp_path / "settings").write_text("# mine")
    names = ("settings", "gates/deep/release.yaml", "late")
    places = [Place.of(tmp_path / name, name, tmp_path) for name in names]
    # Made by somebody else after all was looked at.
    (tmp_path / "late").write_text("theirs")
    with pytest.raises(FileExistsError):
        carry_out([Change(place, b"added") for place in places])
    assert files_of(tmp_path) == {"settings": "# mine", "late": "theirs"}
    assert not (tmp_path / "gates").exists()


def test_bytes_and_line_ends_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_bytes(b"caf\xe9/\n")
    (tmp_path / "pyproject.toml").write_bytes(b'name = "x"\r\n')
    write(tmp_path, AGENT, RELEASED)
    assert (tmp_path / ".gitignore").read_bytes() == b"caf\xe9/\n" + IGNORED.encode()
    told = (tmp_path / "pyproject.toml").read_bytes()
    assert told.startswith(b'name = "x"\r\n\r\n[tool.lkgate]\r\n')
    assert told.count(b"\n") == told.count(b"\r\n")


@pytest.mark.parametrize("name", ["агент 😀.py", 'a"\\\x7f\x1b.py'])
def test_names_of_programs_that_need_quotes(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    write(tmp_path, Program(Path(name), None, None, True), RELEASED)
    assert load_config(tmp_path, environ={}).builds["candidate"].program == tmp_path / name


def test_a_name_that_no_settings_can_hold(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no UTF-8"):
        write(tmp_path, Program(Path(os.fsdecode(b"ag\xff.py")), None, None, True), RELEASED)
    assert files_of(tmp_path) == {}


def test_below_gits_root_the_workflow_goes_to_gits_root(tmp_path: Path) -> None:
    root = tmp_path / "services" / "voice agent"
    root.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    done = write(root, AGENT, RELEASED)
    name = ".github/workflows/lkgate-services-voice-agent.yml"
    assert Done("created", f"../../{name}", "at git's root, where GitHub looks for it") in done
    assert not (root / ".github").exists()
    flow = yaml.safe_load((tmp_path / name).read_text())
    job = flow["jobs"]["replay"]
    assert job["name"] == "replay services-voice-agent"
    assert job["defaults"]["run"]["working-directory"] == "services/voice agent"
    kept = job["steps"][-1]["with"]["path"].split("\n")
    assert "services/voice agent/.lkgate/replays" in kept
    clean(tmp_path, name)
    with pytest.raises(ConfigError, match="a workflow cannot name this directory"):
        write(tmp_path / "${{ x }}", AGENT, RELEASED)


def test_the_environment_of_a_workspace(tmp_path: Path) -> None:
    root = tmp_path / "services" / "agent"
    root.mkdir(parents=True)
    (tmp_path / ".git").touch()  # as in a worktree
    (tmp_path / "requirements.txt").touch()
    assert look(root).install == ("pip install -r ../../requirements.txt",)
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "python").symlink_to(sys.executable)
    assert look(root).python == "../../venv/bin/python"
    (tmp_path / "uv.lock").touch()
    assert look(root).python == "../../.venv/bin/python"


@pytest.mark.parametrize(
    ("files", "python", "install"),
    [
        (
            ("poetry.lock", ".venv/pyvenv.cfg"),
            ".venv/bin/python",
            "poetry install --no-interaction",
        ),
        (("poetry.lock",), None, "poetry install --no-interaction"),
        (("Pipfile.lock", ".venv/pyvenv.cfg"), ".venv/bin/python", "pipenv sync"),
        (("Pipfile.lock",), None, "pipenv sync --system"),
    ],
)
def test_locks_of_poetry_and_pipenv(
    tmp_path: Path, files: tuple[str, ...], python: str | None, install: str
) -> None:
    (tmp_path / "requirements.txt").touch()
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    tool, *words = install.split()
    variable = {
        ("poetry", True): ["POETRY_VIRTUALENVS_IN_PROJECT=true"],
        ("poetry", False): ["POETRY_VIRTUALENVS_CREATE=false"],
        ("pipenv", True): ["PIPENV_VENV_IN_PROJECT=1"],
        ("pipenv", False): [],
    }[tool, python is not None]
    project = look(tmp_path)
    assert project.python == python
    assert project.install == (f"pip install {tool}", " ".join([*variable, tool, *words]))


def test_a_lock_above_is_named_and_one_that_is_not_the_agents_is_not_taken(tmp_path: Path) -> None:
    root = tmp_path / "a b" / "agent"
    root.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    (tmp_path / "a b" / "poetry.lock").touch()
    (tmp_path / "a b" / "poetry.toml").write_text("[virtualenvs]\nin-project = true\n")
    project = look(root)
    assert project.python == "../.venv/bin/python"
    last = "POETRY_VIRTUALENVS_IN_PROJECT=true poetry -C .. install --no-interaction"
    assert project.install[-1] == last
    (tmp_path / "a b" / "poetry.lock").rename(tmp_path / "a b" / "Pipfile.lock")
    assert (
        look(root).install[-1] == "PIPENV_PIPFILE=../Pipfile PIPENV_VENV_IN_PROJECT=1 pipenv sync"
    )
    (root / "requirements.txt").touch()
    assert look(root).install == ("pip install -r requirements.txt",)


@pytest.mark.parametrize(
    ("name", "content", "version"),
    [
        ("README.md", "", "3.11"),
        (".python-version", "3.12.4\n", "3.12"),
        ("venv/pyvenv.cfg", "home = /usr\nversion = 3.13.0\n", "3.13"),
        (".venv/pyvenv.cfg", "version_info = 3.12.3\n", "3.12"),
        ("pyproject.toml", '[project]\nrequires-python = ">=3.12,<4"', "3.12"),
        ("pyproject.toml", '[project]\nrequires-python = ">=3.9"', "3.11"),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.12"', "3.12"),
        ("Pipfile", '[requires]\npython_version = "3.13"', "3.13"),
    ],
)
def test_the_workflow_takes_the_agents_python(
    tmp_path: Path, name: str, content: str, version: str
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(content)
    assert look(tmp_path).version == version


def test_the_branch_that_the_remote_calls_its_own(tmp_path: Path) -> None:
    assert look(tmp_path).branch == "main"
    (tmp_path / ".git" / "refs" / "remotes" / "origin").mkdir(parents=True)
    head = tmp_path / ".git" / "refs" / "remotes" / "origin" / "HEAD"
    head.write_text("ref: refs/remotes/origin/release/next\n")
    assert look(tmp_path).branch == "release/next"


@pytest.mark.parametrize(
    ("pyproject", "beside", "home"),
    [
        ('[project]\nname = "x"', "clinic", "tests"),
        ('[build-system]\nbuild-backend = "setuptools.build_meta"', "clinic", "tests"),
        ('[build-system]\nbuild-backend = "hatchling.build"', "clinic", "."),
        ('[project]\nname = "x"\n[tool.setuptools]\npackages = ["clinic"]', "clinic", "."),
        ('[project]\nname = "x"', "src", "."),
        ('[project]\nname = "x"', "recordings", "."),
        ("[tool.ruff]", "clinic", "."),
    ],
)
def test_setuptools_finds_no_packages_of_lkgates(
    tmp_path: Path, pyproject: str, beside: str, home: str
) -> None:
    """As it would, where it has to guess what they are, and refuse to build several."""
    (tmp_path / "pyproject.toml").write_text(pyproject)
    (tmp_path / beside).mkdir()
    write(tmp_path, AGENT, RELEASED)
    config = load_config(tmp_path, environ={})
    assert config.recordings == tmp_path / home / "recordings"
    assert config.gates == (tmp_path / home / "gates" / "release.yaml",)
    assert config.gates[0].is_file()
    prefix = "" if home == "." else f"{home}/"
    assert f"\n{prefix}recordings/** -text\n" in (tmp_path / ".gitattributes").read_text()


def test_the_workflow_gets_lkgate_from_where_this_one_came(tmp_path: Path) -> None:
    def last_lines(origin: Origin) -> list[str]:
        (tmp_path / NEW[2]).unlink(missing_ok=True)
        write(tmp_path, AGENT, origin)
        steps = yaml.safe_load((tmp_path / NEW[2]).read_text())["jobs"]["replay"]["steps"]
        (script,) = (step["run"] for step in steps if step.get("name", "").startswith("Install"))
        lines: list[str] = script.splitlines()
        return lines[1:]

    assert last_lines(RELEASED) == ["pip install lkgate==1.2.3"]
    at = "lkgate @ git+https://git.example/o'r/lkgate@0a1b"
    (line,) = last_lines(Origin(at))
    assert shlex.split(line) == ["pip", "install", at]
    assert last_lines(Origin("lkgate==1.2.3", there=False)) == [
        "# This lkgate came from a directory: publish lkgate==1.2.3, or install it from where a "
        "runner gets it.",
        "pip install lkgate==1.2.3",
    ]


def test_what_a_run_leaves_is_kept_by_the_workflow_and_not_by_git(tmp_path: Path) -> None:
    git = ["git", "-C", str(tmp_path)]
    subprocess.run([*git, "init", "-q"], check=True, timeout=60)
    write(tmp_path, AGENT, RELEASED)
    made = ["report.html", "report-2.html", "report-audio/a.flac", "report-2-audio/a.flac"]
    made += ["report.md", "junit.xml", ".lkgate/replays/candidate/x"]
    theirs = ["reports/report.html", "report_gen.py", "report-audio.py", "tests/junit.xml"]
    subprocess.run([*git, "add", "."], check=True, timeout=60)
    for name in (*made, *theirs):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    words = [*git, "ls-files", "--others", "--exclude-standard"]
    seen = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout
    assert sorted(seen.split()) == sorted(theirs)
    upload = yaml.safe_load((tmp_path / NEW[2]).read_text())["jobs"]["replay"]["steps"][-1]
    kept = {path for line in upload["with"]["path"].split() for path in tmp_path.glob(line)}
    assert all(kept & {path, *path.parents} for path in map(tmp_path.joinpath, made))
    assert not any(kept & {path, *path.parents} for path in map(tmp_path.joinpath, theirs))


def test_the_workflow_is_clean(tmp_path: Path) -> None:
    write(tmp_path, AGENT, RELEASED)
    clean(tmp_path, NEW[2])


def clean(root: Path, flow: str) -> None:
    zizmor = Path(sys.executable).with_name("zizmor")
    tools = [[str(zizmor), "--offline", "--quiet", "."]]
    if shutil.which("actionlint"):
        tools.append(["actionlint", flow])
    for tool in tools:
        done = subprocess.run(tool, cwd=root, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_workflow_obeys_nothing_that_a_call_said(tmp_path: Path) -> None:
    list(write(tmp_path, AGENT, RELEASED))
    steps = yaml.safe_load((tmp_path / NEW[2]).read_text())["jobs"]["replay"]["steps"]
    (script,) = (step["run"] for step in steps if step.get("name") == "Replay")
    fake = tmp_path / "lkgate"
    fake.write_text('#!/bin/sh\necho "::add-mask::e"\nprintf "::error::odd" >&2\nexit 3\n')
    fake.chmod(0o755)
    path = os.pathsep.join((str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]))
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        env={"PATH": path}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (3, "")
    stop, *said, resume = done.stdout.splitlines()
    assert said == ["::add-mask::e", "::error::odd"]
    word = stop.removeprefix("::stop-commands::")
    assert resume == f"::{word}::" and len(word) == 64
