"""A LiveKit room, written down as it happens: events, audio, the agent's session messages.

The same code runs in a real room (``lkgate.record``) and in the virtual one of a replay
(``lkgate.harness``), so a recording and its replay are told apart by nothing but what happened.
It knows no wall clock: every time comes from the ``now_us`` it is given.
"""

from lkgate.capture.role import RoleOf
from lkgate.capture.room import RoomCapture

__all__ = ["RoleOf", "RoomCapture"]
