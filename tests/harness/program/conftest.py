"""Loads each program once for the tests that call it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.harness.program import replay
from tests.harness.program.replay import Program

Load = Callable[..., Program]


# Servers that are kept for the next test; each holds some 300 MB.
_KEPT = 3


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Load]:
    """Starts a fork server with a program, or finds the one that a test before it has started."""
    running: dict[tuple[object, ...], Program] = {}

    def start(program: str | None, *args: str, module: str | None = None) -> Program:
        key = (program, module, *args)
        if key not in running:
            while len(running) >= _KEPT:
                running.pop(next(iter(running))).server.kill()
            work = tmp_path_factory.mktemp("calls")
            running[key] = replay.start(work, program, module=module, args=args)
        return running[key]

    yield start
    for program in running.values():
        program.server.kill()
