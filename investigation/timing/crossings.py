"""Calls at every position in a piece of Python's stack: which of them cross its end.

`investigation.interpreter` says what a piece is. A call that crosses its end takes memory from the
operating system, and the first touch of that memory is a page fault, which the system counts.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import FunctionType

from investigation.interpreter import with_room

try:
    import resource
except ImportError:  # Windows has none
    resource = None  # type: ignore[assignment]

# Slots of a piece, and how far two positions are from each other: less than a frame's size.
PIECE, STEP = 2048, 4
# More page faults a call than come from elsewhere.
MANY = 0.5


@dataclass(frozen=True)
class Calls:
    """Calls of an empty function at one position, by the call."""

    faults: float
    seconds: float

    @property
    def cross(self) -> bool:
        """Whether each of them crosses the end of a piece."""
        return self.faults > MANY


def unavailable_reason() -> str:
    """Return why crossings cannot be counted here, empty if they can."""
    return "" if resource else "this system does not tell a process its page faults"


def at_every_position(*, room: bool, calls: int = 200) -> Sequence[Calls]:
    """Call an empty function so many times at every position in a piece, with room or without.

    In a thread, which has a stack of its own: the caller may have room already.
    """
    positions = with_room(_positions) if room else _positions
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(positions, calls).result()


def _positions(calls: int) -> Sequence[Calls]:
    """Call it from frames of every size, so that its own lies everywhere in turn."""
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
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
