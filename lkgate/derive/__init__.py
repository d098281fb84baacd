"""A cassette made of what was seen of a call from outside: the room, or files of another recorder.

Nobody heard the model's requests there, but everybody heard its answers: what the recogniser
transcribed and when, what the agent said, which tools it called and what they returned. From that
come answers that are marked ``derived``; what they are found by is told in
:mod:`lkgate.cassette.outside`, and what they cannot give in ``docs/derived-cassettes.md``.

A function of the recording and nothing else: the same recording gives the same bytes.
"""

from lkgate.derive.usecase import Derived, derive, keep_derived

__all__ = ["Derived", "derive", "keep_derived"]
