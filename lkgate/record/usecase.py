"""``record_room``."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from lkgate.builds import identify, secrets_of
from lkgate.cassette import merge
from lkgate.errors import BundleError, RecordError
from lkgate.model.bundle import BuildIdentity, Bundle, Role
from lkgate.model.event import Json
from lkgate.record import server as livekit_server
from lkgate.record import worker as build_worker
from lkgate.record.clock import SYSTEM, Clock
from lkgate.record.consent import Consent
from lkgate.record.job import Diagnosis
from lkgate.record.options import OnProgress, OnWarning, Progress, RecordOptions
from lkgate.record.recording import Recording
from lkgate.record.server import Server
from lkgate.record.stop import NoPlaceError, StoppedError, stops, unless
from lkgate.record.unfinished import (
    CASSETTE,
    PARTS,
    begun,
    close,
    drop_if_empty,
    place_of,
    writing,
)
from lkgate.record.worker import Worker
from lkgate.secret import Secrets


async def record_room(
    options: RecordOptions,
    *,
    on_progress: OnProgress = lambda _: None,
    on_warning: OnWarning = lambda _: None,
    stop: asyncio.Event | None = None,
    may_begin: Callable[[], bool] = lambda: True,
    clock: Clock = SYSTEM,
) -> Path:
    """Record a room into a bundle and return the bundle's directory.

    Ends when the room does, 5 s after the last caller has left, after ``options.duration_us``,
    when ``stop`` is set, or, without it and on the main thread, at the first SIGINT or SIGTERM; a
    second SIGINT gives up and leaves what was written to :func:`recover`.

    Args:
        options: what and where.
        on_progress: called about twice a second.
        on_warning: called with a sentence about what the recording lacks.
        stop: ends the recording from elsewhere.
        may_begin: asked when all is there that was waited for.
        clock: measures and dates it.

    Raises:
        ConfigError: if ``options.out`` exists, or an unfinished recording is in its place.
        BuildError: if the build's worker cannot be started, or ends before it is registered.
        RecordError: no server, wrong key, no such room within the wait, no agent within the wait,
            or the disk cannot be written: what it holds can be recovered. Of these,
            ``SecondRecorderError``: the room has one already; ``ConsentError``: it was not given,
            or withdrawn; ``StoppedError``: before there was anything to record; ``NoPlaceError``:
            ``may_begin`` said no.
    """
    directory = place_of(options.out)
    consent = Consent(options.consent, options.caller) if options.consent is not None else None
    async with stops(stop) as stop, AsyncExitStack() as ours:
        async with AsyncExitStack() as stack:
            server = await unless(
                stop, stack.enter_async_context(livekit_server.connect(options.credentials))
            )
            if server is None:
                raise StoppedError(options.room)
            worker: Worker | None = None
            agent_name: str | None = ""
            identity: BuildIdentity | None = None
            if options.build is not None:
                on_progress(Progress("waiting for the build's worker", 0, 0, 0, 0))
                identity = await asyncio.to_thread(identify, options.build)
                ours.enter_context(begun(directory))
                # Absolute: the worker runs in a directory of its own.
                parts = (directory / PARTS).resolve()
                with writing(directory):
                    parts.mkdir()
                worker = await stack.enter_async_context(
                    build_worker.start(
                        options.build,
                        options.credentials,
                        environ=os.environ,
                        cassette_dir=parts,
                    )
                )
                agent_name = await worker.registered(options.wait_us, stop)
            else:
                on_progress(Progress("waiting for the room", 0, 0, 0, 0))
                await unless(stop, _room_there(server, options, consent, stop))
            if stop.is_set() or agent_name is None:
                raise StoppedError(options.room)
            if not may_begin():
                raise NoPlaceError(options.room)
            if worker is None:
                ours.enter_context(begun(directory))
            with writing(directory):
                recording = Recording(
                    options,
                    directory,
                    identity=identity,
                    secrets=_secrets(options),
                    stop=stop,
                    on_progress=on_progress,
                    on_warning=on_warning,
                    clock=clock,
                )
                if consent is not None:
                    recording.only_if(lambda room: consent.admits(room, stop))
                try:
                    asked = agent_name if worker is not None else None
                    ending = await recording.run(server, worker, asked)
                except (RecordError, OSError):
                    with suppress(OSError):
                        recording.journal.close()
                    drop_if_empty(directory)
                    raise
                finally:
                    # Whatever else went wrong: nothing of it stays, not even to recover.
                    if consent is not None and consent.keeps_nothing:
                        with suppress(OSError):
                            recording.journal.close()
                        shutil.rmtree(directory, ignore_errors=True)
                if consent is not None and consent.keeps_nothing:
                    raise consent.error(options.room)
            tail = worker.tail if worker is not None else ""
        with writing(directory):
            # The worker has ended: its parts are complete.
            learned = _learned(directory, recording, on_warning) if worker is not None else {}
            # On a thread, as what closes it: other rooms may be recorded meanwhile.
            await asyncio.to_thread(recording.finish, learned)
            if ending == "no_agent":
                raise _no_agent(options, directory, recording.diagnosis, tail)
            if consent is not None and consent.ended is not None:
                on_warning(f"it ended when somebody without {consent.required} came")
            bundle = await asyncio.to_thread(close, directory, options.out)
        _warn(bundle, on_warning)
        return options.out


async def _room_there(
    server: Server, options: RecordOptions, consent: Consent | None, stop: asyncio.Event
) -> None:
    wait_us = options.wait_us if options.room_wait_us is None else options.room_wait_us
    await server.wait_for_room(options.room, wait_us, stop)
    await server.refuse_second(options.room)
    if consent is not None:
        await consent.wait(server, options.room, stop)


def _secrets(options: RecordOptions) -> Secrets:
    own = options.build.env if options.build is not None else {}
    known = {**os.environ, **own, **options.credentials.environment()}
    return secrets_of(options.build, known)


def _learned(directory: Path, recording: Recording, on_warning: OnWarning) -> dict[str, Json]:
    """Make the cassette from the parts; the header fields that they tell."""
    try:
        merged = merge(
            directory / PARTS,
            directory / CASSETTE,
            started_at_unix_us=recording.started_at_unix_us,
            room=recording.room,
        )
    except BundleError as error:
        # The call is worth keeping without its cassette.
        on_warning(f"the cassette could not be made: {error}")
        shutil.rmtree(directory / CASSETTE, ignore_errors=True)
        return {"absent": {"cassette": "what the worker wrote could not be read"}}
    holes = [*merged.lost, *(f"{what} cannot be recorded" for what in merged.unsupported)]
    learned: dict[str, Json] = {"session": dict(merged.session)}
    if holes:
        learned |= {"cassette": "partial", "absent": {"cassette": "; ".join(holes)}}
        on_warning(f"the cassette is partial: {'; '.join(holes)}")
    elif not merged.exchanges:
        learned["absent"] = {"cassette": "no exchange with a model or a tool was seen"}
    return learned


def _no_agent(
    options: RecordOptions, directory: Path, diagnosis: Diagnosis | None, tail: str
) -> RecordError:
    what = f"no agent joined room {options.room!r} within {options.wait_us / 1e6:g} s"
    steps = []
    if diagnosis is not None:
        what += f": {diagnosis.what} ({diagnosis.fault})"
        steps.append(diagnosis.next_step)
    if tail:
        what += f"\n{tail}"
    if not drop_if_empty(directory):
        steps.append(f"What was heard until then: 'lkgate recover {directory}'.")
    return RecordError(what, where=options.credentials.url, next_step=" ".join(steps) or None)


def _warn(bundle: Bundle, on_warning: OnWarning) -> None:
    if bundle.manifest.build is not None and bundle.manifest.cassette == "none":
        on_warning("no exchange with a model or a tool was seen: there is no cassette")
    roles: tuple[Role, ...] = ("caller", "agent")
    for role in roles:
        tracks = bundle.tracks(role)
        if not tracks:
            on_warning(f"there is no audio of the {role}")
        elif not any(track.speech for track in tracks):
            on_warning(f"the {role} was never heard to speak")
