"""Keys, tokens and passwords of the environment, which must be neither kept nor printed.

Standard library only: also runs inside the candidate's interpreter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar, cast
from urllib.parse import quote

T = TypeVar("T")

# Shorter values are words and numbers: hiding those would garble what they stand in.
SHORTEST = 8
_NAME = re.compile(
    r"(?:^|_)(?:API)?KEY(?:_(?!FILE|PATH|ID)\w+)?$|SECRET|TOKEN(?!I[SZ])|PASSWORD|PASSWD|PASSPHRASE"
    r"|(?:^|_)(?:PASS|PAT|PEM|CREDENTIALS?)$|^LIVEKIT_API_|(?:^|_)(?:DSN|DATABASE_URL)$",
    re.IGNORECASE,
)


def is_secret(name: str) -> bool:
    """Whether a variable's name says that its value is a key, a token or a password."""
    return _NAME.search(name) is not None


@dataclass(frozen=True, slots=True)
class Secrets:
    """What to hide, by what it is called. Made by :meth:`of`; without it, nothing is hidden.

    Attributes:
        names: of each text to hide: a value, or a way in which one is written.
    """

    names: Mapping[str, str] = field(default_factory=dict, repr=False)
    _pattern: re.Pattern[str] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, *environs: Mapping[str, str]) -> Secrets:
        """The values of at least 8 characters of the variables whose names say that they are some.

        Those are ``*_KEY``, ``*SECRET*``, ``*TOKEN*``, ``*PASSWORD*`` and ``LIVEKIT_API_*``.
        """
        names: dict[str, str] = {}
        for name, value in sorted(item for environ in environs for item in environ.items()):
            if is_secret(name):
                for written in _spellings(value.strip()):
                    names.setdefault(written, name)
        if not names:
            return cls()
        # The longest first: one secret may begin another.
        words = sorted(names, key=len, reverse=True)
        return cls(names, re.compile("|".join(map(re.escape, words))))

    def hide(self, text: str, *, cut: bool = False) -> str:
        """``text`` with ``[NAME]`` in place of each value of a variable ``NAME``.

        Args:
            cut: whoever cut the text may have cut through a value: 8 characters of one are enough
                at either end.
        """
        if self._pattern is None:
            return text
        text = self._pattern.sub(lambda found: f"[{self.names[found[0]]}]", text)
        return self._without_ends(text) if cut else text

    def hide_in(self, value: T) -> T:
        """Plain JSON with every text in it hidden, keys of objects too."""
        return value if self._pattern is None else cast(T, self._hidden(value))

    def _hidden(self, value: object) -> object:
        if isinstance(value, str):
            return self.hide(value)
        if isinstance(value, Mapping):
            return {self.hide(str(key)): self._hidden(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._hidden(item) for item in value]
        return value

    def _without_ends(self, text: str) -> str:
        for value, name in self.names.items():
            head = next((n for n in _lengths(value, text) if text.startswith(value[-n:])), 0)
            text = f"[{name}]{text[head:]}" if head else text
            end = next((n for n in _lengths(value, text) if text.endswith(value[:n])), 0)
            text = f"{text[: len(text) - end]}[{name}]" if end else text
        return text


def _spellings(value: str) -> set[str]:
    """A value, its lines, and each as JSON and as a part of a URL write it."""
    plain = {part for part in (value, *value.splitlines()) if len(part) >= SHORTEST}
    return plain | {json.dumps(part)[1:-1] for part in plain} | {quote(p, safe="") for p in plain}


def _lengths(value: str, text: str) -> range:
    """Of the parts of a value that a text may begin or end with, the longest first."""
    return range(min(len(value) - 1, len(text)), SHORTEST - 1, -1)
