"""LiveKit's own native code, with a memory and without one. In processes: it is for good."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PROGRAM = """
import json, sys
from pathlib import Path
import numpy as np
from livekit import local_inference, rtc

asked = 0
for kind, name in ((local_inference.EOT, "predict"), (local_inference.VAD, "predict"),
                   (rtc.AudioProcessingModule, "process_stream")):
    def counted(self, *args, native=getattr(kind, name)):
        global asked
        asked += 1
        return native(self, *args)
    setattr(kind, name, counted)

directory, length, differs_at = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
close = lambda: None
if directory.name != "none":
    from lkgate.harness.memory import remember
    close = remember(directory, Path(sys.argv[4]))
noise = np.random.default_rng(1).normal(scale=3000, size=(length, 480)).astype(np.int16)
if differs_at >= 0:
    noise[differs_at] //= 2
gain, voice = rtc.AudioProcessingModule(auto_gain_control=True), local_inference.VAD()
other, turn = local_inference.VAD(), local_inference.EOT()
out = []
for number, samples in enumerate(noise):
    frame = rtc.AudioFrame(samples.tobytes(), 48000, 1, 480)
    gain.process_stream(frame)
    heard = np.frombuffer(bytes(frame.data), np.int16)
    out.append(int(heard.astype(np.int64).sum()))
    out.append(voice.predict(np.resize(heard, 512)))
    if number % 5 == 4:
        voice.reset()
        out.append(other.predict(np.resize(samples, 512)))
    if number % 10 == 9:
        out.append(turn.predict(np.resize(heard, 16000)))
close()
print(json.dumps({"out": out, "asked": asked}))
"""


def run(tmp_path: Path, directory: str, *, length: int = 40, differs_at: int = -1) -> Any:
    arguments = [str(tmp_path / directory), str(length), str(differs_at), str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_the_same_numbers_and_nothing_computed_twice(tmp_path: Path) -> None:
    plain = run(tmp_path, "none")
    first = run(tmp_path, "memory")
    again = run(tmp_path, "memory")
    assert first["out"] == again["out"] == plain["out"]
    assert first["asked"] == plain["asked"] == 92
    assert again["asked"] == 0


def test_a_call_that_goes_another_way_is_computed(tmp_path: Path) -> None:
    run(tmp_path, "memory")
    plain = run(tmp_path, "none", differs_at=25)
    other = run(tmp_path, "memory", differs_at=25)
    assert other["out"] == plain["out"]
    longer = run(tmp_path, "memory", length=60, differs_at=25)
    assert longer["out"] == run(tmp_path, "none", length=60, differs_at=25)["out"]
