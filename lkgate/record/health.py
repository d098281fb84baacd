"""Asking a worker how it is, as an orchestrator does: ``/`` and ``/worker`` of livekit-agents."""

from __future__ import annotations

import json

import aiohttp

from lkgate.record.job import WorkerFacts

_SECONDS = 3.0


async def ask_worker(url: str, *, seconds: float = _SECONDS) -> WorkerFacts:
    """What the worker whose HTTP server is at ``url`` tells within ``seconds``.

    A process that is stopped, or whose event loop hangs, is reachable (its system takes the
    connection) and does not answer.
    """
    limit = aiohttp.ClientTimeout(total=seconds)
    base = url.rstrip("/")
    try:
        async with aiohttp.ClientSession(timeout=limit) as session:
            async with session.get(f"{base}/") as health:
                registered = health.status == 200
            async with session.get(f"{base}/worker") as answer:
                told = json.loads(await answer.text()) if answer.status == 200 else {}
    except aiohttp.ClientConnectorError:
        return WorkerFacts(reachable=False)
    except (aiohttp.ClientError, TimeoutError):
        return WorkerFacts(reachable=True)
    except ValueError:  # some other program's page
        told = {}
    if not isinstance(told, dict):
        told = {}
    name, load = told.get("agent_name"), told.get("worker_load")
    return WorkerFacts(
        reachable=True,
        answers=True,
        registered=registered,
        # JSON of a protocol buffer: what is empty or 0 is left out.
        agent_name=str(name or "") if told else None,
        load=float(load or 0) if told else None,
    )
