"""Why there was no call that could be judged, from what was recorded of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from lkgate.model.bundle import Bundle
from lkgate.model.event import Event
from lkgate.record.job import Diagnosis

_JOB = "lkgate.job"
# Of an agent's session: one of them, and its program got as far as that.
_LIFE = ("agent_state_changed", "conversation_item_added")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why no agent took the call: a sentence, and what can be done."""

    what: str
    next_step: str


def fault_of(
    bundle: Bundle,
    *,
    diagnosis: Diagnosis | None,
    wait_us: int,
    hung_up: bool,
    worker_id: str | None,
) -> Fault | None:
    """The fault; ``None`` if an agent took the call, however it went on.

    Args:
        diagnosis: of the recorder, if no agent came.
        wait_us: for which it was waited.
        hung_up: the caller got to the end of what it had to say.
        worker_id: of the worker that lkgate started; ``None``: of none, or it is not known.
    """
    stranger = _stranger(bundle, worker_id)
    if stranger is not None:
        return Fault(
            f"the job went to worker {stranger}, which is registered under the same name, not to "
            f"the one that lkgate started ({worker_id})",
            "End the other one, use another project, or give this build another name: "
            'env = {LIVEKIT_AGENT_NAME_OVERRIDE = "candidate"}.',
        )
    came = [e for e in bundle.of_kind("participant_connected") if e.data.get("kind") == "agent"]
    if not came:
        reason = f": {diagnosis.what} ({diagnosis.fault})" if diagnosis is not None else ""
        return Fault(
            f"no agent came within {wait_us / 1e6:g} s{reason}",
            diagnosis.next_step if diagnosis is not None else "Wait longer with --wait.",
        )
    if hung_up or _acted(bundle):
        return None
    errors = [str(e.data["error"]) for e in _jobs(bundle, "ended") if e.data.get("error")]
    return Fault(
        "the agent left without a sound" + (f": {errors[-1]}" if errors else ""),
        "Its entrypoint raised or returned: run it by hand ('console' or 'dev') to see why.",
    )


def _acted(bundle: Bundle) -> bool:
    """Whether the agent was heard, or its session said anything."""
    return any(track.speech for track in bundle.tracks("agent")) or bool(bundle.of_kind(*_LIFE))


def _stranger(bundle: Bundle, worker_id: str | None) -> str | None:
    if worker_id is None:
        return None
    took = [str(event.data.get("worker_id") or "") for event in _jobs(bundle, "assigned")]
    return next((one for one in took if one not in ("", worker_id)), None)


def _jobs(bundle: Bundle, phase: str) -> list[Event]:
    return [event for event in bundle.of_kind(_JOB) if event.data.get("phase") == phase]
