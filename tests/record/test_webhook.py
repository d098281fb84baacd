from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from datetime import timedelta

import aiohttp
import pytest
from livekit import api

from lkgate.errors import ConfigError
from lkgate.record import Credentials
from lkgate.record.webhook import listen
from tests.live.conftest import free_ports

OURS = Credentials("ws://127.0.0.1:9", "key", "s" * 40)
BODY = json.dumps({"event": "room_started", "room": {"name": "ward", "sid": "RM_1"}})


def signed(body: str, *, secret: str = OURS.secret, seconds: int = 300) -> str:
    """As a server signs what it sends."""
    token = api.AccessToken(OURS.key, secret).with_ttl(timedelta(seconds=seconds))
    digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
    return token.with_sha256(digest).to_jwt()


def post(body: str, token: str | None) -> tuple[int, bool, list[str]]:
    """The answer's status, whether the recorder was woken, and who was refused."""

    async def play() -> tuple[int, bool, list[str]]:
        (port,), wake, refused = free_ports(1), asyncio.Event(), list[str]()
        async with (
            listen("127.0.0.1", port, OURS, wake=wake, on_refused=refused.append),
            aiohttp.ClientSession() as client,
        ):
            headers = {} if token is None else {"Authorization": token}
            url = f"http://127.0.0.1:{port}/livekit"
            async with client.post(url, data=body.encode(), headers=headers) as answer:
                return answer.status, wake.is_set(), refused

    return asyncio.run(asyncio.wait_for(play(), 30))


def test_a_signed_event_wakes() -> None:
    assert post(BODY, signed(BODY)) == (200, True, [])


def test_an_event_of_no_interest_does_not() -> None:
    body = json.dumps({"event": "track_published"})
    assert post(body, signed(body)) == (200, False, [])


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(None, id="none"),
        pytest.param("nonsense", id="nonsense"),
        pytest.param(signed(BODY + " "), id="another body"),
        pytest.param(signed(BODY, secret="x" * 40), id="another key"),
        pytest.param(signed(BODY, seconds=-300), id="expired"),
    ],
)
def test_what_is_not_signed_with_the_key_does_nothing(token: str | None) -> None:
    assert post(BODY, token) == (401, False, ["127.0.0.1"])


def test_signed_nonsense_does_nothing() -> None:
    assert post("no json", signed("no json"))[:2] == (401, False)


def test_what_is_too_large_is_not_read() -> None:
    body = "x" * (1 << 19)
    assert post(body, signed(body)) == (413, False, [])


def test_health_and_an_address_that_is_taken() -> None:
    async def play() -> None:
        (port,), wake = free_ports(1), asyncio.Event()
        async with (
            listen("127.0.0.1", port, OURS, wake=wake, on_refused=print),
            aiohttp.ClientSession() as client,
        ):
            async with client.get(f"http://127.0.0.1:{port}/healthz") as answer:
                assert answer.status == 200
            with pytest.raises(ConfigError) as caught:
                async with listen("127.0.0.1", port, OURS, wake=wake, on_refused=print):
                    pass
        assert str(caught.value) == (
            f"127.0.0.1:{port}: cannot listen for webhooks: Address already in use\n"
            "  Name a free port of this machine with --webhook-listen."
        )

    asyncio.run(asyncio.wait_for(play(), 30))
