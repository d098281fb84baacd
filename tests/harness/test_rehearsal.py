"""What is done before the fork: once, and without a trace."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest
from livekit.agents import tokenize
from livekit.agents.tokenize import _basic_hyphenator

from lkgate.harness import rehearsal


def test_what_calls_would_do_is_done_without_threads_and_chance() -> None:
    threads, chance = threading.active_count(), random.getstate()
    rehearsal.rehearse()
    assert threading.active_count() == threads
    assert random.getstate() == chance
    before = _basic_hyphenator._get_hyphenator.cache_info().hits
    tokenize.basic.hyphenate_word("appointment")
    assert _basic_hyphenator._get_hyphenator.cache_info().hits == before + 1


@pytest.mark.parametrize("error", [AttributeError, ImportError, TypeError])
def test_what_another_livekit_lacks_is_left_to_the_calls(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def missing() -> None:
        raise error("not in this version")

    steps: list[Callable[[], object]] = [missing]
    monkeypatch.setattr(rehearsal, "_STEPS", steps)
    rehearsal.rehearse()
