"""The range of versions that a replay takes, and what is said outside of it."""

from __future__ import annotations

import pytest

from lkgate.builds import require_supported, unsupported
from lkgate.errors import BuildError

GOOD = {"python": "3.12.1", "livekit-agents": "1.8.9", "livekit": "1.1.21", "numpy": "2.5.5"}


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("python", ("3.11.0", "3.13.9"), ("3.10.13", "3.14.0")),
        ("livekit-agents", ("1.7.1", "1.8", "1.8.0rc1", "1.8.10"), ("1.7.0", "1.7", "1.9.0", "2")),
        ("livekit", ("1.1.15", "1.1.100"), ("1.1.14", "1.2.0", "0.9")),
    ],
)
def test_the_range(name: str, inside: tuple[str, ...], outside: tuple[str, ...]) -> None:
    for version in inside:
        assert unsupported(GOOD | {name: version}) is None, version
    for version in outside:
        reason = unsupported(GOOD | {name: version})
        assert reason is not None and version in reason
    # Of a version that is none, nothing is known.
    assert unsupported(GOOD | {name: "unknown"}) is None


def test_what_is_said() -> None:
    require_supported("v2", "venv/bin/python", GOOD)
    with pytest.raises(BuildError) as refused:
        require_supported("v2", "venv/bin/python", GOOD | {"livekit-agents": "1.6.10"})
    assert str(refused.value) == (
        "venv/bin/python: build `v2`: livekit-agents 1.6.10 is not supported: a replay works with "
        "livekit-agents 1.7.1 or newer, below 1.9\n"
        "  Install one that is (`pip install 'livekit-agents>=1.7.1,<1.9'`), see whether a newer "
        "lkgate knows it, or call the agent in real rooms: --transport room."
    )
