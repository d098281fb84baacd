"""Bundles and gate files as words of the command line: names, paths, and what was meant."""

from __future__ import annotations

import shutil
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from lkgate.cli import main
from lkgate.cli.main import COMMANDS, cli

ROOT = Path(__file__).parents[2]


def run(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


def told(*words: str) -> str:
    """The error, as it is printed."""
    found = run(*words).exception
    assert found is not None
    return str(found)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A project with the repository's recordings, where nothing else is."""
    (tmp_path / "pyproject.toml").write_text('[tool.lkgate]\ngates = ["gates/release.yaml"]\n')
    (tmp_path / "recordings").mkdir()
    for call in ("book", "move"):
        shutil.copytree(ROOT / "recordings" / call, tmp_path / "recordings" / call)
    (tmp_path / "gates").mkdir()
    (tmp_path / "gates" / "release.yaml").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (("check", "book", "recordings/move"), "recordings/book: whole: "),
        (("show", "book", "--events"), "     0.0"),
        (("label", "book", "--print"), "# A draft of what the agent heard"),
        (("export", "book", "--otlp", "book.json"), "wrote book.json"),
        (("pack", "book"), "packed: book.lkb\n"),
        (("promote", "book"), "is at recordings/book\n"),
    ],
)
def test_a_name_is_as_good_as_a_path(here: Path, words: tuple[str, ...], printed: str) -> None:
    done = run(*words)
    assert done.exception is None
    assert done.output.startswith(printed)


BUNDLES = ("show", "check", "label", "seal", "export", "pack", "promote", "derive")


@pytest.mark.parametrize("command", BUNDLES)
def test_a_wrong_name_has_a_nearest_one(here: Path, command: str) -> None:
    extra = ("--otlp", "x") if command == "export" else ()
    assert told(command, "boook", *extra) == (
        "there is no recording 'boook'\n  Did you mean 'book'? There are: book, move."
    )


def test_a_wrong_path_has_a_nearest_one_too(here: Path) -> None:
    assert told("show", "./recordings/boook") == (
        "there is no bundle './recordings/boook'\n  Did you mean 'recordings/book'?"
    )
    assert told("show", "nowhere/x") == (
        "there is no bundle 'nowhere/x'\n  Give a bundle's directory, or an .lkb file."
    )
    assert told("show", "a" * 300).endswith("There are: book, move.")


def test_a_path_needs_no_settings(here: Path) -> None:
    (here / "pyproject.toml").write_text("[tool.lkgate]\nnonsense = 1\n")
    assert run("show", "./recordings/book").exception is None
    assert "nonsense" in told("show", "book")
    (here / "move").symlink_to(ROOT / "recordings" / "book")
    (here / "pyproject.toml").write_text("")
    # A bare word is a recording's name first, wherever lkgate is asked.
    assert run("show", "move").output != run("show", "./move").output


def test_a_packed_recording_is_no_second_one(here: Path) -> None:
    assert run("pack", "recordings/book").output == "packed: book.lkb\n"
    assert "baseline" in run("list").output
    assert "book.lkb is packed already" in run("pack", "./book.lkb").output


def test_one_session_is_not_held_to_be_another_call(here: Path) -> None:
    assert run("diff", "book", "recordings/book").output == (
        "recordings/book -> recordings/book\n  both are the same session\n  nothing differs\n"
    )
    assert "words: they are not of one call\n" in run("diff", "book", "move").output


def test_a_wrong_gate_file_has_a_nearest_one(here: Path) -> None:
    meant = "there is no such gate file\n  Did you mean `gates/release.yaml`?"
    assert told("power", "gates/relaese.yaml") == f"gates/relaese.yaml: {meant}"
    assert told("power", "release") == f"release: {meant}"
    assert told("power", "nothing") == (
        "nothing: there is no such gate file\n  There are: gates/release.yaml."
    )
    (here / "pyproject.toml").write_text("")
    assert told("power", "nothing").startswith("nothing: the gate file cannot be read: No such")


def test_a_wrong_build_is_told_before_keys_are_asked_for(here: Path) -> None:
    with (here / "pyproject.toml").open("a") as file:
        file.write('[tool.lkgate.builds.v2]\nprogram = "a.py"\n')
    said = told("record", "--room", "x", "--build", "v22")
    assert said.startswith("there is no build `v22`\n  Did you mean `v2`? ")


def test_the_program_s_own_options_may_stand_at_the_end() -> None:
    """Where they are added when `--debug` is asked for; no command has one of its own."""
    assert main._program_first(["show", "x", "--debug", "--", "-q"]) == [
        "--debug", "show", "x", "--", "-q",
    ]  # fmt: skip
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        words = {word for one in command.params for word in one.opts}
        assert not words & set(main._OWN)


def test_a_wrong_command_has_a_nearest_one() -> None:
    assert "Error: No such command 'replyy'. Did you mean 'replay'?\n" in run("replyy").output
    assert "Error: No such command 'qqq'.\n" in run("qqq").output
    assert all(name in COMMANDS for name in BUNDLES)
