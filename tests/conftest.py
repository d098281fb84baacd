"""Of all tests: none depends on how fast the machine is, or on how it was started."""

from __future__ import annotations

import signal

from hypothesis import settings

settings.register_profile("lkgate", deadline=None)
settings.load_profile("lkgate")

# A shell's background job is started deaf to Ctrl-C, and so would be all programs that tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
