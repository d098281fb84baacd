"""Whether the builds of the settings can be replayed into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lkgate.builds import identify, resolve, unsupported
from lkgate.config import Config
from lkgate.diagnosis.finding import Finding, of_error
from lkgate.errors import LkgateError

# A replay waits longer for an interpreter; who asks what is wrong does not.
_LIMIT_S = 10


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
            versions = identify(build, _LIMIT_S).versions
        except LkgateError as error:
            yield of_error(what, error, f"Correct [tool.lkgate.builds.{name}].")
            continue
        yield supported(what, versions)


def supported(what: str, versions: Mapping[str, str]) -> Finding:
    """Whether a replay works with these versions.

    Args:
        versions: of the packages in a build's interpreter, and of Python.
    """
    said = ", ".join(
        f"{name} {versions[name]}" for name in ("livekit-agents", "livekit") if name in versions
    )
    said += f", Python {versions.get('python', '?')}"
    reason = unsupported(versions)
    if reason is not None:
        return Finding(what, "wrong", reason, "Install one that is, or a newer lkgate.")
    return Finding(what, "ok", said)
