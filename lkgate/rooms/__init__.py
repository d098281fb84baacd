"""Recordings replayed over real LiveKit rooms, into any agent that joins one.

Everything here needs livekit; import it where it is used, not at the top of a command.
"""

from lkgate.rooms.options import RoomOptions, RoomProgress
from lkgate.rooms.outcome import Played, RoomSet
from lkgate.rooms.run import replay_in_rooms

__all__ = ["Played", "RoomOptions", "RoomProgress", "RoomSet", "replay_in_rooms"]
