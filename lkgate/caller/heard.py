"""What the caller has heard of the agent so far. Filled by the ear, read by the cues."""

from __future__ import annotations

from dataclasses import dataclass, field

# Values of ``lk.agent.state`` with which an agent says that it is not the caller's turn.
BUSY = ("thinking", "speaking")


@dataclass(slots=True)
class Stretch:
    """One stretch of agent speech, session time at the caller's ear.

    Attributes:
        start_us: its first sound.
        stop_us: its end once the detector is sure of it, else ``None``.
        quiet_us: the last sound heard, if some silence followed it: what ``stop_us`` will be
            unless the agent goes on. ``None`` while it sounds.
    """

    start_us: int
    stop_us: int | None = None
    quiet_us: int | None = None


@dataclass(slots=True)
class Heard:
    """The agent, as the caller perceives it.

    Attributes:
        begin_us: when somebody first subscribed to the caller's microphone, ``None`` before it.
        room_us: first sample heard of the agent's audio, ``None`` before it.
        state: ``lk.agent.state``, ``None`` if the agent never said.
        stretches: agent speech, in order. Several tracks count as one voice.
        agent_seen: an agent was in the room at some time.
    """

    begin_us: int | None = None
    room_us: int | None = None
    state: str | None = None
    stretches: list[Stretch] = field(default_factory=list)
    agent_seen: bool = False

    @property
    def busy(self) -> bool:
        """The agent says that it is thinking or speaking."""
        return self.state in BUSY

    def ended(self, stretch: Stretch) -> int | None:
        """When ``stretch`` ended, ``None`` if it goes on as far as a caller can tell.

        A detector needs some silence to be sure. An agent that says it is listening has finished
        playing, so then the silence heard so far is enough: callers answer that fast.
        """
        if stretch.stop_us is not None:
            return stretch.stop_us
        if self.state is not None and not self.busy:
            return stretch.quiet_us
        return None

    def since(self, start_us: int) -> list[Stretch]:
        """Stretches that began at ``start_us`` or later."""
        return [stretch for stretch in self.stretches if stretch.start_us >= start_us]
