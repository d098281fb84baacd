"""Python's garbage collector, kept away from what is judged."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_waits() -> Iterator[None]:
    """No collection meanwhile.

    What is measured of a thousand calls is kept until they are judged, and has no cycles. The
    collector would walk through all of it again and again, a fifth of the time.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
