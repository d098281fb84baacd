"""The caller, chunk by chunk: what the microphone says at each moment. No room, no clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from lkgate.caller.cue import COMMIT_US, Cue, Turn, hangup_cue, next_cue
from lkgate.caller.heard import Heard
from lkgate.caller.voice import Pcm, Voice
from lkgate.model.event import Json
from lkgate.model.plan import CallerPlan

Note = Callable[[str, Mapping[str, Json]], None]


class Performance:
    """Plays a plan against what is heard.

    Sample ``p`` of the microphone is heard in the room at ``begin_us + p / rate``.

    Args:
        plan: what to say, and when.
        pcm: the recorded caller track that the plan's spans point into, mono.
        heard: the agent as heard so far; the owner keeps it up to date.
        note: called for ``lkgate.caller_*``.
        begin_us: session time at which the room hears the first sample.
    """

    def __init__(
        self, plan: CallerPlan, pcm: Pcm, heard: Heard, *, note: Note, begin_us: int
    ) -> None:
        self._plan = plan
        self._heard = heard
        self._note = note
        self._rate = plan.sample_rate_hz
        self._begin_us = begin_us
        self._position = 0
        self._voice = Voice(pcm, _ranges(plan, pcm.size), self._rate)
        self._turn = Turn(0, begin_us)
        self._placed: list[int] = []
        self._committed: Cue | None = None

    @property
    def now_us(self) -> int:
        """Session time at which the room hears the next sample."""
        return self._begin_us + self._position * 1_000_000 // self._rate

    def placed(self, index: int) -> int | None:
        """Session time at which the room hears utterance ``index`` begin, ``None`` before that."""
        return self._placed[index] if index < len(self._placed) else None

    def shift(self, by_us: int) -> None:
        """The microphone stood still for ``by_us``: everything from here on is heard later."""
        self._begin_us += by_us

    def cut_off(self, reason: str) -> None:
        """The call ended by another's doing: said as a hang-up only if everything was said."""
        done = self._voice.next if not self._voice.speaking else self._voice.next - 1
        if done == len(self._plan.utterances):
            self._note("lkgate.caller_hangup", {"reason": reason, "at_us": self.now_us})
        else:
            self._note("lkgate.caller_cut_off", {"reason": reason, "said": done})

    def chunk(self, n: int) -> Pcm | None:
        """The next ``n`` samples, or ``None`` once the caller has hung up."""
        parts: list[Pcm] = []
        left = n
        while left:
            part = self._speech(left) if self._voice.speaking else self._silence(left)
            if part is None:
                return None
            parts.append(part)
            left -= part.size
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _speech(self, n: int) -> Pcm:
        part = self._voice.speech(n)
        self._position += part.size
        if not self._voice.speaking:
            index = self._voice.next - 1
            self._turn = Turn(self._placed[index], self.now_us)
            anchor = self._plan.utterances[index].anchor
            self._note(
                "lkgate.caller_utterance",
                {"index": index, "phase": "end", "anchor": anchor.kind, "at_us": self.now_us},
            )
        return part

    def _silence(self, n: int) -> Pcm | None:
        last = self._voice.next == len(self._plan.utterances)
        cue = self._hangup_cue() if last else self._cue()
        wait = None if cue is None else self._until(cue.due_us)
        if wait == 0 and cue is not None:
            if last:
                why = cue.reason or "everything was said"
                self._note("lkgate.caller_hangup", {"reason": why, "at_us": self.now_us})
                return None
            self._begin(cue)
            return self._speech(n)
        if last and wait is not None:
            n, wait = min(n, wait), None  # nothing to lead into
        part = self._voice.tone(n, wait)
        self._position += part.size
        return part

    def _begin(self, cue: Cue) -> None:
        index = self._voice.next
        if cue.impatient:
            self._note("lkgate.caller_impatient", {"index": index, "reason": cue.reason})
        self._committed = None
        self._voice.begin()
        self._placed.append(self.now_us)
        said: dict[str, Json] = {
            "index": index,
            "phase": "start",
            "anchor": self._plan.utterances[index].anchor.kind,
            "at_us": self.now_us,
            "late_us": self.now_us - cue.due_us,
        }
        if cue.reason is not None:
            said["reason"] = cue.reason
        self._note("lkgate.caller_utterance", said)

    def _cue(self) -> Cue | None:
        if self._committed is not None:
            return self._committed
        anchor = self._plan.utterances[self._voice.next].anchor
        cue = next_cue(anchor, self._heard, self._turn, self._plan.patience_us)
        if cue is not None and not cue.impatient and cue.due_us - self.now_us <= COMMIT_US:
            self._committed = cue
        return cue

    def _hangup_cue(self) -> Cue | None:
        return hangup_cue(self._plan, self._heard, self._turn)

    def _until(self, due_us: int) -> int:
        """Samples from here to ``due_us``, never negative."""
        at = -(-(due_us - self._begin_us) * self._rate // 1_000_000)
        return max(0, at - self._position)


def _ranges(plan: CallerPlan, size: int) -> list[tuple[int, int]]:
    def sample(t_us: int) -> int:
        at = (t_us - plan.offset_us) * plan.sample_rate_hz / 1_000_000
        return min(max(0, round(at)), size)

    return [(sample(said.span.start_us), sample(said.span.end_us)) for said in plan.utterances]
