"""Why a build or a call failed, as the parent is told: what, where, what next; no traceback."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator

from lkgate.harness.netguard import NetworkRefusedError
from lkgate.harness.time.frames import is_program
from lkgate.model.event import Json

_NO_NETWORK = (
    "A replay has no network: what was recorded is answered from the cassette. Move the request "
    "into a function tool, whose answers are recorded, or replay with `--models live`."
)


class Failure(Exception):  # noqa: N818 - the project's word, a value in the parent
    """The end of a build's loading, or of a call.

    Attributes:
        kind: ``build_import``, ``build_exit``, ``no_server``, ``no_session``, ``prewarm_raised``,
            ``entrypoint_raised``, ``job_rejected``, ``deadlock``, ``horizon``, ...
        message: one sentence, no traceback.
        where: the program's own line, if there is one.
        next_step: what its author can do.
        trace: for ``--debug``.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        *,
        where: str | None = None,
        next_step: str | None = None,
        trace: str | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.where = where
        self.next_step = next_step
        self.trace = trace

    def as_json(self) -> dict[str, Json]:
        return {
            "kind": self.kind,
            "message": self.message,
            "where": self.where,
            "next_step": self.next_step,
            "traceback": self.trace,
        }


def failure_of(
    kind: str, error: BaseException, *, said: str = "", next_step: str | None = None
) -> Failure:
    """A failure because of an exception: its own words, at the program's own innermost line.

    Args:
        next_step: unless the exception itself tells what to do.
    """
    return Failure(
        kind,
        f"{said}{in_words(error)}",
        where=program_line(error),
        next_step=_cure(error) or next_step,
        trace="".join(traceback.format_exception(error)),
    )


def refusal(host: str, where: str | None) -> Failure:
    """The end of a call whose program asked for the network."""
    return Failure(
        "network_refused",
        f"the program asked for {host}, and a replay has no network",
        where=where,
        next_step=_NO_NETWORK,
    )


def is_refusal(error: BaseException) -> bool:
    """Whether an exception comes from a refused request."""
    return any(isinstance(cause, NetworkRefusedError) for cause in _causes(error))


def in_words(error: BaseException) -> str:
    """``ValueError: too late``; a long text is cut."""
    text = str(error).strip()
    name = type(error).__name__
    return f"{name}: {text[:2000]}" if text else name


def exit_words(error: SystemExit) -> str:
    """``with status 3`` or ``saying: no licence``."""
    code = error.code
    return (
        f"with status {code or 0}" if code is None or isinstance(code, int) else f"saying: {code}"
    )


def program_line(error: BaseException) -> str | None:
    """``file:line`` of the program's own code, as near as possible to where it was raised."""
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        return f"{error.filename}:{error.lineno}"
    own = [place for place in _places(error) if is_program(place[0]) and place[0][0] != "<"]
    return f"{own[-1][0]}:{own[-1][1]}" if own else None


def _cure(error: BaseException) -> str | None:
    """What to do about an exception whose reason is well known, or about what caused it."""
    for cause in _causes(error):
        if isinstance(cause, NetworkRefusedError):
            return _NO_NETWORK
        if isinstance(cause, ImportError):
            missing = cause.name or str(cause)
            return (
                f"Install what {missing!r} comes from into {sys.executable}, or correct the import."
            )
        if isinstance(cause, KeyError) and _is_of_environ(cause):
            return (
                f"Set {cause.args[0]} in the build's `env`: a replay passes no other variables of "
                "yours."
            )
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception, what caused it, and so on."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _is_of_environ(error: KeyError) -> bool:
    *_, (file, _) = [("", 0), *_places(error)]
    return file == os.environ.__getitem__.__code__.co_filename and bool(error.args)


def _places(error: BaseException) -> Iterator[tuple[str, int]]:
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
