"""What a LiveKit server or the way to it refuses, as sentences with what to do next."""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from livekit import api, rtc

from lkgate.errors import RecordError
from lkgate.record.credentials import Credentials

GET_A_SERVER = (
    "Check LIVEKIT_URL, or start a server: the released binary "
    "(https://github.com/livekit/livekit/releases) or that of a package manager "
    "(brew install livekit) with 'livekit-server --dev', or a container "
    "(docker run --rm --network host livekit/livekit-server --dev)."
)
_CHECK_KEY = (
    "Check LIVEKIT_API_KEY and LIVEKIT_API_SECRET for this server, whether the key was revoked or "
    "has expired, and this machine's clock: what a key signs holds for minutes."
)
_CHECK_URL = "Check LIVEKIT_URL: its host, its port, and whether it is ws:// or wss://."
# A server repeats the token that it refuses: a key to its room.
_TOKEN = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+")


@contextmanager
def named(credentials: Credentials) -> Iterator[None]:
    """Turn what a request to the server's API raises into a ``RecordError``."""
    url = credentials.url
    try:
        yield
    except api.ServerError as error:
        if error.status == 401:
            raise RecordError(
                "the server refused the API key (401)", where=url, next_step=_CHECK_KEY
            ) from None
        if error.code == "unknown":  # no twirp error: another program's page
            raise RecordError(
                f"what answers is no LiveKit server ({error.status})",
                where=url,
                next_step=_CHECK_URL,
            ) from None
        message = credentials.redact(error.message)
        raise RecordError(
            f"the server answered {error.status} {error.code}: {message}", where=url
        ) from None
    except aiohttp.ClientConnectionError as error:
        raise _no_connection(error, url) from None
    except aiohttp.ClientError as error:
        raise RecordError(
            f"what answers is no LiveKit server: {error}", where=url, next_step=_CHECK_URL
        ) from None
    except TimeoutError:
        raise RecordError(
            "the server does not answer in time", where=url, next_step=GET_A_SERVER
        ) from None


def refused_join(error: rtc.ConnectError, room: str, credentials: Credentials) -> RecordError:
    """Why a room could not be joined, without the token that the server repeats."""
    if "token is expired" in error.message:
        return RecordError(
            f"could not join room {room!r}: by the server's clock, lkgate's token has expired",
            where=credentials.url,
            next_step="Set this machine's clock.",
        )
    message = _TOKEN.sub("[token]", credentials.redact(error.message))
    return RecordError(
        f"could not join room {room!r}: {message}",
        where=credentials.url,
        next_step=_CHECK_KEY if " 401 " in f" {message} " else None,
    )


def _no_connection(error: aiohttp.ClientConnectionError, url: str) -> RecordError:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else None
    if isinstance(cause, socket.gaierror):
        return RecordError(
            f"the host of LIVEKIT_URL cannot be found: {(cause.strerror or str(cause)).lower()}",
            where=url,
            next_step="Check its spelling, and this machine's network and DNS.",
        )
    if isinstance(error, aiohttp.ClientSSLError) or isinstance(cause, ssl.SSLError):
        reason = getattr(cause or error, "reason", None) or str(error)
        return RecordError(
            f"no TLS with what answers: {str(reason).lower().replace('_', ' ')}",
            where=url,
            next_step="A server without a certificate of its own has ws://, not wss://.",
        )
    return RecordError(
        f"no LiveKit server answers: {_reason(error, cause)}", where=url, next_step=GET_A_SERVER
    )


def _reason(error: aiohttp.ClientConnectionError, cause: OSError | None) -> str:
    if cause is None:
        return str(error) or type(error).__name__
    # asyncio's own text has the address in it, and not the reason.
    if cause.errno is not None:
        return os.strerror(cause.errno).lower()
    return (cause.strerror or str(cause)).lower()
