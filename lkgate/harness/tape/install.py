"""Putting a recorder or a player behind the seams."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from livekit.agents import get_job_context

from lkgate.cassette import Cassette, Miss, NewCassette, Part
from lkgate.harness.tape import deck, facts, seams
from lkgate.harness.tape.answers import Answers, Note, Now
from lkgate.harness.tape.ear import Ear, Placed
from lkgate.harness.tape.environment import secrets_of
from lkgate.harness.tape.mouth import Policy
from lkgate.harness.tape.player import Mode, Player
from lkgate.harness.tape.recorder import Recorder
from lkgate.model.event import Json
from lkgate.model.plan import CallerPlan
from lkgate.secret import Secrets


def install_seams() -> None:
    """Take the seams over, with nobody behind them. For a parent that will fork calls.

    Models that are made from now on are covered, so do it before the program is loaded.
    """
    seams.install()


def install_replay(
    *,
    cassette_dir: Path,
    new_dir: Path,
    mode: Mode,
    tools: Mapping[str, Json],
    plan: CallerPlan | None,
    placed: Placed,
    now_us: Now,
    note: Note,
    on_miss: Callable[[Miss], None],
    policies: Mapping[str, Policy] | None = None,
) -> None:
    """Answer this process' models and tools from a cassette. Replaces whatever was installed.

    Args:
        cassette_dir: the recording's; a directory that does not exist is an empty cassette.
        new_dir: where mode ``record`` adds exchanges, as a cassette of its own whose lines can be
            appended to the recording's; not touched in other modes.
        mode: what happens to requests that were never recorded, see :mod:`lkgate.harness.tape`.
        tools: ``{"default": policy, "by_name": {name: policy}}`` as in a job's JSON.
        plan: the caller's.
        placed: session time at which the room hears an utterance begin, ``None`` while that is not
            known (``CallerPlayer.placed``).
        now_us: session time.
        note: takes ``lkgate.model_answer`` with ``modality``, ``key``, ``origin`` and, for tools,
            ``name``.
        on_miss: told of every request that has no answer, before its error is raised.
        policies: see :class:`lkgate.harness.tape.player.Player`.

    Raises:
        BundleError: the cassette is torn or altered.
    """
    seams.install()
    cassette = Cassette.open(cassette_dir)
    answers = Answers(cassette, now_us=now_us, note=note, on_miss=on_miss)
    new = NewCassette(new_dir, cassette, _secrets()) if mode == "record" else None
    ear = Ear(cassette, plan, placed)
    deck.insert(Player(answers, ear, mode=mode, tools=tools, new=new, on_miss=policies))


def install_record(out_dir: Path, now_us: Callable[[], int] | None = None) -> Part:
    """Record this process' models and tools, its worker and its sessions, and those of its forks.

    Returns the part that is written. Once a process; a second call only changes where it goes.

    Args:
        out_dir: shared by all processes of a worker.
        now_us: microseconds of the wall clock, the machine's by default.
    """
    seams.install()
    part = Part(out_dir, _job, _secrets)
    os.register_at_fork(after_in_child=part.forked)
    facts.install(part)
    deck.insert(Recorder(part, now_us or _unix_us))
    return part


def reset() -> None:
    """Take the deck away; the seams pass everything through again."""
    deck.insert(None)


def _secrets() -> Secrets:
    return secrets_of(os.environ)


def _unix_us() -> int:
    return time.time_ns() // 1_000


def _job() -> tuple[str, str] | None:
    context = get_job_context(required=False)
    return None if context is None else (context.job.room.name, context.job.id)
