"""A report and its audio, served to this machine's browser alone.

Only the page and the audio that lies beside it are there, below a path that nobody can guess: other
users of the machine, and pages of other sites, reach the loopback address too.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from lkgate.errors import ConfigError
from lkgate.report.html import policy_of

ADDRESS = "127.0.0.1"
# Names of the loopback address. Any other was made to lead here by somebody's DNS.
_NAMES = {ADDRESS, "localhost"}
# As `lkgate.report.html.page` names what does not fit into the page.
_FOLDER = re.compile(r"[^/\\]+-audio")
_FILE = re.compile(r"[0-9]{4,}\.ogg")
_HEADERS = {
    # What people said stays out of the browser's cache.
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_NOTHING = "default-src 'none'; frame-ancestors 'none'"
# Of connections that a browser keeps, once this is to end.
_SHUTDOWN_S = 1.0


def check_report(report: Path) -> str:
    """The policy of the page, as a header says it.

    Raises:
        ConfigError: it cannot be read, or is no report of lkgate's.
    """
    try:
        with report.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise ConfigError(
            f"cannot read the report: {error.strerror}",
            where=str(report),
            next_step="Make it again: `lkgate replay --against BUILD --report html=PATH`.",
        ) from error
    policy = policy_of(head.decode("utf-8", "replace"))
    if policy is None:
        raise ConfigError(
            "this is no HTML report of lkgate",
            where=str(report),
            next_step="Name a file that `--report html=PATH` wrote.",
        )
    return policy


async def serve(report: Path, *, port: int, token: str, on_ready: Callable[[str], None]) -> None:
    """Serve until cancelled.

    Args:
        port: 0 takes any that is free.
        token: stands in front of every path.
        on_ready: told the address once it answers.

    Raises:
        ConfigError: it is no report, or the port cannot be had.
    """
    check_report(report)
    runner = web.AppRunner(
        application(report, token), access_log=None, shutdown_timeout=_SHUTDOWN_S
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, ADDRESS, port)
        try:
            await site.start()
        except OSError as error:
            raise ConfigError(
                f"port {port} of {ADDRESS} cannot be had: {error.strerror}",
                next_step="Name another with --port, or none.",
            ) from error
        on_ready(f"http://{ADDRESS}:{runner.addresses[0][1]}/{token}/")
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def application(report: Path, token: str) -> web.Application:
    """What answers: the page as it is on disk now, and its audio, in parts as well."""

    async def page(request: web.Request) -> web.StreamResponse:
        try:
            policy = check_report(report)
        except ConfigError as gone:
            raise web.HTTPNotFound(text=f"{gone}\n") from gone
        # As the file allows, and in nobody's frame.
        headers = {"Content-Security-Policy": f"{policy}; frame-ancestors 'none'"}
        response = web.FileResponse(report, headers=headers)
        response.content_type, response.charset = "text/html", "utf-8"
        return response

    async def sound(request: web.Request) -> web.StreamResponse:
        folder, file = request.match_info["folder"], request.match_info["file"]
        if not (_FOLDER.fullmatch(folder) and _FILE.fullmatch(file)):
            raise web.HTTPNotFound
        home = report.resolve().parent
        place = home / folder / file
        try:
            # A link could lead anywhere.
            held = place.resolve(strict=True) == place and place.is_file()
        except (OSError, ValueError):  # a name that no file can have
            held = False
        if not held:
            raise web.HTTPNotFound
        response = web.FileResponse(place)
        response.content_type = "audio/ogg"
        return response

    made = web.Application(middlewares=[_from_here])
    made.on_response_prepare.append(_guard)
    made.router.add_get(f"/{token}/", page)
    made.router.add_get(f"/{token}/{{folder}}/{{file}}", sound)
    return made


@web.middleware
async def _from_here(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse who came by another name: a page of that name could read the answer."""
    try:
        name = urlsplit(f"//{request.headers.get('Host', '')}").hostname
    except ValueError:
        name = None
    if name not in _NAMES:
        raise web.HTTPForbidden(text=f"this answers to {ADDRESS} only\n")
    return await handler(request)


async def _guard(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
    response.headers.setdefault("Content-Security-Policy", _NOTHING)
