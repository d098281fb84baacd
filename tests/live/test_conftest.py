"""A live test that cannot run says how to make it run, and fails where it must run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.conftest import HOW_TO_GET_ONE, find_server, give_up


def test_a_missing_server_is_a_skip_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception) as caught:
        give_up(HOW_TO_GET_ONE)
    assert "go install github.com/livekit/livekit-server/cmd/server@" in str(caught.value)


def test_in_ci_it_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception):
        give_up(HOW_TO_GET_ONE)


def test_a_server_that_was_named_is_the_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LKGATE_LIVEKIT_SERVER", str(tmp_path / "server"))
    assert find_server() is None
    (tmp_path / "server").touch()
    assert find_server() == tmp_path / "server"
