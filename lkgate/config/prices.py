"""A team's table of prices. lkgate has none of its own: prices change, and differ by contract."""

from __future__ import annotations

import re
from pathlib import Path

import jsonschema

from lkgate import document
from lkgate.errors import ConfigError
from lkgate.model.event import Json
from lkgate.model.price import Price, PriceTable

_DATE = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")


def read_prices(path: Path) -> PriceTable:
    """Read and check a table of prices.

    Raises:
        ConfigError: it cannot be read, or does not follow its schema; with line and column.
    """
    text = document.read(
        path,
        "the table of prices",
        ConfigError,
        "Set `prices` under [tool.lkgate] to the file, or leave it out.",
    )
    return parse_prices(text, str(path))


def parse_prices(text: str, name: str) -> PriceTable:
    """A table from the text of a file; ``name`` is the file, for messages.

    Raises:
        ConfigError: as :func:`read_prices`.
    """
    read = document.parse(text, name, ConfigError)
    validator = document.validator("lkgate.config", "prices.json")
    error = jsonschema.exceptions.best_match(validator.iter_errors(read.value))
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
