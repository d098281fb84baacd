"""Traces handed to an OpenTelemetry collector over HTTP."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit, urlunsplit

from lkgate.errors import ConfigError, ExportError

HEADERS = "OTEL_EXPORTER_OTLP_HEADERS"
_TRACES = "/v1/traces"
_TIMEOUT_S = 30


def headers_of(environ: Mapping[str, str]) -> dict[str, str]:
    """What OpenTelemetry's own variable says: ``key=value,key=value``, values URL-encoded.

    Raises:
        ConfigError: it says something else.
    """
    found: dict[str, str] = {}
    for pair in filter(None, environ.get(HEADERS, "").split(",")):
        name, equals, value = pair.partition("=")
        value = unquote(value.strip())
        if not equals or not name.strip() or not (name + value).isprintable():
            # Without the value: it may be a key.
            raise ConfigError(f"{HEADERS} is no list of name=value, with commas between")
        found[name.strip()] = value
    return found


def send(url: str, traces: bytes, headers: Mapping[str, str]) -> str:
    """Post OTLP's JSON to a collector: to ``url``, or ``/v1/traces`` of it if it names no path.

    Returns:
        where it was posted.

    Raises:
        ConfigError: ``url`` cannot be a collector's.
        ExportError: the collector cannot be reached, or refuses.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ConfigError(f"this is no address: {error}", where=url) from None
    if "@" in parts.netloc:
        raise ConfigError(
            "a collector's address holds no name and no password",
            where=parts.netloc.rpartition("@")[2],
            next_step=f"Put what it asks for into {HEADERS}.",
        )
    if parts.path in ("", "/"):
        url = urlunsplit(parts._replace(path=_TRACES))
    shown = url.partition("?")[0]
    request = urllib.request.Request(
        url, data=traces, headers={**headers, "Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S):
            return shown
    except urllib.error.HTTPError as error:
        raise ExportError(
            f"the collector answered {error.code} {error.reason}",
            where=shown,
            next_step=f"Name its OTLP/HTTP receiver (port 4318); keys go into {HEADERS}.",
        ) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ExportError(
            f"the collector could not be reached: {error}",
            where=shown,
            next_step="Name its OTLP/HTTP receiver, such as http://127.0.0.1:4318.",
        ) from error
