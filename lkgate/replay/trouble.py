"""What goes wrong with a build and its calls, in words."""

from __future__ import annotations

from lkgate.errors import BuildError
from lkgate.model.build import Build
from lkgate.model.event import Json
from lkgate.replay.outcome import Failure, last_printed


def still_loading(build: Build, limit_s: float, printed: str) -> BuildError:
    """The program does not come to its end."""
    return BuildError(
        f"build `{build.name}` was still loading after {limit_s:g} s{last_printed(printed)}",
        where=_program(build),
        next_step="Its module level must end: put what runs for ever under "
        '`if __name__ == "__main__":`, in `cli.run_app`. If it only takes long, raise '
        "`load_limit_s`.",
    )


def refused(build: Build, error: Json, printed: str) -> BuildError:
    """The harness says why it cannot load the program, or nothing that can be understood."""
    found = error if isinstance(error, dict) else {}
    where, next_step = found.get("where"), found.get("next_step")
    message = found.get("message") or f"the program cannot be loaded{last_printed(printed)}"
    return BuildError(
        f"build `{build.name}`: {message}",
        where=where if isinstance(where, str) else _program(build),
        next_step=next_step if isinstance(next_step, str) else None,
    )


def died(build: Build, status: int | None, when: str, printed: str) -> BuildError:
    """The fork server is gone.

    Args:
        status: exit code or minus the signal; ``None`` if the process is still there.
    """
    if status is None:
        how = "closed its connection"
    elif status < 0:
        how = f"was killed by signal {-status}"
    else:
        how = f"exited with status {status}"
    return BuildError(
        f"build `{build.name}` {how} {when}{last_printed(printed)}", where=_program(build)
    )


def still_running(limit_s: float, where: str | None) -> Failure:
    """A call does not come to its end."""
    return Failure(
        "wall_limit",
        f"the call was still running after {limit_s:.0f} s of real time",
        where=where,
        next_step="Something in the build works in real time, or for ever. Look at what "
        "it printed with --debug, or raise `wall_limit_s`, to which the call's length is added.",
    )


def _program(build: Build) -> str:
    return str(build.program) if build.program else f"{build.cwd} -m {build.module}"
