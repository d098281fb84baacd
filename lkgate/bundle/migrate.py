"""From an older manifest to today's, one function per version step.

A step takes the manifest's object as that version wrote it, after its seal was verified, and
returns it as the next version has it. Steps never touch ``digest``: what a session was does not
change with the format. Golden bundles of every version are in ``tests/bundle/golden``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lkgate.errors import BundleError
from lkgate.model.bundle import FORMAT
from lkgate.model.event import Json

Step = Callable[[dict[str, Json]], dict[str, Json]]

STEPS: Mapping[int, Step] = {}
"""From the format that is the key to the one after it."""


def migrate(
    raw: dict[str, Json], where: str, *, steps: Mapping[int, Step] = STEPS, target: int = FORMAT
) -> dict[str, Json]:
    """Apply the steps from the manifest's own format to ``target``.

    A format above ``target`` is left as it is: its ``min_reader`` says that it can be read.

    Raises:
        BundleError: if the manifest has no format, or one that never was.
    """
    found = raw.get("format")
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise BundleError(f"format should be a version number, not {found!r}", where=where)
    for version in range(found, target):
        raw = steps[version](raw)
    return raw
