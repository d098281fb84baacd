"""`lkgate open` as a program: what an HTTP client and a browser get, and what nobody gets."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from lkgate.cli.reports import Wanted, write
from tests.gate.calls import V3
from tests.report.html.pages import page
from tests.report.html.test_browser import browser, heard_s
from tests.report.test_text import verdict_of

__all__ = ["browser"]
ROOT = Path(__file__).parents[1]
# Characters that mean something in an address.
NAME = "the report #1 100%?.html"
FOLDER = "the%20report%20%231%20100%25%3F-audio"


def program(*words: str, cwd: Path, **variables: str) -> subprocess.Popen[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "DISPLAY": "", "WAYLAND_DISPLAY": ""}
    return subprocess.Popen(
        [sys.executable, "-m", "lkgate", "open", *words],
        cwd=cwd,
        env=environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def opened(*words: str, cwd: Path, **variables: str) -> Iterator[str]:
    """Its address. Ends it as Ctrl-C does, and holds it to exit code 0."""
    started = program(*words, cwd=cwd, **variables)
    try:
        assert started.stdout is not None
        address = started.stdout.readline().strip()
        assert address, started.communicate(timeout=30)[1]
        yield address
        started.send_signal(signal.SIGINT)
        said = started.communicate(timeout=30)[1]
        assert started.returncode == 0, said
        assert "Traceback" not in said
    finally:
        started.kill()
        started.wait(30)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose last report keeps its audio beside it, among files of others."""
    home = tmp_path_factory.mktemp("project")
    made = page(verdict_of(V3), budget_bytes=0)
    report = home / "out" / NAME
    audio = report.with_name(f"{report.stem}-audio")
    write(
        [Wanted("html", report)], [verdict_of(V3)], build="v3", digest=None, state=home / ".lkgate"
    )
    renamed = made.text.replace("report-audio/", f"{FOLDER}/")
    report.write_text(renamed, "utf-8")
    audio.mkdir()
    for name, data in made.beside.items():
        (audio / Path(name).name).write_bytes(data)
    (home / "secret.txt").write_text("secret")
    (home / "out/secret.ogg").write_text("secret")
    (audio / "9999.ogg").symlink_to(home / "secret.txt")
    (home / "out/other").mkdir()
    (home / "out/other/0001.ogg").write_text("secret")
    (home / "out/link-audio").symlink_to(home / "out/other")
    return home


@pytest.fixture(scope="module")
def address(project: Path) -> Iterator[str]:
    with opened(cwd=project) as found:
        yield found


def ask(
    address: str, path: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> tuple[int, dict[str, str], bytes]:
    """A request whose path is sent as it is written; header names in lower case."""
    split = urlsplit(address)
    connection = http.client.HTTPConnection(split.hostname or "", split.port, timeout=30)
    try:
        connection.request(method, path, headers=headers or {})
        got = connection.getresponse()
        return got.status, {name.lower(): value for name, value in got.getheaders()}, got.read()
    finally:
        connection.close()


def test_the_page_comes_with_its_own_policy(address: str, project: Path) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{22}/", address)
    status, headers, body = ask(address, urlsplit(address).path)
    assert (status, body) == (200, (project / "out" / NAME).read_bytes())
    assert headers["content-type"] == "text/html; charset=utf-8"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert policy.endswith("; form-action 'none'; frame-ancestors 'none'")
    assert "unsafe" not in policy
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_audio_comes_whole_and_in_parts(address: str, project: Path) -> None:
    path = f"{urlsplit(address).path}{FOLDER}/0003.ogg"
    data = (project / "out" / f"{Path(NAME).stem}-audio" / "0003.ogg").read_bytes()
    status, headers, body = ask(address, path)
    assert (status, headers["content-type"], body) == (200, "audio/ogg", data)
    assert headers["accept-ranges"] == "bytes"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    size = len(data)
    for wanted, first, end in (
        ("bytes=100-199", 100, 200),
        (f"bytes={size - 50}-", size - 50, size),
        ("bytes=-50", size - 50, size),
        (f"bytes=10-{size * 2}", 10, size),
    ):
        status, headers, body = ask(address, path, {"Range": wanted})
        assert (status, body) == (206, data[first:end]), wanted
        assert headers["content-range"] == f"bytes {first}-{end - 1}/{size}"
    status, headers, _ = ask(address, path, {"Range": f"bytes={size}-"})
    assert (status, headers["content-range"]) == (416, f"bytes */{size}")
    status, headers, body = ask(address, path, method="HEAD")
    assert (status, headers["content-length"], body) == (200, str(size), b"")


@pytest.mark.parametrize(
    "path",
    [
        "secret.txt", "secret.ogg", "other/0001.ogg",
        "link-audio/0001.ogg",
        f"{FOLDER}/9999.ogg",
        f"{FOLDER}/../../secret.txt", f"{FOLDER}/..%2f..%2fsecret.txt",
        "..%2fout%2fthe%20report%20%231%20100%25-audio/0001.ogg",
        "%2e%2e/secret.txt", "..%5c-audio/0001.ogg", f"{FOLDER}/0001.ogg%00", f"{FOLDER}/",
        f"{FOLDER}/%D9%A0%D9%A0%D9%A0%D9%A3.ogg", "%00-audio/0001.ogg",
        "a" * 5000 + "-audio/0001.ogg", "/etc/passwd", "../../../../../etc/passwd",
    ],
)  # fmt: skip
def test_nothing_else_is_there(address: str, path: str) -> None:
    status, headers, body = ask(address, urlsplit(address).path + path)
    assert status == 404, body
    assert b"secret" not in body and b"root:" not in body
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_nothing_is_there_for_who_does_not_know_the_address(address: str) -> None:
    for path in ("/", f"/{FOLDER}/0001.ogg", "/index.html", f"/{'a' * 22}/"):
        assert ask(address, path)[0] == 404
    assert ask(address, urlsplit(address).path, method="POST")[0] == 405


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200),
        ("localhost:8000", 200),  # a port that was forwarded here
        ("attacker.example", 403),
        ("127.0.0.1.attacker.example:80", 403),
        ("user@attacker.example", 403),
        ("[::ffff", 403),
        ("", 403),
    ],
)
def test_another_name_for_this_machine_is_refused(address: str, host: str, status: int) -> None:
    got, _, body = ask(address, urlsplit(address).path, {"Host": host})
    assert got == status
    assert (b"PASS" in body or b"FAIL" in body) == (status == 200)


