"""Where speech is in 16-bit mono PCM. Pure; numpy only."""

from lkgate.signal.level import SPEECH_METHOD, Pcm, Sound
from lkgate.signal.online import Edge, OnlineDetector
from lkgate.signal.segment import segment

__all__ = ["SPEECH_METHOD", "Edge", "OnlineDetector", "Pcm", "Sound", "segment"]
