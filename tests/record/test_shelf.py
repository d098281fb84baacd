from __future__ import annotations

import shutil
import threading
from pathlib import Path

from lkgate.record import shelf
from tests.record.bundles import unfinished


def test_the_size_of_a_recording_that_vanishes_meanwhile(tmp_path: Path) -> None:
    sizes = set()
    for n in range(100):
        left = unfinished(tmp_path / str(n))
        closing = threading.Thread(target=shutil.rmtree, args=(left,))
        closing.start()
        sizes.add(shelf._bytes(left))
        closing.join()
    assert min(sizes) >= 0
    whole = unfinished(tmp_path / "whole")
    assert shelf._bytes(whole) == sum(f.stat().st_size for f in whole.rglob("*.*"))
