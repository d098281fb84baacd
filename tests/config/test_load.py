"""Where settings come from, and what a wrong one says."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from lkgate.config import Config, OnMiss, ToolPolicy, load_config
from lkgate.errors import ConfigError
from lkgate.model.event import Json

TOML = """\
[project]
name = "mine"

[tool.lkgate]
recordings = "calls"
gates = ["gates/a.yaml"]

[tool.lkgate.builds.v1]
program = "agents/v1.py"

[tool.lkgate.builds.v2]
module = "mine.agent"
args = ["start"]
env = { MODE = "fast" }
python = ".venv/bin/python"
cwd = "src"

[tool.lkgate.tools]
default = "run"
book = { value = { ok = true } }
cancel = "error"

[tool.lkgate.replay]
models = "record"
workers = 3
"""


def load(cwd: Path, flags: dict[str, Json] | None = None, **environ: str) -> Config:
    return load_config(cwd, environ=environ, flags=flags)


def refused(cwd: Path, flags: dict[str, Json] | None = None, **environ: str) -> str:
    with pytest.raises(ConfigError) as error:
        load(cwd, flags, **environ)
    return str(error.value).replace(str(cwd), "PROJECT")


def test_everything_from_pyproject(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(TOML)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    config = load(below)
    assert config.path == tmp_path / "pyproject.toml"
    assert config.recordings == tmp_path / "calls"
    assert config.gates == (tmp_path / "gates/a.yaml",)
    assert list(config.builds) == ["v1", "v2"]
    assert config.builds["v1"].program == tmp_path / "agents/v1.py"
    v2 = config.builds["v2"]
    assert (v2.program, v2.module, v2.args) == (None, "mine.agent", ("start",))
    assert (v2.env, v2.python, v2.cwd) == ({"MODE": "fast"}, ".venv/bin/python", tmp_path / "src")
    assert v2.where == f"{tmp_path}/pyproject.toml:11"
    assert config.tools.default == ToolPolicy("run")
    assert config.tools.by_name == {
        "book": ToolPolicy("value", {"ok": True}),
        "cancel": ToolPolicy("error"),
    }
    assert [policy.as_json() for policy in config.tools.by_name.values()] == [
        {"value": {"ok": True}},
        "error",
    ]
    assert (config.replay.models, config.replay.workers, config.replay.seed) == ("record", 3, 0)


def test_the_same_in_yaml(tmp_path: Path) -> None:
    (tmp_path / "lkgate.yaml").write_text(
        "recordings: calls\nbuilds:\n  v1:\n    program: a.py\nreplay: {pacing: absolute}\n"
    )
    config = load(tmp_path)
    assert config.recordings == tmp_path / "calls"
    assert config.builds["v1"].where == f"{tmp_path}/lkgate.yaml:3:3"
    assert config.replay.pacing == "absolute"


def test_without_a_file_there_are_defaults(tmp_path: Path) -> None:
    config = load(tmp_path)
    assert (config.path, config.root) == (None, tmp_path)
    assert (config.recordings, config.builds) == (tmp_path / "recordings", {})
    assert config.tools.default == ToolPolicy("error")


def test_a_pyproject_without_our_table_is_passed_by(tmp_path: Path) -> None:
    (tmp_path / "lkgate.yaml").write_text("recordings: up\n")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert load(inner).recordings == tmp_path / "up"


def test_builds_that_are_no_python_program(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.lkgate.builds.node]\n"
        "command = ['node', 'agent.js', 'start']\n"
        "cwd = 'js'\n"
        "[tool.lkgate.builds.prod]\n"
        "url = 'wss://clinic.example'\n"
        "agent_name = 'intake'\n"
        "pipeline = 'realtime'\n"
    )
    builds = load(tmp_path).builds
    node, prod = builds["node"], builds["prod"]
    assert node.command == ("node", "agent.js", "start")
    assert (node.cwd, node.pipeline, node.url) == (tmp_path / "js", "cascade", None)
    assert (prod.url, prod.agent_name) == ("wss://clinic.example", "intake")
    assert (prod.pipeline, prod.command) == ("realtime", None)


def test_flag_over_variable_over_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(TOML)
    assert load(tmp_path, LKGATE_MODELS="live").replay.models == "live"
    flags: dict[str, Json] = {"replay.models": "cassette", "replay.workers": None}
    config = load(tmp_path, flags, LKGATE_MODELS="live", LKGATE_WORKERS="2")
    assert (config.replay.models, config.replay.workers) == ("cassette", 2)


def test_paths_outside_the_file_are_relative_to_the_caller(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(TOML)
    below = tmp_path / "below"
    below.mkdir()
    config = load(below, {"recordings": "r"}, LKGATE_GATES=f"a.yaml{os.pathsep}/b.yaml")
    assert config.recordings == below / "r"
    assert config.gates == (below / "a.yaml", Path("/b.yaml"))


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        (
            "[tool.lkgate]\nrecordngs = 'x'\n",
            "PROJECT/pyproject.toml:2: unknown setting `recordngs`\n"
            "  Did you mean `recordings`? "
            "Known here: builds, gates, judgements, judges, prices, recordings, replay, tools.",
        ),
        (
            "[tool.lkgate.builds.v1]\nprogram = 'x.py'\n\n[tool.lkgate.builds.v2]\nargs = ['x']\n",
            "PROJECT/pyproject.toml:4: `builds.v2` needs one of `program`, "
            "`module`, `command` and `url`",
        ),
        (
            "[tool.lkgate.builds.v1]\nprogram = 'x.py'\nmodule = 'x'\n",
            "PROJECT/pyproject.toml:1: `builds.v1` needs one of `program`, "
            "`module`, `command` and `url`",
        ),
        (
            "[tool.lkgate.builds.v1]\nurl = 'wss://a.example'\n",
            "PROJECT/pyproject.toml:1: `builds.v1` has a `url` and no `agent_name`\n"
            "  Name the deployed agent: it is dispatched by its name.",
        ),
        (
            "[tool.lkgate.builds.v1]\ncommand = ['node', 'a.js']\npipeline = 'realtme'\n",
            'PROJECT/pyproject.toml:3: `builds.v1.pipeline` cannot be "realtme"\n'
            "  Did you mean `realtime`? It is one of: cascade, realtime.",
        ),
        (
            "[tool.lkgate.tools]\nbook = 'maybe'\n",
            'PROJECT/pyproject.toml:2: `tools.book` is "error", "run" or {value = ...}, '
            'not "maybe"',
        ),
        *(
            (
                f'[tool.lkgate.builds.v1]\nprogram = "a.py"\n{one} = {value}\n',
                f'PROJECT/pyproject.toml:3: `builds.v1.{name}` cannot be "a\\u0000": it '
                "holds a null character, or half of a character",
            )
            for one, value, name in (
                ("cwd", r'"a\u0000"', "cwd"),
                ("python", r'"a\u0000"', "python"),
                ("args", r'["-v", "a\u0000"]', "args.1"),
                ("env.NAME", r'"a\u0000"', "env.NAME"),
            )
        ),
        (
            '[tool.lkgate]\ngates = ["a\\u0000"]\n',
            'PROJECT/pyproject.toml:2: `gates.0` cannot be "a\\u0000": it holds a null character, '
            "or half of a character",
        ),
        (
            "[tool.lkgate.builds.v1]\nprogram = 'a.py'\nenv = {'A=B' = 'x'}\n",
            "PROJECT/pyproject.toml:3: `builds.v1.env`: 'A=B' does not match '^[^=\\\\u0000]+$'",
        ),
        (
            "[tool.lkgate.replay]\nworkers = 0\n",
            "PROJECT/pyproject.toml:2: `replay.workers`: 0 is less than the minimum of 1",
        ),
        (
            "\n[tool.lkgate.build.v1]\nprogram = 'a.py'\n",
            "PROJECT/pyproject.toml:2: unknown setting `build`\n"
            "  Did you mean `builds`? "
            "Known here: builds, gates, judgements, judges, prices, recordings, replay, tools.",
        ),
        (
            "[tool.lkgate]\nwall_limit_s = 5\n",
            "PROJECT/pyproject.toml:2: unknown setting `wall_limit_s`\n"
            "  Did you mean `replay.wall_limit_s`? "
            "Known here: builds, gates, judgements, judges, prices, recordings, replay, tools.",
        ),
        (
            "[tool.lkgate.replay]\nmodels = 'casette'\n",
            'PROJECT/pyproject.toml:2: `replay.models` cannot be "casette"\n'
            "  Did you mean `cassette`? It is one of: cassette, record, live.",
        ),
        (
            "[tool.lkgate\n",
            "PROJECT/pyproject.toml:1:13: not valid TOML: "
            "Expected ']' at the end of a table declaration",
        ),
        ("[tool]\nlkgate = 3\n", "PROJECT/pyproject.toml: [tool.lkgate] is a table"),
    ],
)
def test_a_wrong_pyproject(tmp_path: Path, toml: str, says: str) -> None:
    (tmp_path / "pyproject.toml").write_text(toml)
    assert refused(tmp_path) == says


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "replay:\n  modls: live\n",
            "PROJECT/lkgate.yaml:2:3: unknown setting `replay.modls`\n"
            "  Did you mean `models`? Known here: link_latency_ms, load_limit_s, models, "
            "on_miss, pacing, patience_s, seed, wall_limit_s, workers.",
        ),
        (
            "gates: [a.yaml, 3]\n",
            "PROJECT/lkgate.yaml:1:17: `gates.1` must be text, not 3",
        ),
        (
            "recordings: a\nrecordings: b\n",
            "PROJECT/lkgate.yaml:2:1: the key `recordings` stands here twice\n"
            "  It is on line 1 already; keep one of them.",
        ),
        (
            "recordings: [a\n",
            "PROJECT/lkgate.yaml:2:1: this is not YAML: while parsing a flow sequence, "
            "expected ',' or ']', but got '<stream end>'\n  It began on line 1.",
        ),
        ("- a\n", "PROJECT/lkgate.yaml:1:1: the settings are a mapping"),
    ],
)
def test_a_wrong_yaml(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "lkgate.yaml").write_text(text)
    assert refused(tmp_path) == says


KNOWN = (
    "Known: LKGATE_RECORDINGS, LKGATE_GATES, LKGATE_MODELS, LKGATE_ON_MISS, LKGATE_PACING, "
    "LKGATE_WORKERS, LKGATE_WALL_LIMIT_S, LKGATE_LOAD_LIMIT_S, LKGATE_PATIENCE_S, "
    "LKGATE_LINK_LATENCY_MS, LKGATE_SEED."
)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("LKGATE_WORKER", "LKGATE_WORKERS"),
        ("LKGATE_MODEL", "LKGATE_MODELS"),
        ("LKGATE_GATE", "LKGATE_GATES"),
        ("LKGATE_LINK_LATENCY", "LKGATE_LINK_LATENCY_MS"),
        ("LKGATE_WALL_LIMIT_MS", "LKGATE_WALL_LIMIT_S"),
    ],
)
def test_a_misspelt_variable_is_not_lost(tmp_path: Path, name: str, meant: str) -> None:
    said = refused(tmp_path, None, **{name: ""})
    assert said == f"{name}: unknown variable\n  Did you mean {meant}? {KNOWN}"


def test_a_variable_of_somebody_elses_is_told(tmp_path: Path) -> None:
    told: list[str] = []
    environ = {"LKGATE_VERSION": "1", "LKGATE_STATE": "", "LKGATE_CASSETTE_DIR": "/c", "HOME": "/"}
    load_config(tmp_path, environ=environ, warn=told.append)
    assert told == [
        f"LKGATE_{x}: unknown variable, ignored\n  {KNOWN}" for x in ("STATE", "VERSION")
    ]


def test_this_projects_own_variables_are_known() -> None:
    """Those in its sources and tests, whoever sets them."""
    root = Path(__file__).parents[2]
    files = [*(root / "lkgate").rglob("*.py"), *(root / "tests").rglob("*.py")]
    words = {
        word
        for path in files
        if path != Path(__file__)
        for word in re.findall(r"""(?<!_)(LKGATE_[A-Z_]*[A-Z])["']""", path.read_text("utf-8"))
    }
    told: list[str] = []
    environ = dict.fromkeys(words, "")
    load_config(Path("/"), environ=environ, warn=told.append)
    assert len(words) > 10 and told == []


