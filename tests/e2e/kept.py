"""A replay that was made once is not made again: what many commands replay, few replay anew.

Everything else of a command is its own: settings, jobs, gates, reports. As a program, ``python -m
tests.e2e.kept STORE WORD...`` is lkgate with that shortcut.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lkgate.bundle import read
from lkgate.model.build import Build
from lkgate.replay import pool, run
from lkgate.replay.outcome import Job, Outcome

# Of a job's file: where it is, and what depends on that.
_PLACES = ("call", "memory")


class Kept:
    """Replays by what they depend on, in the directory ``store``. Stands for ``replay_calls``."""

    def __init__(self, store: Path) -> None:
        self._store = store

    def __call__(self, build: Build, jobs: Sequence[Job], **options: Any) -> list[Outcome]:
        places = {job.call: self._store / _key(job) for job in jobs}
        new = [job for job in jobs if not places[job.call].is_dir()]
        made = pool.replay_calls(build, new, **options) if new else []
        outcomes = {outcome.call: outcome for outcome in made}
        for job in jobs:
            if job in new and outcomes[job.call].bundle is not None:
                shutil.copytree(job.bundle, places[job.call])
            elif job not in new:
                shutil.copytree(places[job.call], job.bundle)
                outcomes[job.call] = Outcome(job.call, read(job.bundle), None, 0.0)
        return [outcomes[job.call] for job in jobs]


def _key(job: Job) -> str:
    told = json.loads((job.directory / "job.json").read_bytes())
    cassette = Path(told["cassette"].pop("directory")) / "index.jsonl"
    del told["cassette"]["new_directory"]
    for name in _PLACES:
        del told[name]
    digest = hashlib.sha256(cassette.read_bytes())
    digest.update(json.dumps([told, dict(job.header)], sort_keys=True).encode())
    return digest.hexdigest()


def install(store: Path) -> None:
    """In a process that is lkgate."""
    run.replay_calls = Kept(store)  # type: ignore[attr-defined]


if __name__ == "__main__":
    from lkgate.cli.main import main

    install(Path(sys.argv[1]))
    main(sys.argv[2:])
