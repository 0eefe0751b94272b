"""When a file counts as standing still. The clock and the file are played here."""

from __future__ import annotations

import pytest

from dam.library.settle import Look, SettleTracker


class Stage:
    """A clock that the test moves and files that the test writes."""

    def __init__(self, settle_s: float) -> None:
        self.now_s = 100.0
        self.files: dict[str, Look] = {}
        self.tracker: SettleTracker[str] = SettleTracker(settle_s, lambda: self.now_s)

    def write(self, name: str, size_bytes: int, *, event: bool = True) -> None:
        self.files[name] = (int(self.now_s * 1e9), size_bytes)
        if event:
            self.tracker.touch(name)

    def after(self, seconds: float) -> list[str]:
        self.now_s += seconds
        return self.tracker.settled(self.files.get)


@pytest.fixture
def stage() -> Stage:
    return Stage(settle_s=2.0)


def test_a_finished_file_is_let_through_once(stage: Stage) -> None:
    stage.write("a.jpg", 10)
    assert stage.after(1.9) == []
    assert stage.after(0.2) == []  # quiet, looked at for the first time
    assert stage.after(2.0) == ["a.jpg"]
    assert stage.after(60) == []
    assert len(stage.tracker) == 0


def test_every_event_starts_the_wait_again(stage: Stage) -> None:
    for size_bytes in range(20):
        stage.write("a.jpg", size_bytes)
        assert stage.after(1.5) == []
    assert stage.after(2) == []
    assert stage.after(2) == ["a.jpg"]


def test_a_file_that_grows_without_events_is_not_let_through(stage: Stage) -> None:
    stage.write("a.jpg", 1)
    for size_bytes in range(2, 6):
        assert stage.after(2.5) == []
        stage.write("a.jpg", size_bytes, event=False)
    assert stage.after(2.5) == []
    assert stage.after(2.5) == ["a.jpg"]


def test_a_file_rewritten_with_the_same_size_is_not_let_through(stage: Stage) -> None:
    stage.write("a.jpg", 10)
    assert stage.after(2.5) == []
    stage.write("a.jpg", 10, event=False)
    assert stage.after(2.5) == []
    assert stage.after(2.5) == ["a.jpg"]


def test_a_file_that_vanished_is_not_waited_for(stage: Stage) -> None:
    stage.write("a.jpg", 10)
    del stage.files["a.jpg"]
    assert stage.after(3) == []
    assert len(stage.tracker) == 0


def test_files_settle_each_for_itself(stage: Stage) -> None:
    stage.write("slow.jpg", 10)
    stage.write("done.jpg", 10)
    stage.after(1)
    stage.write("slow.jpg", 11)
    assert stage.after(1.5) == []
    assert stage.after(2) == ["done.jpg"]
    assert stage.after(2) == ["slow.jpg"]


def test_what_is_forgotten_never_settles(stage: Stage) -> None:
    stage.write("a.jpg", 10)
    stage.write("b.jpg", 10)
    stage.tracker.forget(lambda name: name == "a.jpg")
    stage.after(3)
    assert stage.after(3) == ["b.jpg"]


def test_without_a_settle_time_two_looks_are_enough() -> None:
    stage = Stage(settle_s=0)
    stage.write("a.jpg", 10)
    assert stage.after(0) == []
    assert stage.after(0) == ["a.jpg"]
