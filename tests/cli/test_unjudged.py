"""A run that comes to no verdict leaves its reason, and no report of an earlier one."""

from __future__ import annotations

import os
from pathlib import Path

import click
import pytest

from lkgate.cli.exits import Exit
from lkgate.cli.failure import tell
from lkgate.cli.main import main
from lkgate.cli.reports import KINDS, named
from lkgate.cli.unjudged import reporting, write
from lkgate.errors import BuildError, BundleError, LkgateError
from lkgate.model.verdict import Problem
from lkgate.report.html import render
from tests.gate.calls import V3
from tests.report.hostile import TEXT
from tests.report.html.pages import sources, tone
from tests.report.test_text import verdict_of

MARKER = "<!-- lkgate: v2; gates/a.yaml -->\n"
HEAD = f"{MARKER}### ⚠️ NO VERDICT: v2\n\nlkgate could not judge\n\n"


def run(tmp_path: Path, ends: Exception | None, *reports: str) -> int:
    """A command with ``--report`` that ends so; what its Markdown said meanwhile is kept."""

    @click.command()
    @click.option("--against")
    @click.option("--gate", "gates", multiple=True, type=click.Path(path_type=Path))
    @click.option("--report", "reports", multiple=True)
    @reporting
    def command(against: str, gates: tuple[Path, ...], reports: tuple[str, ...]) -> int:
        if (tmp_path / "markdown").exists():
            (tmp_path / "meanwhile").write_bytes((tmp_path / "markdown").read_bytes())
        if ends is not None:
            raise ends
        return 7

    words = [word for one in reports for word in ("--report", one)]
    given = ["--against", "v2", "--gate", "gates/a.yaml", *words]
    code: int = command.main(given, standalone_mode=False)
    return code


def every(tmp_path: Path) -> list[str]:
    return [f"{kind}={tmp_path / kind}" for kind in KINDS]


def test_an_error_is_a_report(tmp_path: Path) -> None:
    for kind in KINDS:
        (tmp_path / kind).write_text("PASS")
    error = BuildError("it does not start", where="agent.py", next_step="Run it.")
    with pytest.raises(BuildError):
        run(tmp_path, error, *every(tmp_path), "none", "odd=x", "text=", f"text={tmp_path}")
    left = {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()}
    assert left == {
        "meanwhile": HEAD + "- the run has not ended, or was ended before it could judge "
        "_See the log for how far it came._\n",
        "markdown": f"{HEAD}- agent.py: it does not start _Run it._\n",
        "text": "NO VERDICT  v2: lkgate could not judge\n"
        "  agent.py: it does not start\n    Run it.\n",
        "github": "::error file=agent.py,title=lkgate%3A no verdict (v2)::"
        "agent.py: it does not start%0ARun it.\n",
        "junit": '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<testsuites name="lkgate v2" tests="1" failures="0" errors="1" skipped="0">\n'
        '  <testsuite name="lkgate" tests="1" failures="0" errors="1" skipped="0">\n'
        '    <testcase classname="lkgate" name="verdict">\n'
        '      <error message="agent.py: it does not start">Run it.</error>\n'
        "    </testcase>\n"
        "  </testsuite>\n"
        "</testsuites>\n",
    }


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (LkgateError("odd"), "- odd\n"),
        (click.UsageError("no such gate"), "- no such gate\n"),
        (OSError(28, "No space left", "x.html"), "No space left: 'x.html' _See the log._"),
        (ValueError("7"), "- a bug in lkgate: ValueError: 7 _See the log._\n"),
    ],
)
def test_whatever_ends_it(tmp_path: Path, error: Exception, says: str) -> None:
    with pytest.raises(type(error)):
        run(tmp_path, error, f"markdown={tmp_path / 'new' / 'markdown'}")
    told = (tmp_path / "new" / "markdown").read_text("utf-8")
    assert told.startswith(HEAD)
    assert says in told


