from __future__ import annotations

import errno
import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from lkgate.record.calllog import CallLog, Lines
from lkgate.secret import Secrets


def test_lines() -> None:
    lines: list[str] = []
    secrets = Secrets.of({"LIVEKIT_API_SECRET": "only-for-tests"})
    log = CallLog(lines.append, now_unix_us=lambda: 1_700_000_000_123_456, secrets=secrets)
    log.line("call", room="приёмная\n{}", error="with only-for-tests", bytes=3, reason=None)
    assert lines == [
        '{"time": "2023-11-14T22:13:20.123Z", "event": "call", "room": "приёмная\\n{}", '
        '"error": "with [LIVEKIT_API_SECRET]", "bytes": 3}'
    ]


def test_what_libraries_warn_of(monkeypatch: Any) -> None:
    lines: list[str] = []
    log = CallLog(lines.append, now_unix_us=lambda: 0, secrets=Secrets())
    logger = logging.getLogger("livekit")
    monkeypatch.setattr(logger, "handlers", [])
    monkeypatch.setattr(logging.getLogger("asyncio"), "handlers", [])
    monkeypatch.setattr(logging.getLogger("aiohttp"), "handlers", [])
    log.take_over()
    logger.info("nothing")
    try:
        raise ValueError("odd")
    except ValueError:
        logger.exception("a %s", "warning")
    told = [json.loads(line) for line in lines]
    assert [(line["event"], line["level"], line["message"]) for line in told] == [
        ("library", "error", "a warning: ValueError('odd')")
    ]


def test_lines_that_cannot_be_written_are_counted() -> None:
    lines: list[str] = []
    full = True

    def write(line: str) -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")
        lines.append(line)

    log = CallLog(write, now_unix_us=lambda: 0, secrets=Secrets())
    log.line("a")
    log.line("b")
    full = False
    log.line("c")
    log.line("d")
    told = [json.loads(line) for line in lines]
    assert [(line["event"], line.get("lines")) for line in told] == [
        ("log_missed", 2),
        ("c", None),
        ("d", None),
    ]


def test_a_torn_line_ends_before_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    with (tmp_path / "log").open("wb") as file:
        lines = Lines(file.fileno())
        lines("one \ud800")
        monkeypatch.setattr(os, "write", lambda to, text: write(to, text[:3]))
        with pytest.raises(OSError, match="No space left"):
            lines("second")
        monkeypatch.undo()
        lines("third")
    assert (tmp_path / "log").read_text() == "one \\ud800\nsec\nthird\n"
