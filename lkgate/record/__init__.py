"""Recording a live room from its inside: ``record_room``, and ``recover`` after a crash;
``watch_rooms`` for a server's rooms as they appear.

Everything here needs livekit; import it where it is used, not at the top of a command.
"""

from lkgate.record.calllog import CallLog, Lines, now_unix_us
from lkgate.record.consent import Attribute, Consent, ConsentError
from lkgate.record.credentials import Credentials
from lkgate.record.hook import Hook
from lkgate.record.naming import bundle_name
from lkgate.record.options import OnProgress, OnWarning, Progress, RecordOptions
from lkgate.record.retention import Limits
from lkgate.record.stop import StoppedError
from lkgate.record.unfinished import recover
from lkgate.record.usecase import record_room
from lkgate.record.watching import WatchOptions, watch_rooms

__all__ = [
    "Attribute",
    "CallLog",
    "Consent",
    "ConsentError",
    "Credentials",
    "Hook",
    "Limits",
    "Lines",
    "OnProgress",
    "OnWarning",
    "Progress",
    "RecordOptions",
    "StoppedError",
    "WatchOptions",
    "bundle_name",
    "now_unix_us",
    "record_room",
    "recover",
    "watch_rooms",
]
