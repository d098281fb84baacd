"""A candidate: one agent program, how it is started, and what identifies it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Build:
    """One entry of ``[tool.lkgate.builds]``.

    Attributes:
        name: as given to ``--against``.
        python: interpreter that runs it.
        program: a file to run as ``__main__``; exactly one of ``program`` and ``module``.
        module: a module to run with ``-m``.
        args: what stands behind the program on its command line.
        cwd: directory it runs in, also first on ``sys.path``.
        env: variables set for it.
    """

    name: str
    python: Path
    program: Path | None
    module: str | None
    args: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