def test_all_that_is_wrong_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = BundleError("cut off", where="a", next_step="Get it.")
    error.also = [BundleError("too new", where="b")]
    with pytest.raises(BundleError):
        run(tmp_path, error, f"markdown={tmp_path / 'markdown'}")
    told = (tmp_path / "markdown").read_text("utf-8")
    assert told == f"{HEAD}- a: cut off _Get it._\n- b: too new\n"
    assert tell(error, debug=False) == Exit.USAGE
    assert capsys.readouterr().err == "error: a: cut off\n  Get it.\nerror: b: too new\n"


def test_a_place_is_annotated_as_the_repository_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "agent").mkdir()
    monkeypatch.chdir(tmp_path / "agent")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    error = LkgateError("odd", where=f"{tmp_path}/agent/gates/a.yaml:7:5")
    with pytest.raises(LkgateError):
        run(tmp_path, error, "github=a", "markdown=m")
    assert Path("a").read_text() == (
        "::error file=agent/gates/a.yaml,line=7,title=lkgate%3A no verdict (v2)::"
        "gates/a.yaml:7:5: odd\n"
    )
    told = Path("m").read_text("utf-8")
    assert told.startswith("<!-- lkgate: v2; gates/a.yaml; in agent -->\n")
    assert told.endswith("- gates/a.yaml:7:5: odd\n")


