"""Answers of something that has a state, by all that it was asked before."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

# Of a record: the question's digest, the answer's length, and a checksum of both and the answer.
_HEAD = struct.Struct("<16sII")
_LENGTH = struct.Struct("<I")
_BUFFER = 1 << 16


class History:
    """Follows the answers of an earlier run as long as the questions are the same.

    Ask :meth:`known` for every question, in order; where it has no answer, compute it and tell
    :meth:`learn`. Before the first such answer, what answers is brought to where it would be: it
    was asked nothing up to then. One process at a time has a history; another one does without.

    Args:
        file: need not exist; its directory must.
        asked: a path for this run's questions, on which nothing is left.
        of: what answers, with its version and settings.
        redo: asks a question once more, whose answer is known.
    """

    def __init__(self, file: Path, asked: Path, *, of: str, redo: Callable[[bytes], object]):
        self._of = of.encode()
        self._redo = redo
        self._place = 0
        self._follows = False
        self._file: IO[bytes] | None = None
        self._asked: _Asked | None = None
        with contextlib.suppress(OSError):
            fd = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
            self._file = os.fdopen(fd, "r+b", buffering=_BUFFER)
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._asked = _Asked(asked)
            self._follows = True
        if not self._follows:
            self._stop()

    def known(self, question: bytes) -> bytes | None:
        """The answer, or ``None`` from the first question on that has none."""
        if not self._follows or self._file is None or self._asked is None:
            return None
        answer = self._next(question, self._file)
        if answer is None:
            self._leave()
            return None
        self._asked.add(question)
        return answer

    def learn(self, question: bytes, answer: bytes) -> None:
        """Keep an answer for the next run."""
        if self._file is None:
            return
        digest = self._digest(question)
        try:
            self._file.write(_HEAD.pack(digest, len(answer), _check(digest, answer)))
            self._file.write(answer)
        except OSError:  # a full disk costs time, not the call
            self._stop()

    def close(self) -> None:
        """Write down what was learnt."""
        self._stop()

    def _next(self, question: bytes, file: IO[bytes]) -> bytes | None:
        head = file.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return None
        digest, length, check = _HEAD.unpack(head)
        if digest != self._digest(question):
            return None
        answer = file.read(length)
        if len(answer) < length or check != _check(digest, answer):
            return None
        self._place += _HEAD.size + length
        return answer

    def _leave(self) -> None:
        """From here on nothing is known. What is to answer now has to hear all that was asked."""
        self._follows = False
        asked, self._asked = self._asked, None
        if asked is None or self._file is None:
            return
        for question in asked.all():
            self._redo(question)
        asked.close()
        try:
            self._file.seek(self._place)
            self._file.truncate()
        except OSError:
            self._stop()

    def _stop(self) -> None:
        for file in (self._file, self._asked):
            if file is not None:
                with contextlib.suppress(OSError):
                    file.close()
        self._file = self._asked = None
        self._follows = False

    def _digest(self, question: bytes) -> bytes:
        digest = hashlib.blake2b(self._of, digest_size=16)
        digest.update(question)
        return digest.digest()


class _Asked:
    """This run's questions, on the disk as long as it takes them: they may be hours of audio."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        path.unlink()
        self._tail = bytearray()
        self._takes = True

    def add(self, question: bytes) -> None:
        self._tail += _LENGTH.pack(len(question))
        self._tail += question
        if self._takes and len(self._tail) >= _BUFFER:
            try:
                del self._tail[: os.write(self._fd, self._tail)]
            except OSError:  # full
                self._takes = False

    def all(self) -> Iterator[bytes]:
        """Each of them, in order."""
        os.lseek(self._fd, 0, os.SEEK_SET)
        held = bytearray()
        while part := os.read(self._fd, _BUFFER):
            held += part
            yield from _complete(held)
        held += self._tail
        yield from _complete(held)

    def close(self) -> None:
        os.close(self._fd)


def _complete(held: bytearray) -> Iterator[bytes]:
    """The whole questions at the beginning of ``held``, which are taken out of it."""
    at = 0
    while len(held) >= at + _LENGTH.size:
        end = at + _LENGTH.size + _LENGTH.unpack_from(held, at)[0]
        if len(held) < end:
            break
        yield bytes(held[at + _LENGTH.size : end])
        at = end
    del held[:at]


def _check(digest: bytes, answer: bytes) -> int:
    return zlib.crc32(answer, zlib.crc32(digest))
