"""What a recorder that runs by itself says: one JSON object a line."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from lkgate.model.event import Json
from lkgate.secret import Secrets

Write = Callable[[str], None]


class CallLog:
    """Writes lines with ``time`` (UTC) and ``event`` first.

    Args:
        write: takes a line without its end.
        now_unix_us: the wall clock.
        secrets: what no line may hold.
    """

    def __init__(self, write: Write, *, now_unix_us: Callable[[], int], secrets: Secrets):
        self._write = write
        self._now_unix_us = now_unix_us
        self._secrets = secrets

    def line(self, event: str, **fields: Json) -> None:
        """Fields that are ``None`` are left out."""
        time = datetime.fromtimestamp(self._now_unix_us() / 1e6, UTC)
        said = {key: value for key, value in fields.items() if value is not None}
        told = {
            "time": time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "event": event,
            **self._secrets.hide_in(said),
        }
        self._write(json.dumps(told, ensure_ascii=False))

    def handler(self) -> logging.Handler:
        """For what libraries log: warnings and errors become lines as well."""
        return _Handler(self)


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
