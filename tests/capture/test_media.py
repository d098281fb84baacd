from __future__ import annotations

from dataclasses import replace

from livekit import rtc

from lkgate.capture.media import NOTHING, Media, buffer_delay_us, hole, media_of

# A second of Opus, 20 ms a packet, 30 ms in the jitter buffer.
SECOND = Media(
    packets_received=50,
    packets_lost=0,
    jitter_us=1_000,
    samples=48_000,
    emitted=48_000,
    concealed=0,
    buffered_s=0.03 * 48_000,
    round_trip_us=4_000,
    opus=True,
)


def stats() -> list[rtc.stats.RtcStats]:
    inbound, pair, other, codec = (rtc.stats.RtcStats() for _ in range(4))
    inbound.inbound_rtp.received.packets_received = 50
    inbound.inbound_rtp.received.packets_lost = 2
    inbound.inbound_rtp.received.jitter = 0.001
    inbound.inbound_rtp.inbound.total_samples_received = 48_000
    inbound.inbound_rtp.inbound.jitter_buffer_emitted_count = 47_000
    inbound.inbound_rtp.inbound.concealed_samples = 1_000
    inbound.inbound_rtp.inbound.jitter_buffer_delay = 1_440.0
    pair.candidate_pair.candidate_pair.nominated = True
    pair.candidate_pair.candidate_pair.responses_received = 3
    pair.candidate_pair.candidate_pair.current_round_trip_time = 0.004
    other.candidate_pair.candidate_pair.responses_received = 1
    other.candidate_pair.candidate_pair.current_round_trip_time = 9.0
    codec.codec.codec.mime_type = "audio/opus"
    return [codec, pair, other, inbound]


def test_statistics_are_read_in_microseconds() -> None:
    assert media_of(stats()) == Media(50, 2, 1_000, 48_000, 47_000, 1_000, 1_440.0, 4_000, True)


def test_what_was_not_measured_is_absent() -> None:
    codec, pair, _, inbound = stats()
    pair.candidate_pair.candidate_pair.responses_received = 0
    media = media_of([codec, pair, inbound])
    assert media is not None and media.round_trip_us is None
    assert media_of([codec, pair]) is None
    assert media_of([]) is None


def test_the_buffer_delay_is_that_of_what_came_in_between() -> None:
    later = replace(SECOND, emitted=72_000, buffered_s=SECOND.buffered_s + 0.08 * 24_000)
    assert buffer_delay_us(NOTHING, SECOND) == 30_000
    assert buffer_delay_us(SECOND, later) == 80_000
    assert buffer_delay_us(later, later) is None


def test_the_path_besides_is_packet_and_codec() -> None:
    assert SECOND.path_us == 10_000 + 6_500
    assert replace(SECOND, packets_received=17).path_us == 50_000 + 6_500  # 60 ms a packet
    assert replace(SECOND, packets_received=100, opus=False).path_us == 0
    # Packets that only say that there is silence do not make the others shorter.
    assert replace(SECOND, packets_received=58).path_us == 10_000 + 6_500
    assert NOTHING.path_us == 0


def test_holes_and_their_causes() -> None:
    whole = replace(SECOND, samples=96_000, emitted=96_000)
    assert hole(SECOND, whole) is None
    late = replace(SECOND, samples=96_000, emitted=86_400, concealed=9_600)
    assert hole(SECOND, late) == ("late", 200_000)
    assert hole(SECOND, replace(late, packets_lost=10)) == ("loss", 200_000)
    comfort = replace(SECOND, samples=96_000, emitted=72_000)
    assert hole(SECOND, comfort) == ("nothing_came", 500_000)
    told = replace(comfort, packets_received=SECOND.packets_received + 1)
    assert hole(SECOND, told) == ("discontinuous_transmission", 500_000)
    uneven = replace(SECOND, samples=96_000, emitted=95_000)
    assert hole(SECOND, uneven) is None
