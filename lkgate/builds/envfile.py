"""Files of variables, as programs and orchestrators load them: ``NAME=VALUE`` lines."""

from __future__ import annotations

from pathlib import Path

from lkgate.errors import ConfigError


def read_env_file(path: Path) -> dict[str, str]:
    """``NAME=VALUE`` lines; blank lines, ``# comments``, ``export`` and quotes are understood.

    Raises:
        ConfigError: with the line's number, never its text: it may be a secret.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise ConfigError(
            f"cannot read the env file: {reason}",
            where=str(path),
            next_step="Name a text file of NAME=VALUE lines that can be read.",
        ) from error
    values = {}
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        found = assignment(text)
        if found is None:
            raise ConfigError(
                "this line is no NAME=VALUE",
                where=f"{path}:{number}",
                next_step="Correct it, or begin it with # if it is a comment.",
            )
        values[found[0]] = found[1]
    return values


def assignment(line: str) -> tuple[str, str] | None:
    """Name and value of one line, ``None`` if it is none."""
    name, equals, value = line.strip().removeprefix("export ").partition("=")
    name, value = name.strip(), value.strip()
    if not equals or not name.isidentifier() or "\0" in value:
        return None
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return name, value[1:-1]
    return name, value.split(" #", 1)[0].rstrip()
