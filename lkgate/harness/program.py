"""Runs an agent program as ``python program.py`` would, as far as the worker that it makes.

The program is unchanged and knows nothing of this. Where it would start its worker for good
(``cli.run_app``, ``AgentServer.run``) it stops instead, and the server that it handed over is kept.
A program that only defines a server, for LiveKit's own command line to find, is fine too.
"""

from __future__ import annotations

import importlib.util
import os
import runpy
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from livekit.agents import AgentServer, WorkerOptions, cli

from lkgate.harness.failure import Failure, exit_words, failure_of, program_line
from lkgate.harness.time import DeadlockError, HorizonError

# As LiveKit's own discovery prefers them.
_PREFERRED = ("app", "server", "agent")
_BY_HAND = (
    "Run it by hand, in its `cwd` and with its `args`; a replay has only the variables of the "
    "build's `env`."
)


@dataclass(frozen=True, slots=True)
class Target:
    """What to run.

    Attributes:
        program: a file to run as ``__main__``; exactly one of it and ``module``.
        module: a module or package to run with ``-m``.
        args: behind it on the command line.
        cwd: working directory.
    """

    program: Path | None
    module: str | None
    args: tuple[str, ...]
    cwd: Path

    @property
    def name(self) -> str:
        return str(self.program) if self.program else f"-m {self.module}"


class _NotAModuleError(Exception):
    """What ``-m`` names cannot be run."""


class _Started(BaseException):
    """Unwinds the program from where it would have worked for ever."""

    def __init__(self, server: AgentServer | WorkerOptions) -> None:
        self.server = server


def load(target: Target) -> AgentServer:
    """Run the program until it has its server.

    Changes this process for good, as a start of the program does: working directory,
    ``sys.argv``, ``sys.path``, ``sys.modules["__main__"]``.

    Raises:
        Failure: ``build_import``, ``build_exit``, ``build_hang``, ``no_server``,
            ``several_servers``, ``no_session``.
    """
    os.chdir(target.cwd)
    started = _intercept()
    server = _outcome(target, started)
    if server._entrypoint_fnc is None:
        raise Failure(
            "no_session",
            "the program's server has no session to start",
            where=target.name,
            next_step="Register the entrypoint with `@server.rtc_session()`.",
        )
    return server


def _outcome(target: Target, started: list[AgentServer | WorkerOptions]) -> AgentServer:
    try:
        names = _run(target)
    except _Started as reached:
        return _as_server(reached.server)
    except Failure:
        raise
    except BaseException as error:
        # A program that catches everything, or cleans up, has started its worker all the same.
        if started:
            return _as_server(started[0])
        raise _not_loaded(target, error) from error
    return _as_server(started[0]) if started else _found(target, names)


def _not_loaded(target: Target, error: BaseException) -> Failure:
    if isinstance(error, SystemExit):
        return _exited(target, error)
    if isinstance(error, ImportError):
        return failure_of("build_import", error)
    if isinstance(error, DeadlockError | HorizonError):
        what = "ends" if isinstance(error, HorizonError) else "goes on"
        return Failure(
            "build_hang",
            f"the program's module level never {what}: {error}",
            where=program_line(error) or target.name,
            next_step='Put what runs for ever under `if __name__ == "__main__":`, in '
            "`cli.run_app`.",
        )
    return failure_of(
        "build_import", error, said="the program cannot be loaded: ", next_step=_BY_HAND
    )


def _intercept() -> list[AgentServer | WorkerOptions]:
    """What the program starts is put here, on any of its threads."""
    started: list[AgentServer | WorkerOptions] = []

    def run_app(server: AgentServer | WorkerOptions) -> NoReturn:
        started.append(server)
        raise _Started(server)

    async def run(self: AgentServer, **kwargs: object) -> NoReturn:
        started.append(self)
        raise _Started(self)

    for module in (cli, cli.cli):
        module.run_app = run_app  # type: ignore[attr-defined]
    AgentServer.run = run  # type: ignore[method-assign]
    return started


def _run(target: Target) -> Mapping[str, object]:
    if target.module is not None:
        return _run_module(target.module, target)
    assert target.program is not None
    path = target.program if target.program.is_absolute() else target.cwd / target.program
    try:
        source = path.read_bytes()
    except OSError as error:
        raise Failure(
            "build_import",
            f"there is no program: {error.strerror}",
            where=str(path),
            next_step="Correct `program` of the build, a file.",
        ) from error
    code = compile(source, str(path), "exec", dont_inherit=True)
    main = _main_module(None, str(path))
    _command_line(str(path), path.resolve().parent, target)
    exec(code, vars(main))
    return vars(main)


def _run_module(name: str, target: Target) -> Mapping[str, object]:
    _command_line(name, target.cwd, target)
    details: Callable[..., tuple[str, importlib.machinery.ModuleSpec, types.CodeType]]
    details = runpy._get_module_details  # type: ignore[attr-defined]
    try:
        _, spec, code = details(name, _NotAModuleError)
    except _NotAModuleError as error:
        raise Failure(
            "build_import",
            str(error),
            where=f"-m {name}",
            next_step="Correct `module` of the build, or its `cwd`, from which modules are found.",
        ) from error
    main = _main_module(spec, spec.origin or name)
    sys.argv[0] = spec.origin or name
    exec(code, vars(main))
    return vars(main)


def _main_module(spec: importlib.machinery.ModuleSpec | None, file: str) -> types.ModuleType:
    main = types.ModuleType("__main__")
    main.__file__ = file
    main.__spec__ = spec
    main.__package__ = spec.parent if spec else None
    main.__loader__ = spec.loader if spec else None
    vars(main)["__builtins__"] = __builtins__
    sys.modules["__main__"] = main
    return main


def _command_line(name: str, first: Path, target: Target) -> None:
    sys.argv[:] = [name, *target.args]
    sys.path.insert(0, str(first))


def _as_server(server: AgentServer | WorkerOptions) -> AgentServer:
    return server if isinstance(server, AgentServer) else AgentServer.from_server_options(server)


def _found(target: Target, names: Mapping[str, object]) -> AgentServer:
    found = {
        name: value
        for name, value in names.items()
        if isinstance(value, AgentServer | WorkerOptions)
    }
    for name in _PREFERRED:
        if name in found:
            return _as_server(found[name])
    different = {id(value): value for value in found.values()}
    if len(different) == 1:
        return _as_server(next(iter(different.values())))
    if different:
        raise Failure(
            "several_servers",
            f"the program has several servers and starts none: {', '.join(sorted(found))}",
            where=target.name,
            next_step="Start one with `cli.run_app`, or call it `server`.",
        )
    raise Failure(
        "no_server",
        "the program ended without an agent server",
        where=target.name,
        next_step="It must call `cli.run_app(server)`, or have an `AgentServer` named `server` "
        "at module level.",
    )


def _exited(target: Target, exit_: SystemExit) -> Failure:
    found = failure_of("build_exit", exit_)
    return Failure(
        "build_exit",
        f"the program exited {exit_words(exit_)} before it started a worker",
        where=found.where or target.name,
        next_step=_BY_HAND,
        trace=found.trace,
    )
