"""``python -m tests.benchmarks.starting``: how long commands take that do next to nothing."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROUNDS = 21
BARE = """
import click

@click.command()
@click.argument("name", default="world")
def hello(name):
    click.echo(f"hello {name}")

hello()
"""
# What is measured, the words behind the interpreter, and the variables that a shell sets.
COMMANDS: dict[str, tuple[list[str], dict[str, str]]] = {
    "a bare click program": (["-c", BARE], {}),
    "--help": (["-m", "lkgate", "--help"], {}),
    "completion of a command": (
        ["-m", "lkgate"],
        {"_LKGATE_COMPLETE": "bash_complete", "COMP_WORDS": "lkgate re", "COMP_CWORD": "1"},
    ),
    "completion of a build": (
        ["-m", "lkgate"],
        {
            "_LKGATE_COMPLETE": "bash_complete",
            "COMP_WORDS": "lkgate replay --against ",
            "COMP_CWORD": "3",
        },
    ),
    "show of a call of a minute": (["-m", "lkgate", "show", "recordings/book"], {}),
}


def starting() -> None:
    """Whole processes, in turn; medians, and as a ratio to a bare click program."""
    found: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(ROUNDS + 1):
        for name, (words, variables) in COMMANDS.items():
            found[name].append(_once(words, variables))
    # The first round wrote byte code.
    medians = {name: statistics.median(took[1:]) for name, took in found.items()}
    bare = next(iter(medians.values()))
    for name, took in medians.items():
        print(f"{name:32} {took * 1000:4.0f} ms, {took / bare:5.2f} times")


def _once(words: list[str], variables: dict[str, str]) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *words], check=True, capture_output=True, cwd=ROOT,
        env={**os.environ, **variables},
    )  # fmt: skip
    assert done.stdout
    return time.perf_counter() - began


if __name__ == "__main__":
    starting()
