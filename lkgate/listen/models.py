"""Local models of the extra ``quality``: found where their packages put the weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from lkgate.errors import ConfigError


def directory_of(package: str) -> Path:
    """Where a package's files are. The package itself is not imported: only its weights count.

    Raises:
        ConfigError: it is not installed.
    """
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise ConfigError(
            f"a metric of the gate needs local models, and {package} is not installed",
            next_step="python -m pip install 'lkgate[quality]'",
        )
    return Path(found.submodule_search_locations[0])


@contextmanager
def needed() -> Iterator[None]:
    """Turns the absence of a library that runs the models into an error that says what to do."""
    try:
        yield
    except ImportError as error:
        raise ConfigError(
            f"a metric of the gate needs local models, and {error.name} is not installed",
            next_step="python -m pip install 'lkgate[quality]'",
        ) from error
