"""The variables that a build runs with, and which of them must not be told."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from lkgate.builds.envfile import assignment
from lkgate.model.build import Build
from lkgate.secret import Secrets, is_secret

# A program loads these itself, without anybody telling lkgate.
_ENV_FILES = (".env", ".env.local")

# What a program may need to run at all, without what would make a replay depend on the machine.
_INHERITED = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "LD_LIBRARY_PATH"}
_INHERITED_PREFIXES = ("HF_", "XDG_", "DYLD_", "SSL_CERT_")
_FIXED = {"PYTHONHASHSEED": "0", "TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
_OURS = ("PYTHON", "LKGATE_", "LC_", "COVERAGE_")
_OURS_TOO = {"TZ", "LANG", "LANGUAGE", "VIRTUAL_ENV"}


def environment(build: Build, *, everything: bool) -> dict[str, str]:
    """The variables that a build runs with.

    Args:
        everything: also what the user's shell has set, keys above all: for a replay that may ask
            providers. Else a replay must not depend on the machine, and gets none of it.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name in _INHERITED
        or (name.startswith(_INHERITED_PREFIXES) and not is_secret(name))
        or (everything and not name.startswith(_OURS) and name not in _OURS_TOO)
    }
    return inherited | dict(build.env) | _FIXED


def secrets_of(build: Build | None, environ: Mapping[str, str]) -> Secrets:
    """What a build's output and bundles must not hold.

    Args:
        build: also what its ``.env`` and ``.env.local`` hold, in the directory that it runs in and
            in that of its program.
        environ: that it runs with.
    """
    environs = [environ]
    if build is not None:
        for place in {build.cwd, *((build.program.parent,) if build.program else ())}:
            environs += [_loaded(place / name) for name in _ENV_FILES]
    return Secrets.of(*environs)


def _loaded(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}  # the program cannot read it either
    return dict(found for line in lines if (found := assignment(line)) is not None)
