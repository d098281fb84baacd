"""Whether the recordings can be replayed."""

from __future__ import annotations

from pathlib import Path

from lkgate.diagnosis.finding import Finding, of_error
from lkgate.errors import LkgateError
from lkgate.replay.recordings import each_recording


def recordings(directory: Path) -> Finding:
    """How many there are, and how many of them cannot be read; of these, the first one's reason.

    Reads all of them, some 30 of a minute in a second.
    """
    try:
        found = list(each_recording(directory))
    except OSError as error:
        remedy = "Make it a directory that can be read, or correct `recordings`."
        return Finding("recordings", "wrong", f"{directory}: {error.strerror}", remedy)
    wrong = [one for one in found if isinstance(one, LkgateError)]
    held = len(found) - len(wrong)
    said = f"{held} recording{'' if held == 1 else 's'} in {directory}"
    if wrong:
        first = of_error("recordings", wrong[0], "Get it from where it came, or remove it.")
        said += f", and {len(wrong)} that cannot be read: {first.said}"
        return Finding("recordings", "wrong", said, first.remedy)
    if not held:
        return Finding("recordings", "note", said, "Record, import or promote a call.")
    return Finding("recordings", "ok", said)
