"""A candidate: one agent program, how it is started, and what identifies it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Pipeline = Literal["cascade", "realtime"]


@dataclass(frozen=True, slots=True)
class Build:
    """One entry of ``[tool.lkgate.builds]``.

    Attributes:
        name: as given to ``--against``.
        python: interpreter that runs it.
        program: a file to run as ``__main__``; exactly one of ``program``, ``module``, ``command``
            and ``url``.
        module: a module to run with ``-m``.
        args: what stands behind the program on its command line.
        cwd: directory it runs in, also first on ``sys.path``.
        env: variables set for it.
        command: what starts its worker, in any language; only a room can be played to it.
        url: of the server where the agent is deployed; lkgate starts nothing.
        agent_name: under which it is dispatched; ``None``: as its worker says when it registers.
        pipeline: ``realtime`` is speech to speech: such a build has no STT and no TTS layer.
    """

    name: str
    python: Path
    program: Path | None
    module: str | None
    args: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    command: tuple[str, ...] | None = None
    url: str | None = None
    agent_name: str | None = None
    pipeline: Pipeline = "cascade"

    @property
    def virtual(self) -> bool:
        """Whether it can be replayed in virtual time: a Python program on this machine."""
        return self.command is None and self.url is None
