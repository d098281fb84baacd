"""``lkgate record`` as a user gets it wrong, with no server anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from lkgate.cli.quantity import address, age_us, size_bytes
from tests.live.conftest import free_ports
from tests.live.watcher import lkgate
from tests.record.bundles import make

ENVIRON = {
    **os.environ,
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "s" * 40,
    "LIVEKIT_URL": "ws://127.0.0.1:9",
}


def said(tmp_path: Path, *words: str, **environ: str) -> tuple[int, str]:
    """Exit code and the last two lines of stderr."""
    done = lkgate("record", *words, environ={**ENVIRON, **environ}, cwd=tmp_path)
    assert done.stdout == ""
    return done.returncode, "\n".join(done.stderr.splitlines()[-2:])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Give either --room or --watch."),
        (["--room", "a", "--watch", "b"], "Give either --room or --watch."),
        (["--room", ""], "Invalid value for --room: a room's name is not empty."),
        (["--watch", ""], "Invalid value for --watch: no room has an empty name."),
        (
            ["--watch", "a", "--build", "v2"],
            "--build is of --room alone: it starts one call's agent.",
        ),
        (
            ["--room", "a", "--build", "v2", "--require-attribute", "a=b"],
            "--require-attribute is for calls that --build does not start.",
        ),
        (["--room", "a", "--keep", "3", "--log", "x"], "--keep, --log: of --watch alone."),
        (
            ["--watch", "a", "--keep-age", "30"],
            "Invalid value for '--keep-age': '30' is no age: write it as 90s, 45m, 12h, 30d or 8w.",
        ),
        (
            ["--watch", "a", "--keep-disk", "many"],
            "Invalid value for '--keep-disk': 'many' is no size: write it as 500MB, 20GB or 2TB.",
        ),
        (
            ["--watch", "a", "--webhook-listen", "8080"],
            "Invalid value for '--webhook-listen': '8080' is no HOST:PORT, as in 0.0.0.0:8080.",
        ),
    ],
)
def test_usage(tmp_path: Path, words: list[str], message: str) -> None:
    code, text = said(tmp_path, *words)
    assert (code, text.splitlines()[-1]) == (2, f"Error: {message}")


@pytest.mark.parametrize("words", [["--room", "ward"], ["--watch", "ward-*"]])
def test_no_server(tmp_path: Path, words: list[str]) -> None:
    (port,) = free_ports(1)
    assert said(tmp_path, *words, LIVEKIT_URL=f"ws://127.0.0.1:{port}") == (
        4,
        f"error: ws://127.0.0.1:{port}: no LiveKit server answers: connection refused\n"
        "  Check LIVEKIT_URL, or start a server: the released binary "
        "(https://github.com/livekit/livekit/releases) or that of a package manager "
        "(brew install livekit) with 'livekit-server --dev', or a container "
        "(docker run --rm --network host livekit/livekit-server --dev).",
    )


def test_a_wrong_scheme(tmp_path: Path) -> None:
    assert said(tmp_path, "--room", "ward", LIVEKIT_URL="ftp://x") == (
        2,
        "error: LIVEKIT_URL is no LiveKit URL: 'ftp'\n"
        "  It looks like wss://project.livekit.cloud or ws://localhost:7880.",
    )


def test_a_log_in_no_directory(tmp_path: Path) -> None:
    assert said(tmp_path, "--watch", "*", "--log", "nowhere/log") == (
        2,
        "error: nowhere/log: the log cannot be opened: No such file or directory\n"
        "  Make its directory, or name another file with --log.",
    )


def test_a_port_that_is_none(tmp_path: Path) -> None:
    assert said(tmp_path, "--room", "ward", LIVEKIT_URL="ws://127.0.0.1:99999") == (
        2,
        "error: LIVEKIT_URL is no LiveKit URL: it has no port from 1 to 65535\n"
        "  It looks like wss://project.livekit.cloud or ws://localhost:7880.",
    )


def test_an_attribute_that_is_none(tmp_path: Path) -> None:
    assert said(tmp_path, "--room", "ward", "--require-attribute", "yes") == (
        2,
        "error: 'yes' is no NAME=VALUE\n  As in recording_consent=true.",
    )


def test_a_bundle_of_this_name_is_there(tmp_path: Path) -> None:
    make(tmp_path / "call")
    assert said(tmp_path, "--room", "ward", "--out", "call") == (
        2,
        "error: call: there is something already\n  Name another with --out.",
    )


def test_nobody_reads_what_is_printed_any_more() -> None:
    script = (
        "import sys; from pathlib import Path; from lkgate.cli.record import _print\n"
        "sys.stdin.read()\n"
        "for _ in range(2):\n"
        "    try: _print(Path('call'))\n"
        "    except BrokenPipeError: print('gone', file=sys.stderr)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None and process.stdin
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == "gone\n"
    # Not Python's 120 of a flush that failed at its end.
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [("90s", 90_000_000), ("1.5m", 90_000_000), ("12H", 43_200_000_000), ("1 d", 86_400_000_000)],
)
def test_ages(text: str, microseconds: int) -> None:
    context = click.Context(click.Command("x"))
    assert age_us(context, click.Option(["--x"]), text) == microseconds


@pytest.mark.parametrize(
    ("text", "size"), [("500MB", 500_000_000), ("20gb", 20_000_000_000), ("1KiB", 1_024)]
)
def test_sizes(text: str, size: int) -> None:
    context = click.Context(click.Command("x"))
    assert size_bytes(context, click.Option(["--x"]), text) == size


def test_addresses() -> None:
    context, option = click.Context(click.Command("x")), click.Option(["--x"])
    assert address(context, option, "[::1]:80") == ("::1", 80)
    with pytest.raises(click.BadParameter):
        address(context, option, "x:70000")
