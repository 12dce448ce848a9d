"""Room on Python's stack: calls that cross the end of a piece without it, and who has it."""

import gc
import sys

import process_jobs
import pytest
from fake_clock import FakeMachine

from investigation import interpreter
from investigation.interpreter import with_room
from investigation.timing import crossings
from investigation.timing.measure import compare_on
from investigation.timing.preparations import compare_made_on
from investigation.timing.settings import Settings
from pipeline.chapters import kernel

needs_counts = pytest.mark.skipif(
    bool(crossings.unavailable_reason()), reason=crossings.unavailable_reason()
)
# Newer versions keep one piece of the stack: python/cpython, issue 142183.
gives_pieces_back = pytest.mark.skipif(
    sys.version_info >= (3, 13), reason="this Python may keep a piece"
)


@needs_counts
@gives_pieces_back
def test_without_room_calls_at_a_few_positions_take_memory_from_the_system_each_time():
    positions = crossings.at_every_position(room=False)
    crossing = [calls for calls in positions if calls.cross]
    assert 1 <= len(crossing) < 0.05 * len(positions)
    assert all(calls.faults >= 1 for calls in crossing)


@needs_counts
def test_with_room_none_does():
    assert not any(calls.cross for calls in crossings.at_every_position(room=True))


@needs_counts
def test_there_is_room_for_hundreds_of_large_frames():
    def deep(left):
        return crossings.counted(20).cross if left == 0 else deep(left - 1)

    deep.__code__ = deep.__code__.replace(co_stacksize=50)
    most = sys.getrecursionlimit() - 200  # pytest's own calls are below
    assert not any(with_room(deep)(depth) for depth in range(most))


def test_a_function_with_room_is_the_same_function():
    def named(first, *, second=2):
        """Say what it got."""
        return first, second

    roomy = with_room(named)
    assert (roomy(1, second=3), roomy(first=1)) == ((1, 3), (1, 2))
    assert (roomy.__name__, roomy.__doc__) == ("named", "Say what it got.")
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'first'"):
        roomy()


class Noting:
    """A callable that notes whether there was room for all its calls."""

    def __init__(self, work=None):
        self.work, self.seen = work, set()

    def __call__(self, *_):
        self.seen.add(process_jobs.has_room())
        return self.work() if self.work else None


@pytest.mark.parametrize("made", [False, True])
def test_what_is_timed_has_room(made):
    machine = FakeMachine()
    arm = Noting(machine.work(1e-3))
    compared = compare_made_on if made else compare_on
    given = ([lambda: arm] * 2,) if made else (arm, arm)
    compared(machine, Settings(budget_s=0.5, seed=1), *given)
    assert arm.seen == {True}
    assert not process_jobs.has_room()


def test_a_chapter_has_room_and_looks_for_garbage_seldom(monkeypatch):
    seen, ended = Noting(), Noting()
    monkeypatch.setattr(kernel.kernelapp, "launch_new_instance", seen)
    monkeypatch.setattr(kernel, "end_without_looking", ended)
    before = gc.get_threshold()
    try:
        kernel.main()
        assert gc.get_threshold()[0] == interpreter.GARBAGE_AFTER
    finally:
        gc.set_threshold(*before)
    assert (seen.seen, ended.seen) == ({True}, {True})
