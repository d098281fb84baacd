from __future__ import annotations

import json
import logging
from typing import Any

from lkgate.record.calllog import CallLog
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
