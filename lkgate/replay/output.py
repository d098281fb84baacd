"""What a process prints, drained and mostly forgotten."""

from __future__ import annotations

import os

from lkgate.secret import Secrets

_KEPT = 64 * 1024


class Output:
    """Reads a descriptor to its end and keeps the last 64 KiB.

    A build that prints 100 MB costs the reading of it and nothing else.

    Args:
        secrets: what the kept text does not hold.
    """

    def __init__(self, fd: int, secrets: Secrets) -> None:
        self.fd = fd
        self._secrets = secrets
        self.total = 0
        self._kept = bytearray()

    def drain(self) -> bool:
        """Read what is there without waiting; ``False`` once the writers are gone."""
        while True:
            try:
                data = os.read(self.fd, _KEPT)
            except BlockingIOError:
                return True
            if not data:
                return False
            self.total += len(data)
            self._kept += data
            del self._kept[:-_KEPT]

    def text(self) -> str:
        """What was kept, and how much was not."""
        text = self._secrets.hide(self._kept.decode("utf-8", errors="replace"), cut=True)
        lost = self.total - len(self._kept)
        return f"[... {lost} bytes before this are not kept ...]\n{text}" if lost else text

    def tail(self, lines: int = 12) -> str:
        """The last lines, for a message."""
        return "\n".join(self.text().rstrip().splitlines()[-lines:])

    def close(self) -> None:
        os.close(self.fd)
