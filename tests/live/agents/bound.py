"""Becomes a command that ends with who started it: ``python bound.py PID COMMAND [ARGUMENT...]``.

``PID`` is the process that starts this. However that ends, even killed, the command is killed with
it, where the system is Linux.
"""

from __future__ import annotations

import os
import sys

from lkgate.harness.process import die_with_parent

if __name__ == "__main__":
    die_with_parent(int(sys.argv[1]))
    os.execvp(sys.argv[2], sys.argv[2:])
