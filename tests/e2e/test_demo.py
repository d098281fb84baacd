"""The program on this repository's own recordings, as its CI and its README run it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from lkgate.report.json import schema

ROOT = Path(__file__).parents[2]


def lkgate(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lkgate", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=280,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the settings, the gate, one recording and the demo's programs."""
    for name in ("pyproject.toml", "gates", "lkgate/demo/clinic"):
        source = ROOT / name
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    call = sorted(path for path in (ROOT / "recordings").iterdir() if path.is_dir())[0]
    shutil.copytree(call, tmp_path / "recordings" / call.name)
    gate = tmp_path / "gates" / "demo.yaml"
    head, _, rest = gate.read_text().partition("calls:\n")
    # One call carries no p95, and is no sample of the calls to come.
    rules = rest.partition("rules:")[2].replace("aggregate: p95", "aggregate: max")
    rules = rules.replace("max_increase: 40 ms", "max_increase: 40 ms\n    about: these_calls")
    gate.write_text(f"{head}calls: [{call.name}]\n\nrules:{rules}")
    return tmp_path


def test_the_good_build_passes() -> None:
    done = lkgate("replay", "--against", "v2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("PASS  v2: ")
    assert "times real time" in done.stderr


def test_a_recording_that_is_gone_is_missed(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "gates/demo.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "lkgate/demo/clinic", tmp_path / "lkgate/demo/clinic")
    shutil.copytree(ROOT / "recordings", tmp_path / "recordings")
    shutil.rmtree(tmp_path / "recordings" / "nurse")
    done = lkgate("replay", "--against", "v2", cwd=tmp_path)
    assert done.returncode == 3, done.stdout + done.stderr
    assert done.stdout.startswith("NO VERDICT  v2: ")
    assert (
        "    nurse: the gate names this call, and there is no recording of it\n"
        "      Restore the recording `nurse`, or take it out of `calls:` in gates/demo.yaml.\n"
    ) in done.stdout


def test_some_of_the_calls_are_no_pass() -> None:
    done = lkgate("replay", "book", "--against", "v2")
    assert done.returncode == 3, done.stdout + done.stderr
    assert ", 1 of 9 calls\n" in done.stdout
    assert "Left out, so this cannot be a pass: barge-in, change-of-mind, " in done.stdout
    failed = lkgate("replay", "book", "--against", "v3")
    assert failed.returncode == 1, failed.stdout + failed.stderr


def test_the_baseline_build_passes() -> None:
    done = lkgate("replay", "--against", "v1")
    assert done.returncode == 0, done.stdout + done.stderr


def test_three_faults_are_named_and_nothing_else() -> None:
    done = lkgate("replay", "--against", "v3", "--format", "json")
    assert done.returncode == 1, done.stdout + done.stderr
    report = json.loads(done.stdout)
    jsonschema.validate(report, schema())
    failed = {
        found["rule"]: found
        for found in report["findings"]
        if found["status"] == "fail" and found["severity"] == "error"
    }
    assert set(failed) == {"barge-ins-ignored", "tool-arguments", "response-latency"}
    for found in failed.values():
        for place in found["evidence"]:
            assert place["call"]
            assert place["turn"] is not None
            assert place["span"]["end_us"] >= place["span"]["start_us"]
    assert not [found for found in report["findings"] if found["status"] == "no_verdict"]


def test_replays_of_one_call_have_one_digest(project: Path) -> None:
    done = lkgate("replay", "--against", "v2", "--verify", "3", "--no-gate", cwd=project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 replays, one digest: " in done.stderr


def test_what_was_remembered_changes_no_digest(project: Path) -> None:
    def digest() -> str:
        done = lkgate("replay", "--against", "v2", "--no-gate", cwd=project)
        assert done.returncode == 0, done.stdout + done.stderr
        (replayed,) = (project / ".lkgate/replays/v2").iterdir()
        return str(json.loads((replayed / "manifest.json").read_text())["digest"])

    first = digest()
    (memory,) = (project / ".lkgate/memory/v2").iterdir()
    files = sorted(memory.iterdir())
    assert {path.name.partition("-")[0] for path in files} == {"gain", "turns", "voice"}
    before = [path.read_bytes() for path in files]
    assert digest() == first
    assert [path.read_bytes() for path in files] == before  # nothing was computed
    for path in files:
        held = path.read_bytes()
        path.write_bytes(held[: len(held) // 2] + b"!" + held[len(held) // 2 :])
    assert digest() == first


def test_one_altered_byte_in_a_recording_is_exit_2(project: Path) -> None:
    for path in sorted((project / "recordings").rglob("*")):
        if not path.is_file() or "baseline" in path.parts:
            continue
        sound = path.read_bytes()
        middle = len(sound) // 2
        path.write_bytes(sound[:middle] + bytes([sound[middle] ^ 1]) + sound[middle + 1 :])
        done = lkgate("replay", "--against", "v2", cwd=project)
        assert done.returncode == 2, f"{path}: {done.stdout}{done.stderr}"
        assert done.stdout == ""
        path.write_bytes(sound)
        if path.parent.name == "blobs":
            break  # one blob stands for all: they are read by one piece of code


def test_a_rule_without_data_has_no_verdict(project: Path) -> None:
    (project / "gates" / "demo.yaml").write_text(
        "version: 1\nname: nothing to judge\nrules:\n"
        "  - id: many-turns\n    metric: response_latency\n    aggregate: max\n"
        "    max: 60 s\n    min_n: 1000\n"
    )
    done = lkgate("replay", "--against", "v2", cwd=project)
    assert done.returncode == 3, done.stdout + done.stderr
    assert done.stdout.startswith("NO VERDICT  v2: ")


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            "aggregate: p99, max: 60 s",
            "a p99 needs 100 samples out of 20 calls, and the 1 recording gives 9\n"
            "  Of fewer it is the largest of one call: record more calls, or use max or mean.\n",
        ),
        (
            "aggregate: max, max: 60 s, where: {accent: welsh}",
            "no recording has accent `welsh`\n  There are: american.\n",
        ),
        (
            "aggregate: max, max: 60 s, by: acent",
            "no recording's labels say its `acent`\n  Did you mean `accent`?\n",
        ),
        (
            "aggregate: mean, max_gap: 100 ms, max_gap_between: accent",
            "every recording has accent `american`, and a gap needs two levels\n  Record calls of "
            "another one, or leave the rule out.\n",
        ),
    ],
)
def test_what_the_recordings_cannot_answer_is_refused_before_they_are_replayed(
    project: Path, rule: str, message: str
) -> None:
    (project / "gates" / "demo.yaml").write_text(
        f"version: 1\nrules:\n  - {{id: slow, metric: response_latency, {rule}}}\n"
    )
    done = lkgate("replay", "--against", "v2", cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: gates/demo.yaml: the rule `slow`: {message}"


def test_without_a_baseline_there_is_no_verdict(project: Path) -> None:
    call = next((project / "recordings").iterdir())
    shutil.rmtree(call / "baseline")
    done = lkgate("replay", "--against", "v2", cwd=project)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "lkgate accept" in done.stdout


def test_a_cassette_that_grew_is_noted_and_a_changed_one_is_no_baselines(project: Path) -> None:
    call = next((project / "recordings").iterdir())
    index = call / "cassette" / "index.jsonl"
    first, *others = index.read_text(encoding="utf-8").splitlines(keepends=True)
    line = json.loads(first)
    new = json.dumps({**line, "key": "0" * 64, "ordinal": 0}) + "\n"
    index.write_text("".join([first, *others, new]), encoding="utf-8")
    assert lkgate("seal", str(call), cwd=project).returncode == 0
    grown = lkgate("replay", "--against", "v2", cwd=project)
    assert f"The cassette has grown since the baseline was made: {call.name}\n" in grown.stdout
    assert "the baseline is stale" not in grown.stdout
    changed = json.dumps({**line, "t_us": line["t_us"] + 1}) + "\n"
    index.write_text("".join([changed, *others]), encoding="utf-8")
    assert lkgate("seal", str(call), cwd=project).returncode == 0
    done = lkgate("accept", "--build", "v2", "--yes", cwd=project)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "the cassette that answered this replay was changed since" in done.stderr
    done = lkgate("replay", "--against", "v2", cwd=project)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "exchanges of the cassette that answered it were changed" in done.stdout


@pytest.mark.parametrize(
    ("program", "code", "message"),
    [
        ("raise RuntimeError('no luck')\n", 4, "no luck"),
        ("import nowhere_to_be_found\n", 4, "nowhere_to_be_found"),
        ("import sys\nsys.exit(3)\n", 4, "3"),
        ("print('no agent here')\n", 4, "AgentServer"),
        ("def broken(:\n", 4, "agent.py"),
    ],
    ids=["raises", "missing-import", "exits", "no-server", "syntax"],
)
def test_a_build_that_does_not_load_is_exit_4(
    project: Path, program: str, code: int, message: str
) -> None:
    (project / "agent.py").write_text(program)
    done = lkgate("replay", "--against", "agent.py", cwd=project)
    assert done.returncode == code, done.stdout + done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_what_a_call_leaves_running_ends_with_the_replay(project: Path) -> None:
    program = (project / "lkgate/demo/clinic/agent_v2.py").read_text()
    leave = (
        "    import pathlib, subprocess\n"
        "    child = subprocess.Popen(['sleep', '300'], start_new_session=True)\n"
        f"    pathlib.Path({str(project)!r}, 'left').write_text(str(child.pid))\n"
    )
    head = "async def answer(ctx: JobContext) -> None:\n"
    (project / "lkgate/demo/clinic/agent_v9.py").write_text(program.replace(head, head + leave))
    done = lkgate("replay", "--against", "lkgate/demo/clinic/agent_v9.py", cwd=project)
    pid = int((project / "left").read_text())
    assert done.returncode in (0, 3, 4), done.stdout + done.stderr
    assert not Path(f"/proc/{pid}").exists() or _state(pid) == "Z"


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_state_directory_that_cannot_be_is_exit_4(project: Path) -> None:
    (project / ".lkgate").write_text("in the way")
    done = lkgate("replay", "--against", "v2", cwd=project)
    assert done.returncode == 4, done.stdout + done.stderr
    assert ".lkgate" in done.stderr and "can be written to" in done.stderr
    assert done.stdout == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_report_that_cannot_be_printed_is_no_bug() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "lkgate", "show", str(ROOT / "recordings/emergency")],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    assert done.returncode == 4, done.stderr
    assert "No space left on device" in done.stderr and "bug" not in done.stderr


def test_the_demo_in_an_empty_directory(tmp_path: Path) -> None:
    done = lkgate("demo", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith(("lkgate-demo$", "exit"))]
    assert told == [
        "lkgate-demo$ lkgate replay --against v2    "
        "# warmer words, quicker to answer: a build that may go out",
        "exit code 0",
        "lkgate-demo$ lkgate replay --against v3 --report html=report.html    "
        "# three faults that no transcript shows: a build that may not",
        "exit code 1",
    ]
    assert "\nPASS  v2: " in done.stdout
    assert "\nFAIL  v3: " in done.stdout
    assert (tmp_path / "lkgate-demo/.lkgate/replays/v3/book/manifest.json").is_file()
    assert ", in one file for a browser: lkgate-demo/report.html\n" in done.stdout
    assert (tmp_path / "lkgate-demo/report.html").is_file()
    again = lkgate("demo", cwd=tmp_path)
    assert (again.returncode, again.stderr) == (
        2, "error: lkgate-demo: there is something already\n  Name another directory.\n",
    )  # fmt: skip
