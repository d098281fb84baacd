"""Versions that a replay works with: of Python and of LiveKit, in the build's own interpreter."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lkgate.errors import BuildError

# name -> (the oldest, the first that is too new), as tests/e2e/test_versions.py tries them. An
# older `livekit` speaks another protocol with its native library; what a newer one does
# differently nobody knows, and a replay that is wrong without saying so is worse than none.
_RANGES: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "python": ((3, 11), (3, 14)),
    "livekit-agents": ((1, 7, 1), (1, 9)),
    "livekit": ((1, 1, 15), (1, 2)),
}
AGENTS = "livekit-agents>=1.7.1,<1.9"  # what pip takes


def unsupported(versions: Mapping[str, str]) -> str | None:
    """Why a replay cannot run there, naming the range; ``None`` if it can.

    Args:
        versions: as :func:`lkgate.builds.identify` finds them. One that is no number says nothing.
    """
    for name, (oldest, too_new) in _RANGES.items():
        found = _parts(versions.get(name, ""))
        if found is not None and not oldest <= found < too_new:
            what = "Python" if name == "python" else name
            return (
                f"{what} {versions[name]} is not supported: a replay works with {what} "
                f"{_text(oldest)} or newer, below {_text(too_new)}"
            )
    return None


def require_supported(name: str, python: str, versions: Mapping[str, str]) -> None:
    """Refuse a build whose replay nobody vouches for.

    Args:
        name: the build's.
        python: its interpreter.

    Raises:
        BuildError: a version is outside of its range.
    """
    reason = unsupported(versions)
    if reason is not None:
        raise BuildError(
            f"build `{name}`: {reason}",
            where=python,
            next_step=f"Install one that is (`pip install '{AGENTS}'`), see whether a newer lkgate "
            "knows it, or call the agent in real rooms: --transport room.",
        )


def _parts(version: str) -> tuple[int, ...] | None:
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else None


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
