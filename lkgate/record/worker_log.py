"""What a worker's own log tells of its load and its jobs. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

_TAKES_NONE = "worker is at full capacity, marking as unavailable"
_TAKES_SOME = "worker is below capacity, marking as available"
_OFFERED = "received job request"
_LISTENS = "HTTP server listening on "
_ANYWHERE = ("", "0.0.0.0", "::")
_FAILED = "unhandled exception while running the job task"
_EXITED = "process exited with non-zero exit code"
_KILLED = ("process did not", "process is unresponsive, killing process")


@dataclass(slots=True)
class WorkerLog:
    """Facts from the JSON lines of livekit-agents' ``start``; other lines tell nothing.

    Attributes:
        addresses: of its health check, one of which answers; empty if it has none, or has not said
            so yet.
        load, threshold: of when it last said that it takes no more jobs; ``None`` if it takes some.
        offered: ids of the dispatches of which it was offered a job.
        errors: by job, why it ended.
    """

    addresses: tuple[str, ...] = ()
    load: float | None = None
    threshold: float | None = None
    offered: set[str] = field(default_factory=set)
    errors: dict[str, str] = field(default_factory=dict)

    def line(self, text: str) -> None:
        """Take one line."""
        if not text.startswith("{"):
            return
        try:
            record = json.loads(text)
        except ValueError:
            return
        message = str(record.get("message", ""))
        if message.startswith(_LISTENS):
            host, _, port = message.removeprefix(_LISTENS).rpartition(":")
            # With port 0 each of its two sockets has a port of its own, and it tells that of one.
            hosts = ("127.0.0.1", "[::1]") if host in _ANYWHERE else (host,)
            self.addresses = tuple(f"http://{here}:{port}" for here in hosts)
        elif message == _TAKES_NONE:
            self.load, self.threshold = _share(record, "load"), _share(record, "threshold")
        elif message == _TAKES_SOME:
            self.load = self.threshold = None
        elif message == _OFFERED:
            self.offered.add(str(record.get("dispatch_id")))
        elif message.startswith((_FAILED, _EXITED, *_KILLED)):
            trace = str(record.get("exc_info", "")).strip().splitlines()
            # The first is the reason, the others what followed from it.
            self.errors.setdefault(
                str(record.get("job_id")), trace[-1].strip() if trace else message
            )


def _share(record: dict[str, object], name: str) -> float | None:
    value = record.get(name)
    return float(value) if isinstance(value, int | float) else None
