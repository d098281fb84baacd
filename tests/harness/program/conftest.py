"""Loads each program once for the tests that call it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.harness.program import replay
from tests.harness.program.replay import Program

Load = Callable[..., Program]


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """Starts a fork server with a program; it is killed after the test."""
    running: list[Program] = []

    def start(program: str | None, *args: str, module: str | None = None) -> Program:
        work = tmp_path / f"work-{len(running)}"
        running.append(replay.start(work, program, module=module, args=args))
        return running[-1]

    yield start
    for program in running:
        program.server.kill()
