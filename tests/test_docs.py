"""Every block of README and docs/ is held to lkgate: command lines exist, files load.

Commands are also run: tests/e2e/test_commands.py, and the tutorial's tests/e2e/test_docs.py.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
import yaml

from lkgate.bundle import labels
from lkgate.cli.main import COMMANDS, cli
from lkgate.config.load import load_config
from lkgate.config.prices import parse_prices
from lkgate.errors import LkgateError
from lkgate.gate import load as gate

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Other programs' lines: what they do is not ours to check.
_OTHERS = {
    "cat", "cd", "cp", "diff", "done", "exit", "export", "for", "git", "mkdir", "pip", "python",
    "python3", "rm", "sed", "test", "uvx", "pipx", "[",
}  # fmt: skip
_FENCE = re.compile(r"^( *)```([^\n`]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(lkgate [^`]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        where: page and line, for messages.
        kind: what stands behind the fence; empty for commands and for what they print.
        text: without the fences.
    """

    where: str
    kind: str
    text: str


def blocks(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    return [
        Block(f"{page.name}:{text.count(chr(10), 0, found.start()) + 1}", found[2], found[3])
        for found in _FENCE.finditer(text)
    ]


ALL = [block for page in PAGES for block in blocks(page)]


def commands(text: str) -> list[list[str]]:
    """The words of each simple command of a shell script, without comments."""
    found: list[list[str]] = []
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;")
        lexer.whitespace_split = True
        found.append([])
        for word in lexer:
            if set(word) <= set("|&;"):
                found.append([])
            else:
                found[-1].append(word)
    return [bare for words in found if (bare := _bare(words))]


def _bare(words: list[str]) -> list[str]:
    while words and re.fullmatch(r"\w+=.*|if|then|do|!", words[0]):
        words = words[1:]
    return words


def parse(words: list[str]) -> None:
    """Let click parse a command line, and run nothing.

    Raises:
        click.UsageError: a command, an option or a value does not exist, or there is too much.
    """
    ours = {option for parameter in cli.params for option in parameter.opts}
    name, *rest = words[1:] if words[0] in ours else words
    if name not in COMMANDS:
        raise click.UsageError(f"no command {name}")
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    context = click.Context(command, info_name=name)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        inner = command.get_command(context, rest[0])
        if inner is None:
            raise click.UsageError(f"no command {name} {rest[0]}")
        command, context, rest = inner, click.Context(inner, parent=context), rest[1:]
    given, left, _ = command.make_parser(context).parse_args(rest)
    if left and not isinstance(command, click.Group):
        raise click.UsageError(f"too much: {left}")
    for parameter in command.params:
        value = given.get(parameter.name or "")
        if isinstance(parameter.type, click.Choice) and isinstance(value, str):
            parameter.type.convert(value, parameter, context)


def check_lines(text: str) -> int:
    """Check the commands of a script; the number of them that are lkgate's."""
    subprocess.run(["bash", "-n"], input=text, text=True, check=True, timeout=60)
    ours = 0
    for words in commands(text):
        if words[0] == "lkgate":
            parse(words[1:])
            ours += 1
        else:
            assert Path(words[0]).name in _OTHERS, words
    return ours


def printed(block: Block) -> bool:
    """Whether a block without a kind is what a program prints, or a prompt with it."""
    return not any(
        re.match(r"lkgate [a-z]|python -m|export ", line) for line in block.text.splitlines()
    )


def check_yaml(text: str) -> str:
    """Check a file, or a part of one, by what it is of; the name of that.

    Raises:
        LkgateError: as the reader of such files does.
    """
    value = yaml.safe_load(text)
    keys = value.keys() if isinstance(value, dict) else set()
    if keys & {"jobs", "steps"} or any("script" in job for job in _mappings(value)):
        for line in _scripts(value):
            check_lines(line)
        for step in value.get("steps", ()):
            if re.search("/lkgate@", step.get("uses", "")):
                inputs = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))["inputs"]
                assert step["with"].keys() <= inputs.keys()
        return "workflow"
    if keys & {"reviewed", "judges"}:
        # What has to be there stands around a part.
        whole = {"reviewed": True, "caller": [], "tools": [], **value}
        written = text if "reviewed" in keys else yaml.safe_dump(whole)
        labels.decode_labels(written.encode(), "labels.yaml")
        return "labels"
    if "currency" in keys:
        parse_prices(text, "prices.yaml")
        return "prices"
    rule = {"id": "any", "metric": "split_turns", "aggregate": "sum", "max": 0}
    part = value if isinstance(value, dict) else {"rules": [rule, *value]}
    gate.parse(
        yaml.safe_dump({"version": 1, "rules": [rule], **part}, sort_keys=False), "gate.yaml"
    )
    return "gate"


def _scripts(value: object) -> list[str]:
    """What the steps of a workflow and the jobs of a pipeline run."""
    if isinstance(value, list):
        return [line for one in value for line in _scripts(one)]
    if not isinstance(value, dict):
        return []
    found = [value[key] for key in ("run", "script") if key in value]
    lines = [line for one in found for line in (one if isinstance(one, list) else [one])]
    return [*lines, *(line for one in value.values() for line in _scripts(one))]


def _mappings(value: object) -> list[dict[str, object]]:
    inner = value.values() if isinstance(value, dict) else ()
    return [one for one in inner if isinstance(one, dict)]


@pytest.mark.parametrize("block", ALL, ids=lambda block: block.where)
def test_a_block_is_true(block: Block, tmp_path: Path) -> None:
    kind = block.kind
    if kind == "sh" or (kind == "" and not printed(block)):
        assert check_lines(block.text) > 0 or kind == "sh"
    elif kind in ("", "text"):
        for prompt in re.findall(r"^\$ (.*)$", block.text, re.MULTILINE):
            check_lines(prompt)
    elif kind == "yaml":
        assert check_yaml(block.text) in {"gate", "labels", "prices", "workflow"}
    elif kind == "toml":
        (tmp_path / "pyproject.toml").write_text(block.text)
        assert tomllib.loads(block.text)
        load_config(tmp_path, environ={})
    elif kind == "python":
        compile(block.text, block.where, "exec")
    elif kind == "json":
        for line in block.text.splitlines():
            assert json.loads(line)
    else:
        assert kind == "diff", f"{block.where}: no check covers a block of {kind!r}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_a_sentence_exist(page: Path) -> None:
    text = _FENCE.sub("", page.read_text("utf-8"))
    for line in _INLINE.findall(text):
        # `lkgate completion bash|zsh|fish` is three lines.
        words = [word.split("|")[0] for word in shlex.split(line.replace("\n", " "))]
        try:
            parse(words[1:])
        except click.ClickException as wrong:
            # A sentence may name a command without its arguments.
            assert "requires an argument" in wrong.message, f"{line}: {wrong.message}"


def test_what_does_not_exist_is_found() -> None:
    for line in ("lkgate repaly", "lkgate replay --againts v2", "lkgate list | lkgate nothing"):
        with pytest.raises(click.UsageError):
            check_lines(line)
    with pytest.raises(click.BadParameter):
        check_lines("lkgate replay --against v2 --format xml")
    with pytest.raises(AssertionError):
        check_lines("unheard-of --option")
    with pytest.raises(LkgateError, match="Did you mean `aggregate`"):
        check_yaml("- {id: a, metric: response_latency, agregate: mean, max: 1 s}")