def test_it_listens_on_the_loopback_address_alone(address: str) -> None:
    port = urlsplit(address).port
    assert port
    # Every 127.x.y.z leads to this machine, and so would a socket that listens on all addresses.
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=30).close()


def test_a_browser_plays_from_the_middle(address: str, browser: Browser) -> None:
    tab = browser.new_page()
    wrong: list[str] = []
    tab.on("console", lambda message: wrong.append(message.text))
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    parts: list[int] = []
    tab.on("response", lambda one: parts.append(one.status))
    tab.goto(address)
    button = tab.locator("#call-barge-in-book .places button.hear").first
    at = float(button.get_attribute("data-at") or 0)
    button.click()
    assert 0 < at <= heard_s(tab) < at + 5
    assert 206 in parts
    tab.close()
    assert wrong == []


def test_a_browser_is_opened_where_there_is_one(project: Path, tmp_path: Path) -> None:
    told = tmp_path / "told"
    opener = tmp_path / "xdg-open"
    opener.write_text(f'#!/bin/sh\necho "$1" > {told}.new && mv {told}.new {told}\n')
    opener.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    with opened(cwd=project, PATH=path, DISPLAY=":1") as address:
        ask(address, "/")
    assert told.read_text() == f"{address}\n"
    told.unlink()
    with opened("--no-browser", cwd=project, PATH=path, DISPLAY=":1") as address:
        ask(address, "/")
    with opened(f"out/{NAME}", cwd=project, PATH=path) as address:
        assert ask(address, urlsplit(address).path)[0] == 200
    assert not told.exists()


def refused(*words: str, cwd: Path) -> str:
    done = program(*words, cwd=cwd)
    said = done.communicate(timeout=60)[1]
    assert done.returncode == 2, said
    return said


def test_what_cannot_be_opened(project: Path, tmp_path: Path) -> None:
    assert refused(cwd=tmp_path) == (
        "error: no HTML report has been written here\n"
        "  Run `lkgate replay --against BUILD --report html=report.html`, or name a report.\n"
    )
    other = tmp_path / "other.html"
    other.write_text("<script>alert(1)</script>")
    assert refused("other.html", cwd=tmp_path) == (
        "error: other.html: this is no HTML report of lkgate\n"
        "  Name a file that `--report html=PATH` wrote.\n"
    )
    (tmp_path / ".lkgate").mkdir()
    (tmp_path / ".lkgate/report").write_text(f"{tmp_path / 'gone.html'}\n")
    assert f"{tmp_path / 'gone.html'}: the last HTML report is gone" in refused(cwd=tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused("--port", str(port), cwd=project)
    assert said.startswith(f"error: port {port} of 127.0.0.1 cannot be had: ")


def test_a_report_with_looser_rules_is_no_report(tmp_path: Path) -> None:
    """A page from elsewhere gets no way out by stating a policy of its own."""
    text = page(verdict_of(V3)).text
    (tmp_path / "r.html").write_text(text.replace("default-src &#39;none&#39;", "default-src *", 1))
    assert "this is no HTML report" in refused("r.html", cwd=tmp_path)
