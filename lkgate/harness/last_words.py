"""Where a process was when it died: tracebacks that it leaves behind, and reading them."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import re
from typing import NoReturn

from lkgate.harness.time.frames import is_program

_PLACE = re.compile(r'^  File "(/.*)", line (\d+)', re.MULTILINE)


def leave_last_words(fd: int) -> None:
    """Should this process die of a crash, an abort or ``os._exit``, tracebacks are written.

    They are as :mod:`faulthandler` writes them. ``fd`` must stay open.
    """
    faulthandler.enable(fd)
    own, leave = os.getpid(), os._exit

    def exit_from(status: int) -> NoReturn:
        if os.getpid() == own:
            with contextlib.suppress(OSError):  # the program may have closed what it did not open
                faulthandler.dump_traceback(fd)
        leave(status)

    os._exit = exit_from


def last_place(words: str) -> str | None:
    """``file:line`` of the program where the process was: the thread that died first.

    The words may be those of another interpreter than this one.
    """
    current = words.partition("Current thread")[2].partition("\n\n")[0]
    for text in (current, words):
        for file, line in _PLACE.findall(text):
            if is_program(file) and "/lib/python3" not in file:
                return f"{file}:{line}"
    return None
