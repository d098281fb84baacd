"""A team's table of prices. lkgate has none of its own: prices change, and differ by contract."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from pathlib import Path

import jsonschema

from lkgate import document
from lkgate.errors import ConfigError
from lkgate.model.event import Json
from lkgate.model.price import Price, PriceTable

_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
_MAX_BYTES = 1 << 20


def read_prices(path: Path) -> PriceTable:
    """Read and check a table of prices.

    Raises:
        ConfigError: it cannot be read, or does not follow its schema; with line and column.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"the table of prices cannot be read: {error.strerror or error}",
            where=str(path),
            next_step="Set `prices` under [tool.lkgate] to the file, or leave it out.",
        ) from error
    if len(data) > _MAX_BYTES:
        raise ConfigError("the table of prices is larger than 1 MB", where=str(path))
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise ConfigError("the table of prices is not UTF-8", where=str(path)) from None
    return parse_prices(text, str(path))


def parse_prices(text: str, name: str) -> PriceTable:
    """A table from the text of a file; ``name`` is the file, for messages.

    Raises:
        ConfigError: as :func:`read_prices`.
    """
    read = document.parse(text, name, ConfigError)
    error = jsonschema.exceptions.best_match(_validator().iter_errors(read.value))
    if error is not None:
        path: document.Path = tuple(error.absolute_path)
        place = ".".join(map(str, path))
        raise read.error(
            f"{place}: {error.message}" if place else error.message,
            path,
            "See docs/metrics.md for what a table of prices holds.",
        )
    value = read.value
    assert isinstance(value, dict)  # the schema says so
    date, currency, models = value["date"], value["currency"], value["models"]
    assert isinstance(date, str)
    if not _DATE.fullmatch(date):
        raise read.error(f"`{date}` is no date", ("date",), "Write it as 2026-11-20.")
    assert isinstance(currency, str)
    assert isinstance(models, dict)
    return PriceTable(date, currency, {name: _price(one) for name, one in models.items()})


def _price(value: Json) -> Price:
    assert isinstance(value, dict)
    numbers = {key: float(n) for key, n in value.items() if isinstance(n, int | float)}
    return Price(**numbers)


@cache
def _validator() -> jsonschema.Draft202012Validator:
    text = files("lkgate.config").joinpath("prices.json").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(json.loads(text))
