"""How to reach a LiveKit server. Never printed, never logged, never in a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from lkgate.builds.envfile import read_env_file
from lkgate.errors import ConfigError
from lkgate.secret import Secrets

URL = "LIVEKIT_URL"
KEY = "LIVEKIT_API_KEY"
SECRET = "LIVEKIT_API_SECRET"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A server and a key to it.

    Attributes:
        url: ``ws://``, ``wss://``, ``http://`` or ``https://``.
        key, secret: the API key; left out of ``repr``.
    """

    url: str
    key: str = field(repr=False)
    secret: str = field(repr=False)

    @classmethod
    def read(cls, environ: Mapping[str, str], env_file: Path | None = None) -> Credentials:
        """From ``LIVEKIT_URL``, ``LIVEKIT_API_KEY`` and ``LIVEKIT_API_SECRET``.

        What stands in ``env_file`` wins over the environment.

        Raises:
            ConfigError: if one is missing, the URL has another scheme, or the file cannot be read.
        """
        values = {**environ, **(read_env_file(env_file) if env_file is not None else {})}
        missing = [name for name in (URL, KEY, SECRET) if not values.get(name)]
        if missing:
            raise ConfigError(
                f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set",
                where=str(env_file) if env_file is not None else None,
                next_step="Set them in the environment, or name a file with --env-file.",
            )
        wrong = _wrong(values[URL])
        if wrong is not None:
            raise ConfigError(
                f"{URL} is no LiveKit URL: {wrong}",
                next_step="It looks like wss://project.livekit.cloud or ws://localhost:7880.",
            )
        parts = urlsplit(values[URL])
        if parts.username or parts.password:
            raise ConfigError(
                f"{URL} has a user or password in it",
                next_step=f"LiveKit takes keys from {KEY} and {SECRET} alone.",
            )
        return cls(values[URL], values[KEY], values[SECRET])

    def environment(self) -> dict[str, str]:
        """The three variables, for a worker."""
        return {URL: self.url, KEY: self.key, SECRET: self.secret}

    def redact(self, text: str) -> str:
        """``text`` without the key and the secret, for what a server says."""
        return Secrets.of(self.environment()).hide(text)


def _wrong(url: str) -> str | None:
    """Why no server can be at ``url``, without what may be a password in it."""
    try:
        parts = urlsplit(url)
    except ValueError:  # brackets that are none
        return "it has no host"
    if parts.scheme not in ("ws", "wss", "http", "https"):
        return repr(url.partition("://")[0])
    if not parts.hostname:
        return "it has no host"
    try:
        return "it has no port from 1 to 65535" if parts.port == 0 else None
    except ValueError:
        return "it has no port from 1 to 65535"
