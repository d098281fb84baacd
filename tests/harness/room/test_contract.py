"""What the virtual room takes for granted of ``livekit.rtc`` beyond its public names.

A failure here means: this version of livekit changed under the virtual room; see
``lkgate/harness/room`` for what relies on it.
"""

from __future__ import annotations

import inspect
import re

import pytest
from livekit import rtc
from livekit.rtc import _ffi_client, audio_resampler, audio_source, audio_stream, room
from livekit.rtc._proto import ffi_pb2

from lkgate.harness import room as virtual

BROKEN = f"livekit {rtc.__version__}"


def source_of(module: object) -> str:
    return inspect.getsource(module)  # type: ignore[arg-type]


def test_every_class_asks_the_one_object_that_is_replaced() -> None:
    ffi = virtual.install()
    assert _ffi_client.FfiClient.instance is ffi, BROKEN
    assert "FfiClient._instance" in source_of(_ffi_client.FfiHandle), BROKEN
    assert "livekit_ffi_drop_handle" in source_of(_ffi_client.FfiHandle), BROKEN


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("AudioSource", ["_ffi_handle", "_last_capture", "_q_size", "_join_handle", "_join_fut"]),
        ("AudioStream", ["_ffi_handle", "_ffi_queue", "_queue", "_processor", "_run()"]),
    ],
)
def test_classes_with_a_replaced_method_keep_their_fields(name: str, attributes: list[str]) -> None:
    text = source_of({"AudioSource": audio_source, "AudioStream": audio_stream}[name])
    missing = [attribute for attribute in attributes if f"self.{attribute}" not in text]
    assert not missing, f"{BROKEN}: rtc.{name} has no {missing}"


def test_the_account_of_what_is_queued_is_as_it_was() -> None:
    """``capture_frame`` repeats these lines of LiveKit's."""
    text = re.sub(r"\s+", " ", source_of(audio_source))
    for line in (
        "elapsed = 0.0 if self._last_capture == 0.0 else now - self._last_capture",
        "self._q_size += frame.samples_per_channel / self.sample_rate - elapsed",
        "self._join_handle = self._loop.call_later(self._q_size, self._release_waiter)",
        "return max(self._q_size - time.monotonic() + self._last_capture, 0.0)",
    ):
        assert line in text, f"{BROKEN}: rtc.AudioSource accounts for its queue in another way"


def test_the_resampler_has_no_other_methods() -> None:
    text = source_of(audio_resampler.AudioResampler)
    public = set(re.findall(r"^    def (\w+)", text, flags=re.MULTILINE))
    assert public == {"__init__", "push", "flush"}, BROKEN


def test_a_room_subscribes_for_itself_right_before_it_asks_to_connect() -> None:
    text = source_of(room.Room.connect)
    subscribed = [match.start() for match in re.finditer(r"queue\.subscribe\(", text)]
    asked = text.index("FfiClient.instance.request(req)")
    assert len(subscribed) == 2 and max(subscribed) < asked, BROKEN
    between = text[subscribed[0] : asked]
    assert "await" not in between, BROKEN


def test_requests_that_are_answered_or_passed_on_still_exist() -> None:
    ffi = virtual.install()
    known = {field.name for field in ffi_pb2.FfiRequest.DESCRIPTOR.fields}
    assert set(ffi._handlers) <= known, BROKEN
    assert known >= virtual.ffi._NATIVE, BROKEN