def test_a_wrong_variable_is_named(tmp_path: Path) -> None:
    assert refused(tmp_path, LKGATE_WORKERS="many") == "LKGATE_WORKERS: 'many' is not a number"
    assert refused(tmp_path, LKGATE_MODELS="x") == (
        'LKGATE_MODELS: `replay.models` cannot be "x"\n  It is one of: cassette, record, live.'
    )
    assert refused(tmp_path, {"replay.wall_limit_s": 0}) == (
        "--wall-limit-s: `replay.wall_limit_s`: 0 is less than or equal to the minimum of 0"
    )


def test_two_files_in_one_directory_are_one_too_many(tmp_path: Path) -> None:
    (tmp_path / "lkgate.yaml").write_text("recordings: a\n")
    (tmp_path / "pyproject.toml").write_text("[tool.lkgate]\nrecordings = 'b'\n")
    assert refused(tmp_path) == (
        "PROJECT/lkgate.yaml: settings both here and in [tool.lkgate] of pyproject.toml beside it\n"
        "  Keep one of the two."
    )


def test_what_happens_on_a_miss_is_set_by_modality(tmp_path: Path) -> None:
    (tmp_path / "lkgate.yaml").write_text("replay: {on_miss: {tts: estimate, stt: live}}\n")
    assert load(tmp_path).replay.on_miss == OnMiss(stt="live", tts="estimate")
    assert load(tmp_path).replay.on_miss.live
    flagged = load(tmp_path, {"replay.on_miss.stt": "error"})
    assert flagged.replay.on_miss == OnMiss(tts="estimate")
    assert not flagged.replay.on_miss.live
    told = load(tmp_path, LKGATE_ON_MISS="llm=live, tts=live")
    assert told.replay.on_miss == OnMiss(llm="live", tts="live")
    assert refused(tmp_path, LKGATE_ON_MISS="llm") == (
        'LKGATE_ON_MISS: `replay.on_miss.llm` cannot be ""\n  It is one of: error, live.'
    )
    assert refused(tmp_path, {"replay.on_miss.llm": "estimate"}) == (
        '--on-miss llm: `replay.on_miss.llm` cannot be "estimate"\n  It is one of: error, live.'
    )


def test_a_path_is_what_a_file_can_be_named(tmp_path: Path) -> None:
    settings = tmp_path / "lkgate.yaml"
    settings.write_text(r'recordings: "\ud800"')
    assert r'PROJECT/lkgate.yaml:1:1: `recordings` cannot be "\ud800": ' in refused(tmp_path)
    settings.write_text("")
    foreign = os.fsdecode(b"caf\xe9")
    assert load(tmp_path, {"recordings": foreign}).recordings == tmp_path / foreign
