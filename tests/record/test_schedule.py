from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lkgate.record.schedule import LiveRoom, Schedule, Skip, sampled


def room(name: str, sid: str | None = None, people: int = 2) -> LiveRoom:
    return LiveRoom(name, sid or f"RM_{name}", people)


def schedule(
    ratio: float = 1.0, max_rooms: int = 2, patterns: tuple[str, ...] = ("*",)
) -> Schedule:
    return Schedule(patterns, ratio=ratio, max_rooms=max_rooms)


def test_sampling_is_the_same_on_every_machine() -> None:
    """``printf clinic-1 | sha256sum`` begins with 4ce53eed: 0.3004 of 1."""
    assert not sampled("clinic-1", 0x4CE53EED / 2**32)
    assert sampled("clinic-1", 0x4CE53EEE / 2**32)
    names = [f"clinic-{n}" for n in range(12)]
    assert [name for name in names if sampled(name, 0.25)] == [
        "clinic-3",
        "clinic-4",
        "clinic-5",
        "clinic-6",
        "clinic-7",
        "clinic-8",
    ]


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_greater_share_holds_every_smaller_one(name: str, one: float, two: float) -> None:
    low, high = sorted((one, two))
    assert sampled(name, high) or not sampled(name, low)
    assert sampled(name, 1.0) and not sampled(name, 0.0)


def test_the_share_is_as_large_as_asked() -> None:
    chosen = sum(sampled(f"call-{n}", 0.05) for n in range(20_000))
    assert 900 < chosen < 1_100


def test_only_rooms_of_the_patterns() -> None:
    rooms = [room("clinic-1"), room("ward-1"), room("Clinic-2"), room("desk")]
    starts, skips = schedule(patterns=("clinic-*", "desk")).look(rooms)
    assert [one.name for one in starts] == ["clinic-1", "desk"]
    assert skips == []


def test_what_is_over_the_bound_is_skipped_once_and_for_good() -> None:
    rooms = [room(name) for name in "abc"]
    plan = schedule()
    assert plan.look(rooms) == (rooms[:2], [Skip(rooms[2], "max_rooms")])
    plan.ended(rooms[0], "done")
    assert plan.look(rooms) == ([], [])
    late = room("d")
    assert plan.look([*rooms, late]) == ([late], [])


def test_a_room_that_waits_has_no_place_until_it_claims_one() -> None:
    plan = Schedule("*", ratio=1.0, max_rooms=1, waits=True)
    rooms = [room(name) for name in "abc"]
    assert plan.look(rooms) == (rooms, [])
    assert plan.claim(rooms[1]) and plan.claim(rooms[1])
    assert not plan.claim(rooms[0])
    assert not plan.ended(rooms[0], "done")
    plan.ended(rooms[1], "done")
    assert plan.claim(rooms[2])


def test_not_sampled_and_disk_full() -> None:
    one = room("a")
    assert schedule(ratio=0.0).look([one]) == ([], [Skip(one, "not_sampled")])
    assert schedule().look([one], disk_full=True) == ([], [Skip(one, "keep_disk")])


def test_a_name_that_comes_again_is_another_call() -> None:
    plan, first, second = schedule(), room("a", "RM_1"), room("a", "RM_2")
    assert plan.look([first]) == ([first], [])
    plan.ended(first, "done")
    assert plan.look([first]) == ([], [])
    assert plan.look([second]) == ([second], [])


def test_a_room_that_a_restarted_server_has_under_another_sid_is_the_same_call() -> None:
    plan, first, second = schedule(), room("a", "RM_1"), room("a", "RM_2")
    plan.look([first])
    assert plan.look([second]) == ([], [])
    plan.ended(first, "done")
    assert plan.look([second]) == ([], [])


def test_an_empty_room_is_tried_again_when_somebody_is_there_but_not_for_ever() -> None:
    plan, empty, busy = schedule(), room("a", people=0), room("a", people=1)
    assert plan.look([empty])[0] == [empty]
    assert plan.ended(empty, "failed")
    assert plan.look([empty]) == ([], [])
    assert plan.look([busy])[0] == [busy]
    assert plan.ended(busy, "failed")
    assert plan.look([busy])[0] == [busy]
    assert not plan.ended(busy, "failed")
    assert plan.look([busy]) == ([], [])


def test_a_room_that_has_a_recorder_is_asked_again_later() -> None:
    plan, one = schedule(), room("a")
    looks = []
    for _ in range(25):
        starts, _skips = plan.look([one])
        looks.append(len(starts))
        if starts:
            assert plan.ended(one, "later")
    assert sum(looks) == 3 and looks[0] == 1


@given(st.lists(st.lists(st.integers(0, 9), max_size=10), max_size=20), st.integers(1, 4))
def test_never_more_at_once_than_the_bound(seen: list[list[int]], bound: int) -> None:
    plan, active = schedule(max_rooms=bound), dict[str, LiveRoom]()
    for names in seen:
        rooms = [room(str(n)) for n in dict.fromkeys(names)]
        starts, skips = plan.look(rooms)
        active |= {one.name: one for one in starts}
        assert len(active) <= bound
        assert not {skip.room.name for skip in skips} & active.keys()
        for name in [name for name in active if int(name) not in names]:
            plan.ended(active.pop(name), "done")
