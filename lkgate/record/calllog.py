"""What a recorder that runs by itself says: one JSON object a line."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from lkgate.model.event import Json
from lkgate.secret import Secrets

Write = Callable[[str], None]
_LIBRARIES = ("livekit", "asyncio", "aiohttp")


class CallLog:
    """Writes lines with ``time`` (UTC) and ``event`` first.

    Args:
        write: takes a line without its end, on any thread.
        now_unix_us: the wall clock.
        secrets: what no line may hold.
    """

    def __init__(self, write: Write, *, now_unix_us: Callable[[], int], secrets: Secrets):
        self._write = write
        self._now_unix_us = now_unix_us
        self._secrets = secrets

    def line(self, event: str, **fields: Json) -> None:
        """Fields that are ``None`` are left out."""
        at = datetime.fromtimestamp(self._now_unix_us() / 1e6, UTC)
        said = {key: value for key, value in fields.items() if value is not None}
        told = {
            "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "event": event,
            **self._secrets.hide_in(said),
        }
        self._write(json.dumps(told, ensure_ascii=False))

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
