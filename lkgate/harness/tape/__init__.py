"""Where exchanges with models and tools are recorded and answered, inside the agent's process.

The seams are LiveKit's own (see :mod:`lkgate.harness.tape.seams`): ``_run`` of every model stream,
``_recognize_impl``, and the execution of a function tool. Who sits behind them is installed here:
:func:`install_record` in a live worker, :func:`install_replay` in a replayed call. Neither changes
the program.

In a replay a request is answered from the cassette with its recorded timing. What was never
recorded is, by mode: ``cassette``: a miss, reported and raised as an error that LiveKit does not
retry; ``record``: asked of the provider at real pace and added to a new cassette; in ``live`` every
model is asked. Tools are never executed but by policy, in every mode, except those whose effect is
the conversation itself (handoffs, tasks, ``session.say``): these cannot be answered by a text.

An answer that was cut short when it was recorded (a preemptive generation that came to nothing)
and has no whole sibling is played as far as it goes. If whoever asks still waits a second later,
that is a miss.
"""

from lkgate.harness.tape.environment import provider_environment, secrets_of
from lkgate.harness.tape.install import install_record, install_replay, install_seams, reset
from lkgate.harness.tape.mouth import Policy
from lkgate.harness.tape.player import Mode

__all__ = [
    "Mode",
    "Policy",
    "install_record",
    "install_replay",
    "install_seams",
    "provider_environment",
    "reset",
    "secrets_of",
]
