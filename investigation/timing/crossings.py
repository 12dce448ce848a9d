"""Calls from frames of many sizes: which of them cross the end of a piece of Python's stack.

`investigation.interpreter` says what a piece is. A call that crosses its end takes memory from the
operating system, and the first touch of that memory is a page fault, which the system counts.
"""

import mmap
import resource
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import FunctionType

from investigation.interpreter import with_room
from investigation.timing.clock import WHO

# Slots of a piece, and how far two positions are from each other: less than a frame's size.
PIECE, STEP = 2048, 4
# More page faults a call than come from elsewhere.
MANY = 0.5


@dataclass(frozen=True)
class Calls:
    """What a call of an empty function takes at one position: page faults, and seconds."""

    faults: float
    seconds: float

    @property
    def cross(self) -> bool:
        """Whether each of them crosses the end of a piece."""
        return self.faults > MANY


def unavailable_reason() -> str:
    """Return why crossings cannot be counted here, empty if they can."""
    before = _faults()
    with mmap.mmap(-1, mmap.PAGESIZE) as untouched:
        untouched[0] = 1
        return "" if _faults() > before else "this system does not count a process's page faults"


def at_every_position(*, room: bool, calls: int = 200) -> Sequence[Calls]:
    """Call an empty function so many times from each of many frames, with room or without.

    The frames' sizes go up to that of a piece, so that some calls lie at its end. A thread calls,
    which has a stack of its own: the caller may have room already.
    """
    called = with_room(from_here) if room else from_here
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(called, calls).result()


def from_here(calls: int) -> Sequence[Calls]:
    """Call an empty function so many times from each of many frames, as things are."""
    code = _calling.__code__
    sizes = (code.co_stacksize + more for more in range(0, PIECE, STEP))
    return [FunctionType(code.replace(co_stacksize=size), globals())(calls) for size in sizes]


def _calling(calls: int) -> Calls:
    return counted(calls)


def counted(calls: int) -> Calls:
    """Call an empty function so many times from here."""
    for _ in range(calls):  # Python specialises a loop that runs for the first time
        _empty()
    faults, began = _faults(), time.perf_counter()
    for _ in range(calls):
        _empty()
    seconds = time.perf_counter() - began
    return Calls((_faults() - faults) / calls, seconds / calls)


def _empty() -> None:
    pass


def _faults() -> int:
    return resource.getrusage(WHO).ru_minflt
