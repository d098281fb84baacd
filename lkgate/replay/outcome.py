"""How a call's replay ended."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lkgate.bundle.journal import DIRECTORY, HEADER
from lkgate.harness.last_words import last_place
from lkgate.model.bundle import Bundle
from lkgate.model.event import Json
from lkgate.secret import Secrets


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a call could not be replayed to its end: a value, for the other calls go on.

    Attributes:
        kind: ``crash``, ``wall_limit``, ``server``, ``bundle``, or as the harness names it
            (``cassette_miss``, ``network_refused``, ``entrypoint``, ``deadlock``, ``horizon``...).
    """

    kind: str
    message: str
    where: str | None = None
    next_step: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One call to replay.

    Attributes:
        call: its name.
        directory: prepared for the child: ``job.json``, ``caller.pcm``.
        bundle: where the replay's bundle goes; must not exist.
        header: what the parent knows about the replay and the child does not: added to the
            journal's header.
        wall_limit_s: real time after which the call is killed; ``None`` is the pool's.
    """

    call: str
    directory: Path
    bundle: Path
    header: Mapping[str, Json] = field(default_factory=dict)
    wall_limit_s: float | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Exactly one of ``bundle`` and ``failure`` is there.

    Attributes:
        call: the job's.
        bundle: the replay.
        failure: why there is none.
        wall_s: real time the child took.
        stats: what the harness counted (``virtual_us``, ``cpu_s``, ``peak_mb``, ...).
        output: the end of what the call printed.
    """

    call: str
    bundle: Bundle | None
    failure: Failure | None
    wall_s: float
    stats: Mapping[str, Json] = field(default_factory=dict)
    output: str = ""


def last_printed(tail: str) -> str:
    """The end of a sentence about something that ended."""
    return f"; it last printed:\n{tail}" if tail else ""


def last_place_of(directory: Path) -> str | None:
    """``file:line`` of the program where a job's process was when it crashed or was ended."""
    try:
        words = (directory / "last_words").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return last_place(words)


def amend_header(journal: Path, header: Mapping[str, Json]) -> None:
    """Add fields to a closed journal's header; they win over what the child wrote."""
    if not header:
        return
    path = journal / DIRECTORY / HEADER
    if path.is_file():
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(header) + "\n")


def read_result(
    directory: Path, status: int, tail: str, secrets: Secrets
) -> tuple[Failure | None, dict[str, Json]]:
    """What a child left behind: a failure without ``secrets`` or ``None``, and its stats."""
    try:
        result = json.loads((directory / "result.json").read_bytes())
    except FileNotFoundError:
        return _crash(directory, status, tail), {}
    except ValueError:
        return Failure("crash", "the call's process left a result that cannot be read"), {}
    stats = result.get("stats") or {}
    if result.get("status") == "ok":
        return None, stats
    error = secrets.hide_in(result.get("error") or {})
    return (
        Failure(
            str(error.get("kind", "error")),
            # A long message is cut by the harness.
            secrets.hide(str(error.get("message", "the harness gave no reason")), cut=True),
            error.get("where"),
            error.get("next_step"),
        ),
        stats,
    )


def _crash(directory: Path, status: int, tail: str) -> Failure:
    if status < 0:
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = f"signal {-status}"
        how = f"was killed by {name}"
    else:
        how = f"exited with status {status} in the middle of the call"
    return Failure(
        "crash",
        f"the call's process {how}{last_printed(tail)}",
        last_place_of(directory),
        "The program ended its whole process, where a worker needs it to go on. Run it by hand in "
        "the same interpreter.",
    )
