"""Reading JSON objects field by field, so that nothing of the wrong shape gets further."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from lkgate.errors import BundleError
from lkgate.model.event import Json

_HEX = re.compile(r"[0-9a-f]{64}")

Word = TypeVar("Word", bound=str)


class Fields:
    """The fields of one JSON object. Every getter raises :class:`BundleError`.

    Args:
        value: what should be an object.
        where: the file it stands in.
        path: its place in the file, ``""`` for the whole.
        next_step: what the user can do about a file that is wrong.
    """

    def __init__(self, value: Json, *, where: str, path: str = "", next_step: str | None = None):
        self._where = where
        self._path = path
        self._next_step = next_step
        if not isinstance(value, dict):
            raise self.wrong(f"{path or 'the file'} should be an object")
        self._value = value

    def wrong(self, what: str) -> BundleError:
        """The error that says ``what`` about this object."""
        return BundleError(what, where=self._where, next_step=self._next_step)

    def text(self, name: str, *, empty: bool = False) -> str:
        value = self._get(name)
        if not isinstance(value, str) or not (value or empty):
            raise self._expected(name, "text")
        return value

    def text_or_none(self, name: str) -> str | None:
        return None if self._get(name) is None else self.text(name)

    def has(self, name: str) -> bool:
        """Whether there is a value, and it is not null."""
        return self._value.get(name) is not None

    def value(self, name: str) -> Json:
        """Whatever it is, ``None`` for one that is missing."""
        return self._value.get(name)

    def all(self) -> dict[str, Json]:
        """Every field."""
        return dict(self._value)

    def picked(self, *names: str) -> dict[str, Json]:
        """Some fields, ``None`` for those that are missing."""
        return {name: self.value(name) for name in names}

    def optional_text(self, name: str) -> str | None:
        """``None`` for one that is missing, null or empty."""
        return self.text(name, empty=True) or None if self.has(name) else None

    def word(self, name: str, words: tuple[Word, ...]) -> Word:
        """One of a few words."""
        value = self._get(name)
        for word in words:
            if value == word:
                return word
        raise self._expected(name, "one of " + ", ".join(words))

    def integer(self, name: str, *, minimum: int | None = None, maximum: int | None = None) -> int:
        value = self._get(name)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self._expected(name, "an integer")
        if (minimum is not None and value < minimum) or (maximum is not None and value > maximum):
            raise self.wrong(f"{self._at(name)} is {value}, outside {minimum} to {maximum}")
        return value

    def integer_or_none(self, name: str) -> int | None:
        return None if self._get(name) is None else self.integer(name)

    def number(self, name: str) -> float:
        """An integer or a fraction, finite (JSON's ``1e999`` is not)."""
        value = self._get(name)
        # Also integers of any size: beyond this, none is a quantity of anything here.
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e18:
            raise self._expected(name, "a number")
        return float(value)

    def number_or_none(self, name: str) -> float | None:
        """``None`` for null and for one that is missing."""
        return self.number(name) if self.has(name) else None

    def digest(self, name: str) -> str:
        """A hex sha256."""
        value = self._get(name)
        if not isinstance(value, str) or not _HEX.fullmatch(value):
            raise self._expected(name, "a hex sha256")
        return value

    def digest_or_none(self, name: str) -> str | None:
        return None if self._get(name) is None else self.digest(name)

    def object(self, name: str, *, absent: dict[str, Json] | None = None) -> dict[str, Json]:
        """An object; ``absent`` stands for one that is missing or null, if it is given."""
        if absent is not None and self._value.get(name) is None:
            return absent
        value = self._get(name)
        if not isinstance(value, dict):
            raise self._expected(name, "an object")
        return value

    def texts(self, name: str) -> Mapping[str, str]:
        """An object of texts."""
        found: dict[str, str] = {}
        for key, value in self.object(name).items():
            if not isinstance(value, str):
                raise self._expected(f"{name}.{key}", "text")
            found[key] = value
        return found

    def items(self, name: str) -> list[Json]:
        value = self._get(name)
        if not isinstance(value, list):
            raise self._expected(name, "a list")
        return value

    def fields(self, name: str) -> Fields:
        """An object, to be read in turn."""
        return Fields(
            self._get(name), where=self._where, path=self._at(name), next_step=self._next_step
        )

    def fields_or_none(self, name: str, *, optional: bool = False) -> Fields | None:
        """``None`` for null, and for one that is missing if it is ``optional``."""
        if optional and name not in self._value:
            return None
        return None if self._get(name) is None else self.fields(name)

    def each(self, name: str) -> list[Fields]:
        """A list of objects, each to be read in turn."""
        return [
            Fields(
                item,
                where=self._where,
                path=f"{self._at(name)}[{number}]",
                next_step=self._next_step,
            )
            for number, item in enumerate(self.items(name))
        ]

    def pairs(self, name: str) -> list[tuple[int, int]]:
        """A list of pairs of integers."""
        found: list[tuple[int, int]] = []
        for item in self.items(name):
            match item:
                case [int(first), int(second)] if type(first) is type(second) is int:
                    found.append((first, second))
                case _:
                    raise self._expected(name, "a list of pairs of integers")
        return found

    def _at(self, name: str) -> str:
        return f"{self._path}.{name}" if self._path else name

    def _get(self, name: str) -> Json:
        if name not in self._value:
            raise self.wrong(f"{self._at(name)} is missing")
        return self._value[name]

    def _expected(self, name: str, what: str) -> BundleError:
        return self.wrong(f"{self._at(name)} should be {what}")
