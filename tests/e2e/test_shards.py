"""Shards of this repository's recordings, merged: byte for byte what one run reports."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lkgate.cli.reports import KINDS
from tests.e2e.test_demo import ROOT, lkgate

GATE = """\
version: 1
name: two calls
calls: [book, emergency]
rules:
  - {id: completed, metric: call_completed, aggregate: mean, min: 100%}
  - {id: arguments, metric: tool_argument_changes, aggregate: sum, max: 0}
  - {id: words, metric: word_error_rate, aggregate: rate, max_increase: 2 points}
  - id: latency
    metric: response_latency
    aggregate: mean
    max_increase: 250 ms
    about: these_calls
    message: The agent answers later.
"""
CALLS = ("book", "emergency")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two calls and a gate for them."""
    root = tmp_path_factory.mktemp("shards")
    shutil.copyfile(ROOT / "pyproject.toml", root / "pyproject.toml")
    shutil.copytree(
        ROOT / "lkgate/demo/clinic",
        root / "lkgate/demo/clinic",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for call in CALLS:
        shutil.copytree(ROOT / "recordings" / call, root / "recordings" / call)
    (root / "gates").mkdir()
    (root / "gates/demo.yaml").write_text(GATE)
    return root


def files(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def reports(directory: str) -> list[str]:
    return [word for kind in KINDS for word in ("--report", f"{kind}={directory}/{kind}")]


@pytest.mark.parametrize(("build", "code", "status"), [("v2", 0, "PASS"), ("v3", 1, "FAIL")])
def test_shards_are_one_run(project: Path, build: str, code: int, status: str) -> None:
    for number in (1, 2):
        words = (
            "--against",
            build,
            "--shard",
            f"{number}/2",
            "--shard-into",
            f"s/{build}/{number}",
            *reports("shard"),
        )
        shard = lkgate("replay", *words, cwd=project)
        assert shard.returncode == 3, shard.stdout + shard.stderr
        assert shard.stdout == (f"NOT JUDGED  {build}: shard {number} of 2, 1 of 2 calls\n")
        assert list((project / "shard").iterdir()) == []
    merged = lkgate("merge", f"s/{build}", *reports(f"merged-{build}"), cwd=project)
    whole = lkgate("replay", "--against", build, *reports(f"whole-{build}"), cwd=project)
    assert (merged.returncode, whole.returncode) == (code, code), merged.stderr + whole.stderr
    assert merged.stdout == whole.stdout
    assert whole.stdout.startswith(f"{status}  {build}: ")
    ours = files(project / f"merged-{build}")
    assert ours == files(project / f"whole-{build}")
    assert len(ours) >= len(KINDS)


def test_shards_that_are_no_run_have_no_verdict(project: Path) -> None:
    written = ("--report", "markdown=m.md", "--report", "html=whole-v2/html")
    missing = lkgate("merge", "s/v2/1", *written, cwd=project)
    assert (missing.returncode, missing.stdout) == (
        3,
        "NO VERDICT  v2: the shards are not one whole run\n"
        "  shard 2 of 2 is missing\n"
        "    Run `lkgate replay --against v2 --shard 2/2`, and merge again.\n",
    )
    # An old report of these shards does not stand as the new one.
    assert not (project / "whole-v2/html").exists()
    assert (project / "m.md").read_text("utf-8") == (
        "<!-- lkgate: v2 -->\n### ⚠️ NO VERDICT: v2\n\n"
        "the shards are not one whole run\n\n- shard 2 of 2 is missing "
        "_Run &#96;lkgate replay --against v2 --shard 2/2&#96;, and merge again._\n"
    )
    mixed = lkgate("merge", "s/v2/1", "s/v3/2", cwd=project)
    assert mixed.returncode == 3
    assert "are of different builds (v2 " in mixed.stdout
    other = lkgate("merge", "s/v2", "--against", "v3", cwd=project)
    assert (other.returncode, other.stdout.splitlines()[1]) == (3, "  the shards are of v2")
    none = lkgate("merge", "s", "--against", "v2", "--report", "markdown=m.md", cwd=project)
    assert (none.returncode, none.stdout.splitlines()[1]) == (3, "  no shard in s")
    assert (project / "m.md").read_text("utf-8").startswith("<!-- lkgate: v2 -->\n")
    file = project / "s/v2/1/shard.json"
    told = file.read_text()
    file.write_text(told.replace('"against": "v2"', '"against": "\\u001b[2J\\n::error::x"'))
    hostile = lkgate("merge", "s/v2/1", cwd=project)
    file.write_text(told)
    assert hostile.returncode == 3
    assert "\x1b" not in hostile.stdout and len(hostile.stdout.splitlines()) == 3
    labels = project / "recordings/book"
    labels.rename(project / "book")
    gone = lkgate("merge", "s/v2", cwd=project)
    (project / "book").rename(labels)
    assert gone.returncode == 3
    assert "these recordings are not those that were replayed: book\n" in gone.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--shard", "0/2"), "'0/2' is no share: 2/3 is the second of three"),
        (("--shard", "3/2"), "'3/2' is no share"),
        (("--shard", "1"), "'1' is no share"),
        (("--shard-into", "x"), "--shard-into is for --shard"),
        (("--shard", "1/2", "--gate", "g.yaml"), "--gate is not for --shard: `lkgate merge`"),
        (("--shard", "1/2", "--verify", "2"), "--verify is not for --shard"),
        (("--shard", "1/2", "--models", "record"), "--models record is not for --shard"),
    ],
)
def test_what_a_shard_cannot_do(project: Path, words: tuple[str, ...], says: str) -> None:
    done = lkgate("replay", "--against", "v2", *words, cwd=project)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in " ".join(done.stderr.split())
