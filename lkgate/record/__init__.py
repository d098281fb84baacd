"""Recording a live room from its inside: ``record_room``, and ``recover`` after a crash.

Everything here needs livekit; import it where it is used, not at the top of a command.
"""

from lkgate.record.credentials import Credentials
from lkgate.record.options import OnProgress, OnWarning, Progress, RecordOptions
from lkgate.record.usecase import record_room, recover

__all__ = [
    "Credentials",
    "OnProgress",
    "OnWarning",
    "Progress",
    "RecordOptions",
    "record_room",
    "recover",
]