def test_a_run_that_ends_well_is_not_told_of(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("PASS")
    assert run(tmp_path, None, f"text={tmp_path / 'text'}") == 7
    # What it says itself is written where it ends; until then it has not ended.
    assert "the run has not ended" in (tmp_path / "text").read_text()


def test_the_error_is_told_where_no_report_can_be(tmp_path: Path) -> None:
    with pytest.raises(LkgateError, match="odd"):
        run(tmp_path, LkgateError("odd"), f"text={os.devnull}/x")


def test_what_it_says_is_text(tmp_path: Path) -> None:
    wanted = named(every(tmp_path), ("v2",))
    write(wanted, TEXT, TEXT, [Problem(None, TEXT, TEXT)])
    for kind in ("text", "github", "markdown"):
        told = (tmp_path / kind).read_text("utf-8")
        assert "\x1b" not in told
        assert [line for line in told.splitlines() if line.startswith("::")] == (
            told.splitlines() if kind == "github" else []
        )
    assert "<script" not in (tmp_path / "markdown").read_text("utf-8").replace("&#60;", "")


def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to(os.devnull)
    (tmp_path / "file").write_text("x")
    places = ("pipe", "device", "file/inside", "l" * 300)
    error = LkgateError("odd")
    reports = [f"{kind}={tmp_path / place}" for kind in KINDS for place in places]
    with pytest.raises(LkgateError) as told:
        run(tmp_path, error, *reports)
    assert told.value is error
    assert (tmp_path / "pipe").is_fifo()
    assert (tmp_path / "device").is_symlink()
    assert (tmp_path / "file").read_text() == "x"


def test_an_interrupted_run_leaves_no_earlier_report(tmp_path: Path) -> None:
    for kind in KINDS:
        (tmp_path / kind).write_text("PASS")
    with pytest.raises(click.Abort):
        run(tmp_path, click.Abort(), *every(tmp_path))
    left = {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()}
    left.pop("meanwhile")
    assert set(left) == {"text", "markdown", "junit", "github"}
    assert all("the run has not ended" in text for text in left.values())


def page(path: Path, number: int = 1) -> None:
    """A report with sound beside it, where somebody else's file lies too."""
    verdict = verdict_of(V3)
    heard, beside = sources(verdict, tone()), f"{path.stem}-audio"
    made = render(
        verdict,
        build="v3",
        digest=None,
        sources=heard,
        beside=beside,
        budget_bytes=1,
        number=number,
    )
    path.write_text(made.text)
    path.with_name(beside).mkdir()
    for name, data in made.beside.items():
        (path.parent / name).write_bytes(data)
    (path.with_name(beside) / "mine.ogg").write_text("x")


def test_a_page_that_goes_takes_its_sound_along(tmp_path: Path) -> None:
    page(tmp_path / "html")
    assert run(tmp_path, None, f"html={tmp_path / 'html'}") == 7
    assert not (tmp_path / "html").exists()
    assert [one.name for one in (tmp_path / "html-audio").iterdir()] == ["mine.ogg"]


def test_pages_of_further_gates_go_too(tmp_path: Path) -> None:
    page(tmp_path / "[r].html")
    page(tmp_path / "[r]-2.html", 2)
    page(tmp_path / "[r]-12.html", 12)
    # Reports of their own, and what is no report.
    page(tmp_path / "[r]-1.html")
    page(tmp_path / "[r]-3.html")
    page(tmp_path / "r-2.html", 2)
    (tmp_path / "[r]-4.html").write_text('<meta name="lkgate-page" content="4">')
    with pytest.raises(LkgateError):
        run(tmp_path, LkgateError("odd"), f"html={tmp_path / '[r].html'}")
    kept = {"[r]-1.html", "[r]-3.html", "[r]-4.html", "r-2.html"}
    assert {one.name for one in tmp_path.glob("*.html")} == kept
    left = {name: len(list((tmp_path / f"[r]-{name}-audio").iterdir())) for name in (2, 12)}
    assert left == {2: 1, 12: 1}
    assert len(list((tmp_path / "[r]-3-audio").iterdir())) > 1


def refused(*words: str) -> str:
    """What the Markdown says of a command line that is refused."""
    Path("m.md").write_text("PASS")
    with pytest.raises(SystemExit) as ended:
        main([*words])
    assert ended.value.code == 2
    return Path("m.md").read_text("utf-8")


REPORT = ("--report", "markdown=m.md")


@pytest.mark.parametrize(
    ("words", "about", "says"),
    [
        (("replay", "--against", "v2", "--jobs", "0", *REPORT), "v2", "Invalid value for '--jobs'"),
        (("replay", *REPORT, "--against=v2", "--wat"), "v2", "No such option"),
        (("replay", "--wat", "--report=markdown=m.md"), "unknown build", "No such option"),
        # A variable of the CI that is empty.
        (("replay", "--against", "v2", "--jobs", *REPORT), "v2", "Invalid value for '--jobs'"),
        (
            ("replay", "--against", *REPORT),
            "unknown build",
            "--against has no value: '--report' is an option",
        ),
        (
            ("replay", "--against", "--report=markdown=m.md"),
            "unknown build",
            "--against has no value: '--report=markdown=m.md' is an option",
        ),
        (
            ("replay", *REPORT, "--against", ""),
            "unknown build",
            "--against is empty: is the variable set that gives it?",
        ),
        (("replay", *REPORT, "--against"), "unknown build", "Option '--against' requires "),
        (
            ("merge", "--against", "v2", "--gate", "./g.yaml", *REPORT),
            "v2; g.yaml",
            "Missing argument 'SHARDS...'",
        ),
        (
            ("merge", "s", "--against", "v2", "--shard", "1/2", *REPORT),
            "v2",
            "one part is replayed (--shard), or all are merged: not both",
        ),
        (
            ("replay", *REPORT, "--against", "v2", "--transport", "room", "--jobs", "2"),
            "v2; in rooms",
            "in a room, models answer live",
        ),
        (("--wat", "merge", "s", "--against", "v2", *REPORT), "v2", "No such option"),
        (("replayy", "--against", "v2", *REPORT), "v2", "No such command 'replayy'."),
    ],
)
def test_a_command_line_that_is_wrong_is_a_reason(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: tuple[str, ...],
    about: str,
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    told = refused(*words)
    build = about.partition(";")[0]
    assert told.startswith(f"<!-- lkgate: {about} -->\n### ⚠️ NO VERDICT: {build}\n")
    assert f"\n- {says}" in told
    command = f" {words[0]}" if words[0] in ("replay", "merge") else ""
    assert told.endswith(f" _&#96;lkgate{command} --help&#96; lists what there is._\n")


@pytest.mark.parametrize(
    "words", [("doctor", *REPORT), ("replay", "--wat", "--", *REPORT), ("judge", "wat", *REPORT)]
)
def test_what_names_no_report_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert refused(*words) == "PASS"
