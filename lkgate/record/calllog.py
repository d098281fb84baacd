"""What a recorder that runs by itself says: one JSON object a line."""

from __future__ import annotations

import errno
import json
import logging
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock

from lkgate.model.event import Json
from lkgate.secret import Secrets

Write = Callable[[str], None]
_LIBRARIES = ("livekit", "asyncio", "aiohttp")


class Lines:
    """Writes whole lines to a file descriptor, each by one call: they come from several threads."""

    def __init__(self, file: int):
        self._file = file
        self._torn = False

    def __call__(self, line: str) -> None:
        """Append a line.

        Raises:
            OSError: if that fails. A part that was written is ended before the next line.
        """
        text = f"{line}\n".encode(errors="backslashreplace")
        if self._torn:
            text = b"\n" + text
        written = os.write(self._file, text)
        self._torn = written != len(text)
        if self._torn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class CallLog:
    """Writes lines with ``time`` (UTC) and ``event`` first.

    A line that cannot be written is counted, and the count told as soon as one can: the calls that
    are being recorded matter more.

    Args:
        write: takes a line without its end, on any thread; raises ``OSError`` if it cannot.
        now_unix_us: the wall clock.
        secrets: what no line may hold.
    """

    def __init__(self, write: Write, *, now_unix_us: Callable[[], int], secrets: Secrets):
        self._write = write
        self._now_unix_us = now_unix_us
        self._secrets = secrets
        self._missed = 0
        self._lock = Lock()

    def line(self, event: str, **fields: Json) -> None:
        """Fields that are ``None`` are left out."""
        with self._lock:
            try:
                if self._missed:
                    self._write(self._text("log_missed", lines=self._missed))
                    self._missed = 0
                self._write(self._text(event, **fields))
            except OSError:
                self._missed += 1

    def _text(self, event: str, **fields: Json) -> str:
        at = datetime.fromtimestamp(self._now_unix_us() / 1e6, UTC)
        said = {key: value for key, value in fields.items() if value is not None}
        told = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "event": event,
            **self._secrets.hide_in(said),
        }
        return json.dumps(told, ensure_ascii=False)

    def take_over(self) -> None:
        """From now on, what libraries warn of is a line as well.

        To the end of the process: livekit has something to say when all is over.
        """
        for name in _LIBRARIES:
            logging.getLogger(name).addHandler(_Handler(self))


def now_unix_us() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000


class _Handler(logging.Handler):
    def __init__(self, log: CallLog):
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
            if record.exc_info and record.exc_info[1] is not None:
                message += f": {record.exc_info[1]!r}"
            self._log.line("library", level=record.levelname.lower(), message=message)
        except Exception:  # noqa: BLE001 - as every handler of logging does
            self.handleError(record)
