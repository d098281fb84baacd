"""The command line as a user meets it: help, exit codes, one clear message for each mistake."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lkgate.bundle import Journal, close_journal, read
from lkgate.cli.main import main
from lkgate.measure import measure, turns_of
from tests.ingest.files import SAID, both, transcript, write

ROOT = Path(__file__).parents[2]


def lkgate(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lkgate", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    journal = Journal.create(
        tmp_path / "open",
        header={"id": "a-call", "source": "record", "room": "clinic", "started_at_unix_us": 1},
    )
    journal.event(0, "connected", {"room": "clinic", "sid": "RM_1"})
    track = journal.track(
        "caller", role="caller", participant="ann", sid="TR_1", sample_rate_hz=8000, offset_us=0
    )
    track.write(bytes(16000))
    journal.finish(duration_us=1_000_000)
    close_journal(tmp_path / "open", tmp_path / "a-call")
    return tmp_path / "a-call"


def test_help_names_every_command_and_exit_code(tmp_path: Path) -> None:
    done = lkgate("--help", cwd=tmp_path)
    assert done.returncode == 0
    for word in ("replay", "record", "show", "check", "accept", "recover", "pack", "0 pass"):
        assert word in done.stdout


def test_a_whole_bundle_checks_and_shows(bundle: Path) -> None:
    done = lkgate("check", bundle.name, cwd=bundle.parent)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("a-call: whole: 1 events, 1 tracks, 1.0 s, digest ")
    shown = lkgate("show", bundle.name, cwd=bundle.parent)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith("a-call: record, room clinic, 1.0 s, 1 events, cassette none\n")


def test_one_altered_byte_in_any_file_is_exit_2(bundle: Path) -> None:
    files = [path for path in sorted(bundle.rglob("*")) if path.is_file()]
    assert len(files) >= 3
    for path in files:
        sound = path.read_bytes()
        path.write_bytes(sound[:-2] + bytes([sound[-2] ^ 1]) + sound[-1:])
        done = lkgate("check", bundle.name, cwd=bundle.parent)
        assert done.returncode == 2, path
        assert done.stderr.startswith("error: "), path
        assert "Traceback" not in done.stderr
        path.write_bytes(sound)


def test_a_packed_bundle_is_the_same_bundle(bundle: Path) -> None:
    assert lkgate("pack", bundle.name, cwd=bundle.parent).returncode == 0
    whole = lkgate("check", bundle.name, cwd=bundle.parent).stdout.partition("digest")[2]
    packed = lkgate("check", bundle.name + ".lkb", cwd=bundle.parent).stdout.partition("digest")[2]
    assert whole == packed != ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["replay"], "Missing option '--against'"),
        (["replay", "--against", "v9"], "there is no build `v9`"),
        (["show", "nothing"], "nothing"),
        (["nonsense"], "No such command 'nonsense'"),
        (["record", "--room", "x"], "LIVEKIT_URL"),
    ],
    ids=["no-build", "unknown-build", "no-bundle", "no-command", "no-credentials"],
)
def test_mistakes_are_exit_2_with_one_message(
    tmp_path: Path, words: list[str], message: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lkgate", *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
    )
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_directory_that_was_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(SystemExit) as ended:
        main(["list"])
    assert ended.value.code == 2
    assert "the directory that this runs in was removed" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        main(["replay", "--wat", "--report", "text=x"])
    assert ended.value.code == 2
    assert "--wat" in capsys.readouterr().err


def test_a_terminal_that_lacks_a_letter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lkgate.yaml").write_text("recordings: агент\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    told = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(told, encoding="latin-1"))
    with pytest.raises(SystemExit) as ended:
        main(["config"])
    sys.stdout.flush()
    assert ended.value.code == 0
    assert rb"\u0430\u0433\u0435\u043d\u0442" in told.getvalue()


def test_an_import_is_a_bundle_like_any_other(tmp_path: Path) -> None:
    """Shown, checked, labelled, sealed and packed."""
    write(tmp_path / "call.wav", both())
    transcript(tmp_path / "call.jsonl", *SAID)
    done = lkgate("import", "call.wav", "call.jsonl", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        f"{tmp_path}/recordings/call\n",
        "Next: lkgate replay recordings/call --against BUILD --no-gate\n",
    )
    shown = lkgate("show", "recordings/call", cwd=tmp_path).stdout
    assert "  no session: imported without a report of the agent's session\n" in shown
    assert "caller  A room, please.  answered after " in shown
    assert "time_to_first_audio  no data: imported: nothing tells when the caller came" in shown
    (tmp_path / "recordings" / "call" / "labels.yaml").write_text(
        "reviewed: true\ncaller: [Hello., 'A broom, please.']\n"
        "tools: []\noutcome: null\ncohort: {}\n"
    )
    assert lkgate("seal", "recordings/call", cwd=tmp_path).returncode == 0
    assert lkgate("check", "recordings/call", cwd=tmp_path).returncode == 0
    bundle = read(tmp_path / "recordings" / "call")
    found = measure(bundle, turns_of(bundle), bundle.labels)["word_error_rate"]
    assert found.value == 1 / 4
    assert lkgate("pack", "recordings/call", cwd=tmp_path).returncode == 0


def test_an_import_warns_of_what_a_replay_needs(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", both())
    words = ("import", "a.wav", "--channels", "caller,none", "--id", "my call", "--out", "here")
    done = lkgate(*words, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "here\n")
    assert done.stderr == (
        "warning: no agent audio: none of the imported channels is theirs\n"
        "Next: lkgate replay here --against BUILD --no-gate\n"
    )
    again = lkgate(*words, cwd=tmp_path)
    assert (again.returncode, again.stdout) == (2, "")
    assert again.stderr == (
        "error: here: already exists\n  Choose another place with --out, or move it away.\n"
    )
    wrong = lkgate("import", "a.wav", "--channels", "caler,agent", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "'caler' is none of caller, agent, other, mixed, none" in wrong.stderr


def test_a_gate_file_that_is_wrong_says_where(tmp_path: Path, bundle: Path) -> None:
    shutil.copytree(bundle, tmp_path / "recordings" / "a-call")
    (tmp_path / "agent.py").write_text("")
    (tmp_path / "gate.yaml").write_text(
        "version: 1\nname: x\nrules:\n  - id: slow\n    metric: respons_latency\n"
        "    aggregate: p95\n    max: 1 s\n"
    )
    done = lkgate("replay", "--against", "agent.py", "--gate", "gate.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert "gate.yaml:5:" in done.stderr
    assert "response_latency" in done.stderr
