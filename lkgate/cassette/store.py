"""A cassette's directory: reading it, choosing an answer, and adding to one.

``cassette/index.jsonl`` holds one exchange a line, ``cassette/blobs/`` what is too long for a line.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from lkgate.cassette.blobs import Blobs
from lkgate.cassette.exchange import Exchange, Origin, decode, encode
from lkgate.cassette.keys import key_of
from lkgate.cassette.miss import Miss, make_miss
from lkgate.cassette.packing import pack, unpack
from lkgate.errors import BundleError
from lkgate.model.event import Json
from lkgate.model.turn import Modality
from lkgate.secret import Secrets

INDEX = "index.jsonl"
_NONE = Secrets()


class Cassette:
    """A cassette that was read. Made by :meth:`open`."""

    def __init__(self, directory: Path, exchanges: Sequence[Exchange]):
        self.directory = directory
        self.exchanges = tuple(exchanges)
        self._blobs = Blobs(directory)
        self._by_key: dict[tuple[Modality, str], list[Exchange]] = {}
        for exchange in exchanges:
            self._by_key.setdefault((exchange.modality, exchange.key), []).append(exchange)

    @classmethod
    def open(cls, directory: Path) -> Cassette:
        """Read the index. A directory without one is an empty cassette; blobs are read later.

        Raises:
            BundleError: a line is torn or altered, or an ordinal appears twice.
        """
        path = directory / INDEX
        data = path.read_bytes() if path.is_file() else b""
        if data and not data.endswith(b"\n"):
            raise BundleError("the last line is torn", where=str(path))
        exchanges = [
            decode(line, f"{path}:{number}") for number, line in enumerate(data.splitlines(), 1)
        ]
        exchanges.sort(key=lambda found: (found.modality, found.key, found.ordinal))
        for before, after in itertools.pairwise(exchanges):
            if _place(before) == _place(after):
                raise BundleError(
                    f"{after.modality} exchange {after.key} has ordinal {after.ordinal} twice",
                    where=str(path),
                )
        return cls(directory, exchanges)

    def find(self, modality: Modality, key: str) -> Sequence[Exchange]:
        """Every exchange with this key, in the order of their requests."""
        return self._by_key.get((modality, key), ())

    def of(self, modality: Modality) -> list[Exchange]:
        """Every exchange of a modality, by key and ordinal."""
        return [found for found in self.exchanges if found.modality == modality]

    def derived(self, modality: Modality) -> bool:
        """Whether answers of this modality were made from outside."""
        return any(found.origin == "derived" for found in self.of(modality))

    def request(self, exchange: Exchange) -> dict[str, Json]:
        """The request in full."""
        return unpack(exchange.request, self._blobs.get)

    def blob(self, digest: str) -> bytes:
        """The content of a blob. Raises :class:`BundleError` if it is lost or altered."""
        return self._blobs.get(digest)

    def miss(
        self, modality: Modality, request: Mapping[str, Json], *, reason: str | None = None
    ) -> Miss:
        """Say what was asked for and what comes nearest of what was asked in the same words."""
        recorded = [
            made for found in self.of(modality) if set(made := self.request(found)) == set(request)
        ]
        return make_miss(modality, key_of(modality, request), request, recorded, reason=reason)


def pick(exchanges: Sequence[Exchange], n: int) -> Exchange | None:
    """The answer to the n-th request (from 0) with one key.

    It is the n-th recorded one, or the last if there are fewer. If whoever asked then did not wait
    for the end (a preemptive generation, an interruption), the next whole answer stands in for it,
    or the last whole one before it, for these were answers to the same request; only if there is
    no whole answer, it is the cut one. What happens when a cut answer is played to its end is
    :mod:`lkgate.harness.tape`'s affair: a moment later it is a miss.
    """
    if not exchanges:
        return None
    n = min(n, len(exchanges) - 1)
    for found in exchanges[n:]:
        if found.whole:
            return found
    for found in reversed(exchanges[:n]):
        if found.whole:
            return found
    return exchanges[n]


class NewCassette:
    """Adds exchanges to a new directory, numbered so that it can be appended to ``base``.

    Every exchange is written as soon as it has ended, without ``secrets``. Its key is that of what
    is written: what comes from the cassette later, and is asked again, holds none of them. Not for
    several processes at once.
    """

    def __init__(self, directory: Path, base: Cassette, secrets: Secrets = _NONE):
        self._secrets = secrets
        self._path = directory / INDEX
        self._blobs = Blobs(directory)
        self._base = base
        self._added: dict[tuple[Modality, str], int] = {}

    def put(self, content: bytes) -> str:
        """Write a blob and return its digest."""
        return self._blobs.put(content)

    def add(
        self,
        modality: Modality,
        t_us: int,
        request: Mapping[str, Json],
        response: Mapping[str, Json],
        *,
        origin: Origin = "live",
    ) -> None:
        """Append an exchange; ``request`` is in full."""
        request, response = self._secrets.hide_in(request), self._secrets.hide_in(response)
        key = key_of(modality, request)
        ordinal = len(self._base.find(modality, key)) + self._added.get((modality, key), 0)
        self._added[modality, key] = self._added.get((modality, key), 0) + 1
        line = encode(
            Exchange(modality, key, ordinal, t_us, pack(request, self._blobs.put), response, origin)
        )
        append(self._path, line)


def append(path: Path, line: str) -> None:
    """Append one line in one write, so that no reader sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, f"{line}\n".encode())
    finally:
        os.close(descriptor)


def _place(exchange: Exchange) -> tuple[str, str, int]:
    return exchange.modality, exchange.key, exchange.ordinal
