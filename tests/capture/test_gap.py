from __future__ import annotations

from lkgate.capture.fields import Fields
from lkgate.capture.gap import Gaps


class Scene:
    def __init__(self, cut: tuple[int, int] = (0, 0)):
        self.noted: list[Fields] = []
        self.gaps = Gaps(
            "caller",
            note=lambda kind, data: self.noted.append({"kind": kind, **data}),
            cut_off=lambda start, end: start < cut[1] and cut[0] < end,
        )

    def found(self) -> list[tuple[object, ...]]:
        assert {(data["kind"], data["track"]) for data in self.noted} <= {("lkgate.gap", "caller")}
        return [
            (data["cause"], data["start_us"], data["end_us"], data.get("missing_us"))
            for data in self.noted
        ]


def test_windows_of_one_cause_are_one_gap_told_when_it_is_over() -> None:
    scene = Scene()
    scene.gaps.window(0, 500, None)
    scene.gaps.window(500, 1_000, ("discontinuous_transmission", 300))
    scene.gaps.window(1_000, 1_500, ("discontinuous_transmission", 400))
    assert scene.found() == []
    scene.gaps.window(1_500, 2_000, None)
    assert scene.found() == [("discontinuous_transmission", 500, 1_500, 700)]


def test_another_cause_begins_another_gap() -> None:
    scene = Scene()
    scene.gaps.window(0, 500_000, ("loss", 100))
    scene.gaps.window(500_000, 1_500_000, ("discontinuous_transmission", 300))
    scene.gaps.end(2_000_000)
    assert scene.found() == [
        ("loss", 0, 500_000, 100),
        ("discontinuous_transmission", 500_000, 1_500_000, 300),
    ]


def test_late_packets_that_turn_out_to_be_lost_are_one_loss() -> None:
    scene = Scene()
    for start, cause in ((0, "late"), (500, "late"), (1_000, "loss"), (1_500, "late")):
        scene.gaps.window(start, start + 500, (cause, 400))  # type: ignore[arg-type]
    scene.gaps.window(2_000, 2_500, None)
    assert scene.found() == [("loss", 0, 2_000, 1_600)]


def test_what_is_missing_while_the_recorder_is_cut_off_is_a_reconnection() -> None:
    scene = Scene(cut=(700, 1_200))
    scene.gaps.window(0, 500, ("late", 200))
    scene.gaps.window(500, 1_000, ("late", 500))
    scene.gaps.window(1_000, 1_500, ("loss", 500))
    scene.gaps.window(1_500, 2_000, None)
    assert scene.found() == [("reconnection", 0, 1_500, 1_200)]
    scene.gaps.silence("unsubscribed", 1_000, 3_000)
    scene.gaps.silence("unsubscribed", 2_000, 3_000)
    assert scene.found()[1:] == [
        ("reconnection", 1_000, 3_000, None),
        ("unsubscribed", 2_000, 3_000, None),
    ]


def test_silence_that_the_sender_chose_is_not_a_reconnection() -> None:
    scene = Scene(cut=(0, 1_000))
    scene.gaps.window(0, 1_000, ("discontinuous_transmission", 900))
    scene.gaps.end(1_000)
    assert scene.found() == [("discontinuous_transmission", 0, 1_000, 900)]


def test_comfort_noise_while_nothing_came_is_a_reconnection_if_there_was_one() -> None:
    """A receiver goes on making comfort noise when its connection is lost in a silence."""
    scene = Scene(cut=(1_000, 2_000))
    scene.gaps.window(0, 500, ("discontinuous_transmission", 500))
    scene.gaps.window(500, 1_000, ("nothing_came", 500))
    scene.gaps.window(1_000, 1_500, ("nothing_came", 500))
    scene.gaps.window(1_500, 2_000, ("nothing_came", 500))
    scene.gaps.end(2_000)
    assert scene.found() == [
        ("discontinuous_transmission", 0, 1_000, 1_000),
        ("reconnection", 1_000, 2_000, 1_000),
    ]


def test_a_mute_is_one_gap_and_nothing_in_it_is_another() -> None:
    scene = Scene()
    scene.gaps.mute(1_200)
    scene.gaps.mute(1_300)
    scene.gaps.window(1_000, 1_500, ("late", 300))
    scene.gaps.unmute(1_700)
    scene.gaps.unmute(1_800)
    scene.gaps.window(1_500, 2_000, ("late", 200))
    scene.gaps.window(2_000, 2_500, None)
    assert scene.found() == [("mute", 1_200, 1_700, None)]


def test_a_track_that_ends_muted_was_muted_until_then() -> None:
    scene = Scene()
    scene.gaps.mute(1_000)
    scene.gaps.end(5_000)
    assert scene.found() == [("mute", 1_000, 5_000, None)]


def test_what_is_made_up_after_the_last_packet_is_the_end() -> None:
    scene = Scene()
    scene.gaps.window(0, 500_000, ("late", 20_000))
    scene.gaps.end(600_000)
    assert scene.found() == []
    scene.gaps.window(0, 500_000, ("late", 400_000))
    scene.gaps.window(500_000, 1_000_000, ("late", 500_000))
    scene.gaps.end(1_000_000)
    assert scene.found() == [("late", 0, 1_000_000, 900_000)]
