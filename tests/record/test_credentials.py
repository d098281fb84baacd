from __future__ import annotations

from pathlib import Path

import pytest

from lkgate.errors import ConfigError
from lkgate.record import Credentials

ENVIRON = {
    "LIVEKIT_URL": "wss://x.livekit.cloud",
    "LIVEKIT_API_KEY": "the-api-key",
    "LIVEKIT_API_SECRET": "the-secret",
}


def test_from_the_environment() -> None:
    credentials = Credentials.read(ENVIRON)
    assert credentials.environment() == ENVIRON


def test_neither_key_nor_secret_is_printed() -> None:
    credentials = Credentials.read(ENVIRON)
    assert repr(credentials) == "Credentials(url='wss://x.livekit.cloud')"
    assert credentials.redact("a the-secret b the-api-key c") == (
        "a [LIVEKIT_API_SECRET] b [LIVEKIT_API_KEY] c"
    )


def test_env_file_wins(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "# a comment\n"
        "\n"
        "export LIVEKIT_URL = 'ws://localhost:7880'\n"
        'LIVEKIT_API_KEY="other=key"\n'
        "LIVEKIT_API_SECRET=s3cret # ours\n"
    )
    assert Credentials.read(ENVIRON, file).environment() == {
        "LIVEKIT_URL": "ws://localhost:7880",
        "LIVEKIT_API_KEY": "other=key",
        "LIVEKIT_API_SECRET": "s3cret",
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"LIVEKIT_API_KEY": "", "LIVEKIT_API_SECRET": ""},
            "LIVEKIT_API_KEY, LIVEKIT_API_SECRET are not set\n"
            "  Set them in the environment, or name a file with --env-file.",
        ),
        (
            {"LIVEKIT_URL": "x.livekit.cloud"},
            "LIVEKIT_URL is no LiveKit URL: 'x.livekit.cloud'\n"
            "  It looks like wss://project.livekit.cloud or ws://localhost:7880.",
        ),
        (
            {"LIVEKIT_URL": "http://[bad"},
            "LIVEKIT_URL is no LiveKit URL: it has no host\n"
            "  It looks like wss://project.livekit.cloud or ws://localhost:7880.",
        ),
        (
            {"LIVEKIT_URL": "wss://me:hidden@x.livekit.cloud"},
            "LIVEKIT_URL has a user or password in it\n"
            "  LiveKit takes keys from LIVEKIT_API_KEY and LIVEKIT_API_SECRET alone.",
        ),
    ],
)
def test_what_is_wrong_is_said_without_secrets(change: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Credentials.read({**ENVIRON, **change})
    assert str(caught.value) == message


@pytest.mark.parametrize("line", ["my secret is 123", "SECRET=123\0"])
def test_a_bad_line_is_named_by_its_number_alone(tmp_path: Path, line: str) -> None:
    file = tmp_path / ".env"
    file.write_text(f"LIVEKIT_URL=ws://localhost\n{line}\n")
    with pytest.raises(ConfigError) as caught:
        Credentials.read(ENVIRON, file)
    assert str(caught.value) == (
        f"{file}:2: this line is no NAME=VALUE\n"
        "  Correct it, or begin it with # if it is a comment."
    )


def test_an_env_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        Credentials.read(ENVIRON, tmp_path / ".env")
    assert str(caught.value) == (
        f"{tmp_path / '.env'}: cannot read the env file: No such file or directory\n"
        "  Name a text file of NAME=VALUE lines that can be read."
    )
