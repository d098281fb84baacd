"""Whether the LiveKit server of the environment answers, and takes the key."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

from lkgate.diagnosis.finding import Finding, of_error
from lkgate.errors import ConfigError, LkgateError
from lkgate.record.credentials import KEY, SECRET, URL, Credentials

_LIMIT_S = 10.0


def server_findings(environ: Mapping[str, str], env_file: Path | None) -> Iterator[Finding]:
    """Two: the credentials, of which nothing but the server's address is told; the server.

    Without any of the three variables nothing is asked: replays in virtual time need none.
    """
    if env_file is None and not any(environ.get(name) for name in (URL, KEY, SECRET)):
        yield Finding(
            "credentials",
            "note",
            f"{URL}, {KEY} and {SECRET} are not set",
            "Only to record, and to replay over rooms: set them, or name a file with --env-file.",
        )
        return
    try:
        credentials = Credentials.read(environ, env_file)
    except ConfigError as error:
        yield of_error("credentials", error, "Correct it.")
        return
    yield Finding("credentials", "ok", f"{URL}, {KEY} and {SECRET} are set (not shown)")
    yield _answers(credentials)


def server_time(environ: Mapping[str, str], env_file: Path | None) -> datetime | None:
    """What the server's clock says, ``None`` if there is none that tells."""
    try:
        url = Credentials.read(environ, env_file).url
    except ConfigError:
        return None
    parts = urlsplit(url)
    scheme = "https" if parts.scheme in ("wss", "https") else "http"
    request = urllib.request.Request(f"{scheme}://{parts.netloc}/", method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=_LIMIT_S) as answer:
            said = answer.headers.get("Date")
    except urllib.error.HTTPError as refused:
        said = refused.headers.get("Date")
    except (OSError, ValueError):
        return None
    try:
        return parsedate_to_datetime(said) if said else None
    except ValueError:
        return None


def _answers(credentials: Credentials) -> Finding:
    from lkgate.record.server import connect

    async def ask() -> None:
        async with asyncio.timeout(_LIMIT_S), connect(credentials):
            pass

    host = urlsplit(credentials.url).netloc
    try:
        asyncio.run(ask())
    except LkgateError as error:
        return of_error("server", error, f"See whether {URL} is right and the server runs.")
    except TimeoutError:
        remedy = f"See whether {host} is right, and whether this machine may reach it."
        return Finding("server", "wrong", f"{host} gave no answer in {_LIMIT_S:.0f} s", remedy)
    return Finding("server", "ok", f"{host} answers and takes the key")
