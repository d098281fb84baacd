"""Which line of which file is the program's own: what a person can do something about."""

from __future__ import annotations

import sysconfig
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

_LIBRARY = tuple(
    {sysconfig.get_path(name) + "/" for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    | {f"{Path(__file__).resolve().parents[2]}/", "<frozen"}
)

Place = tuple[str, int, str]


def is_program(file: str) -> bool:
    """Whether a file is neither Python's, nor an installed library's, nor lkgate's."""
    return not file.startswith(_LIBRARY) and "/site-packages/" not in file


def program_line(frame: FrameType | None) -> str | None:
    """``file:line`` of the innermost frame that is the program's own; not who runs the loop."""
    for file, line, function in stack(frame):
        if function.endswith("._run_once"):
            return None
        if is_program(file):
            return f"{file}:{line}"
    return None


def stack(frame: FrameType | None) -> Iterator[Place]:
    """File, line and function of a frame and its callers, innermost first."""
    while frame is not None:
        yield frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_qualname
        frame = frame.f_back


def awaits(awaited: object) -> Iterator[Place]:
    """File, line and function down a chain of awaits, outermost first."""
    for _ in range(200):
        for kind, inner in (("cr", "cr_await"), ("gi", "gi_yieldfrom"), ("ag", "ag_await")):
            frame: FrameType | None = getattr(awaited, f"{kind}_frame", None)
            if frame is not None:
                yield frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_qualname
                awaited = getattr(awaited, inner, None)
                break
        else:
            return


def in_words(innermost_first: list[Place]) -> str:
    """The program's innermost line, or else the library's own place.

    ``agent.py:41 in entrypoint``, ``Event.wait (locks.py:213)`` or ``not started``.
    """
    for file, line, function in innermost_first:
        if is_program(file):
            return f"{file}:{line} in {function}"
    if not innermost_first:
        return "not started"
    file, line, function = innermost_first[0]
    return f"{function} ({file.rsplit('/', 1)[-1]}:{line})"
