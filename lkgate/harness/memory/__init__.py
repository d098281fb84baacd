"""What native code answered in the last replay of a call, kept for the next one.

The turn detector, the voice detector and the gain control are a third of a replay's work. Each is
a function of what it was given since it was made, so a call that goes as it went before asks them
the same questions, and is given the answers that were computed then. From the first question that
differs on they compute again. The results are the same bytes with and without a memory.
"""

from lkgate.harness.memory.install import remember

__all__ = ["remember"]
