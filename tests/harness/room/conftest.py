"""The virtual room takes the native library's place for good: these tests run in a process of
their own, which ``tests/harness/test_room_alone.py`` starts."""

from __future__ import annotations

import os

collect_ignore_glob = [] if os.environ.get("LKGATE_TESTS_ALONE") else ["test_*.py"]
