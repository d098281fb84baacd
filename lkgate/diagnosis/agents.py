"""Whether the builds of the settings can be replayed into."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from lkgate.builds import identify, resolve
from lkgate.config import Config
from lkgate.diagnosis.finding import Finding, of_error
from lkgate.errors import LkgateError

# What the harness stands below: the versions of each that replays were tested with.
TESTED: Mapping[str, tuple[int, int]] = {"livekit-agents": (1, 8), "livekit": (1, 1)}


def build_findings(config: Config) -> Iterator[Finding]:
    """One for each build: its program, its interpreter, and LiveKit's versions in there.

    Runs the interpreters, not the programs.
    """
    if not config.builds:
        remedy = "Run `lkgate init`, or declare one under [tool.lkgate.builds]."
        yield Finding("builds", "note", "none is declared", remedy)
    for name in config.builds:
        what = f"build {name}"
        try:
            build = resolve(name, config)
            if not build.virtual:
                yield Finding(what, "ok", "is called in rooms alone: --transport room")
                continue
            versions = identify(build).versions
        except LkgateError as error:
            yield of_error(what, error)
            continue
        yield supported(what, versions)


def supported(what: str, versions: Mapping[str, str]) -> Finding:
    """Whether replays were tested with these versions.

    Args:
        versions: of the packages in a build's interpreter, and of Python.
    """
    said = ", ".join(
        f"{name} {versions[name]}" for name in ("livekit-agents", "livekit") if name in versions
    )
    said += f", Python {versions.get('python', '?')}"
    for name, tested in TESTED.items():
        found = _minor(versions.get(name, ""))
        if found is None or found != tested:
            line = ".".join(map(str, tested))
            other = "newer" if found is not None and found > tested else "other"
            return Finding(
                what,
                "note",
                f"{said}: replays are tested with {name} {line}",
                f"Try it: `lkgate replay --verify 2 --no-gate`. With a {other} {name}, see whether "
                "a newer lkgate knows it.",
            )
    return Finding(what, "ok", said)


def _minor(version: str) -> tuple[int, int] | None:
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else None
