"""The memory, put before LiveKit's native detectors and its gain control."""

from __future__ import annotations

import collections
import struct
import weakref
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from livekit import rtc

from lkgate.harness.memory.answers import Answers
from lkgate.harness.memory.history import History

_INFERENCE = "livekit-local-inference"
_FRAME = struct.Struct("<II")
_PROBABILITY = struct.Struct("<d")
_RESET = b"reset"


class _Shelf:
    """The histories of one call, by what answers and the order in which these were made."""

    def __init__(self, directory: Path, work: Path) -> None:
        self.directory = directory
        self._work = work
        self._made: collections.Counter[str] = collections.Counter()
        self._histories: list[History] = []

    def history(self, kind: str, *, of: str, redo: Callable[[bytes], object]) -> History:
        self._made[kind] += 1
        name = f"{kind}-{self._made[kind]}"
        history = History(self.directory / name, self._work / f"{name}.asked", of=of, redo=redo)
        self._histories.append(history)
        return history

    def close(self) -> None:
        for history in self._histories:
            history.close()


def remember(directory: Path, work: Path) -> Callable[[], None]:
    """Give this process the memory in ``directory``, which is made. Once, before the call.

    Args:
        directory: of one call and one build.
        work: for files that last as long as the call.

    Returns:
        To call at the end: it keeps what was new.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError:  # a full disk, or one that is only to be read: compute it all
        return lambda: None
    shelf = _Shelf(directory, work)
    _gain_control(shelf, version("livekit"))
    try:
        inference = version(_INFERENCE)
    except PackageNotFoundError:  # a LiveKit without it
        return shelf.close
    _turn_detector(shelf, inference)
    _voice_detector(shelf, inference)
    return shelf.close


def _turn_detector(shelf: _Shelf, library: str) -> None:
    from livekit.local_inference import EOT

    answers = Answers(shelf.directory / "turns", of=library)
    predict = EOT.predict

    def remembered(self: Any, pcm: Any) -> float:
        return answers.to(_bytes(pcm), lambda: float(predict(self, pcm)))

    EOT.predict = remembered  # type: ignore[method-assign]


def _voice_detector(shelf: _Shelf, library: str) -> None:
    from livekit.local_inference import VAD

    kind: Any = VAD
    init, predict, reset = kind.__init__, kind.predict, kind.reset
    # One that was made before has a history that is not known.
    histories: weakref.WeakKeyDictionary[Any, History] = weakref.WeakKeyDictionary()

    def made(self: Any) -> None:
        init(self)
        this = weakref.ref(self)

        def redo(question: bytes) -> None:
            if question == _RESET:
                reset(this())
            else:
                predict(this(), np.frombuffer(question, np.int16))

        histories[self] = shelf.history("voice", of=library, redo=redo)

    def predicted(self: Any, pcm: Any) -> float:
        history = histories.get(self)
        if history is None:
            return float(predict(self, pcm))
        question = _bytes(pcm)
        answer = history.known(question)
        if answer is None:
            answer = _PROBABILITY.pack(predict(self, pcm))
            history.learn(question, answer)
        return float(_PROBABILITY.unpack(answer)[0])

    def begun_again(self: Any) -> None:
        history = histories.get(self)
        if history is None or history.known(_RESET) is None:
            reset(self)
            if history is not None:
                history.learn(_RESET, b"")

    kind.__init__, kind.predict, kind.reset = made, predicted, begun_again


def _gain_control(shelf: _Shelf, library: str) -> None:
    kind: Any = rtc.AudioProcessingModule
    init, process = kind.__init__, kind.process_stream
    histories: weakref.WeakKeyDictionary[Any, History] = weakref.WeakKeyDictionary()

    def made(self: Any, **options: bool) -> None:
        init(self, **options)
        if options.get("echo_cancellation"):  # hears the other side too
            return
        this = weakref.ref(self)

        def redo(question: bytes) -> None:
            rate, channels = _FRAME.unpack_from(question)
            samples = bytearray(question[_FRAME.size :])
            process(this(), rtc.AudioFrame(samples, rate, channels, len(samples) // 2 // channels))

        of = f"{library} {sorted(options.items())}"
        histories[self] = shelf.history("gain", of=of, redo=redo)

    def processed(self: Any, frame: Any) -> None:
        history = histories.get(self)
        if history is None:
            process(self, frame)
            return
        question = _FRAME.pack(frame.sample_rate, frame.num_channels) + bytes(frame._data)
        answer = history.known(question)
        if answer is None:
            process(self, frame)
            history.learn(question, bytes(frame._data))
        elif isinstance(frame._data, memoryview) and not frame._data.readonly:
            frame._data.cast("B")[:] = answer
        else:
            frame._data = bytearray(answer)

    kind.__init__, kind.process_stream = made, processed


def _bytes(pcm: Any) -> bytes:
    return np.ascontiguousarray(pcm, np.int16).tobytes()
