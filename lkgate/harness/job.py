"""One job of the program, driven as LiveKit's own worker drives it in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, fields

from livekit import api
from livekit.agents import AgentServer, JobContext, utils
from livekit.agents.inference_runner import _InferenceRunner
from livekit.agents.ipc import proto
from livekit.agents.ipc.channel import Message
from livekit.agents.ipc.job_proc_lazy_main import _JobProc
from livekit.agents.job import JobAcceptArguments, JobProcess, JobRequest, RunningJobInfo
from livekit.agents.types import ATTRIBUTE_AGENT_NAME
from livekit.protocol import agent, models

from lkgate.harness.failure import Failure, failure_of, is_refusal

_RAISED = (
    "A worker would log this and hang up. If it does not happen in a live room, look for what the "
    "program expects of its surroundings; `--debug` shows its log with the traceback."
)
# Not a cloud address: nothing of a session is ever uploaded from here.
URL = "ws://lkgate.invalid"
_KEY, _SECRET = "lkgate", "lkgate-signs-tokens-that-nobody-checks"


def access_token(
    room: str,
    identity: str,
    *,
    kind: str,
    name: str = "",
    metadata: str = "",
    attributes: dict[str, str] | None = None,
    hidden: bool = False,
) -> str:
    """A token to join the virtual room with."""
    grants = api.VideoGrants(
        room_join=True,
        room=room,
        agent=True if kind == "agent" else None,
        hidden=True if hidden else None,
        can_publish=not hidden,
        can_publish_data=not hidden,
        can_update_own_metadata=True,
    )
    token = api.AccessToken(_KEY, _SECRET).with_identity(identity).with_grants(grants)
    token = token.with_kind(kind).with_name(name)  # type: ignore[arg-type]
    return token.with_metadata(metadata).with_attributes(attributes or {}).to_jwt()


@dataclass(slots=True)
class _Worker:
    """Stands for the link to the worker's own process, which serves inference."""

    runners: dict[str, _InferenceRunner] = field(default_factory=dict)
    job: _JobProc | None = None

    async def send(self, message: Message) -> None:
        if not isinstance(message, proto.InferenceRequest):
            return
        data, error = None, ""
        try:
            runner = self._runner(message.method)
            loop = asyncio.get_running_loop()
            data = await loop.run_in_executor(None, runner.run, message.data)
        except Exception as raised:  # noqa: BLE001 - a model's own code; the asker gets its words
            error = str(raised) or type(raised).__name__
        assert self.job is not None
        self.job._inf_client._on_inference_response(
            proto.InferenceResponse(request_id=message.request_id, data=data, error=error)
        )

    def _runner(self, method: str) -> _InferenceRunner:
        runner = self.runners.get(method)
        if runner is None:
            runner = self.runners[method] = _InferenceRunner.registered_runners[method]()
            runner.initialize()
        return runner


class Job:
    """The program's side of a call, from dispatch to the end of its shutdown.

    Args:
        server: as the program made it.
        room: name of the virtual room.
        room_sid: its sid.
        identity: of the agent, unless the program picks another when it accepts the job.
    """

    def __init__(self, server: AgentServer, *, room: str, room_sid: str, identity: str) -> None:
        self.failure: Failure | None = None
        self.entered = False  # the entrypoint, after prewarm
        self._server = server
        self._identity = identity
        self._job = agent.Job(
            id="AJ_lkgate",
            dispatch_id="AD_lkgate",
            type=agent.JobType.JT_ROOM,
            room=models.Room(name=room, sid=room_sid),
            agent_name=server._agent_name,
        )
        self._messages: utils.aio.Chan[Message] = utils.aio.Chan()

    async def run(self) -> None:
        """Until the job has shut down. What went wrong in the program's code is ``failure``."""
        received = time.time()
        accepted = await self._accept()
        worker = _Worker()
        process = worker.job = _JobProc(
            self._prewarm,
            self._entrypoint,
            self._server._session_end_fnc,
            session_end_timeout=self._server._session_end_timeout,
            executor_type=self._server._job_executor_type,
        )
        process.initialize(proto.InitializeRequest(), worker)  # type: ignore[arg-type]
        start = proto.StartJobRequest()
        now = time.time()
        # livekit-agents 1.8.0 and older do not keep when what was done.
        dispatched = {
            "received_at": received,
            "accepted_at": now,
            "assigned_at": now,
            "launched_at": now,
        }
        kept = {one.name for one in fields(RunningJobInfo)}
        start.running_job = RunningJobInfo(
            accept_arguments=accepted,
            job=self._job,
            url=URL,
            token=self._token(accepted),
            worker_id="AW_lkgate",
            fake_job=False,
            **{name: at for name, at in dispatched.items() if name in kept},
        )
        self._messages.send_nowait(start)
        await process.entrypoint(self._messages)

    def stop(self, reason: str) -> None:
        """Ask it to shut down, as a worker that is being stopped does."""
        with contextlib.suppress(utils.aio.ChanClosed):
            self._messages.send_nowait(proto.ShutdownRequest(reason=reason))

    def _token(self, accepted: JobAcceptArguments) -> str:
        named = {ATTRIBUTE_AGENT_NAME: self._server._agent_name}
        return access_token(
            self._job.room.name,
            accepted.identity,
            kind="agent",
            name=accepted.name,
            metadata=accepted.metadata,
            attributes={**named, **(accepted.attributes or {})},
        )

    async def _accept(self) -> JobAcceptArguments:
        """What the program's request handler says to the job, if it has one."""
        answers: list[JobAcceptArguments | None] = []

        async def accept(arguments: JobAcceptArguments) -> None:
            answers.append(arguments)

        async def reject(terminate: bool) -> None:
            answers.append(None)

        request = JobRequest(job=self._job, on_reject=reject, on_accept=accept)
        asked: Callable[[JobRequest], Awaitable[None]] | None = self._server._request_fnc
        if asked is not None:
            try:
                await asked(request)
            except Exception as error:
                raise failure_of(
                    "request_raised",
                    error,
                    said="the job request handler raised ",
                    next_step=_RAISED,
                ) from error
        else:
            await request.accept()
        answer = answers[0] if answers else None
        if answer is None:
            raise Failure(
                "job_rejected",
                "the program rejected the job",
                next_step="Its `on_request` handler did not accept it; the room of a replay is "
                f"named {self._job.room.name!r} and the job has no metadata.",
            )
        if answer.identity == f"agent-{self._job.id}":
            answer.identity = self._identity
        return answer

    def _prewarm(self, process: JobProcess) -> None:
        if self._server._setup_fnc is None:
            return
        try:
            self._server._setup_fnc(process)
        except Exception as error:
            raise failure_of(
                "prewarm_raised", error, said="prewarm (setup_fnc) raised ", next_step=_RAISED
            ) from error

    async def _entrypoint(self, ctx: JobContext) -> None:
        entrypoint = self._server._entrypoint_fnc
        assert entrypoint is not None  # load() made sure
        self.entered = True
        try:
            await entrypoint(ctx)
        except Exception as error:
            self.failure = failure_of(
                "network_refused" if is_refusal(error) else "entrypoint_raised",
                error,
                said="the entrypoint raised ",
                next_step=_RAISED,
            )
            raise
