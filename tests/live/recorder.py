"""``record_room`` as a process of its own, to interrupt and to kill.

Usage: python recorder.py ROOM OUT. Prints "recording" when the agent is there, and the bundle's
path at the end.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from lkgate.record import Credentials, Progress, RecordOptions, record_room


def main() -> None:
    room, out = sys.argv[1:]
    said = set()

    def say(progress: Progress) -> None:
        if progress.state not in said:
            said.add(progress.state)
            print(progress.state, flush=True)

    options = RecordOptions(room, Path(out), Credentials.read(os.environ))
    print(asyncio.run(record_room(options, on_progress=say)), flush=True)


if __name__ == "__main__":
    main()
