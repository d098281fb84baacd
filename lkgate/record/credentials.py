"""How to reach a LiveKit server. Never printed, never logged, never in a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from lkgate.errors import ConfigError

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
        parts = urlsplit(values[URL])
        if parts.scheme not in ("ws", "wss", "http", "https") or not parts.hostname:
            raise ConfigError(
                f"{URL} is no LiveKit URL: {parts.scheme or values[URL]!r}",
                next_step="It looks like wss://project.livekit.cloud or ws://localhost:7880.",
            )
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
        """``text`` without the key and the secret, for what other programs print."""
        return text.replace(self.secret, "***").replace(self.key, "***")


def read_env_file(path: Path) -> dict[str, str]:
    """``NAME=VALUE`` lines; blank lines, ``# comments``, ``export`` and quotes are understood.

    Raises:
        ConfigError: with the line's number, never its text: it may be a secret.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise ConfigError(f"cannot read the env file: {reason}", where=str(path)) from error
    values = {}
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.removeprefix("export ").partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name.isidentifier():
            raise ConfigError("this line is no NAME=VALUE", where=f"{path}:{number}")
        if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        else:
            value = value.split(" #", 1)[0].rstrip()
        values[name] = value
    return values
