"""Two ways in which Python wastes time when a compiler is loaded, and how to avoid them.

*Frames.* Python keeps the frames of calls in pieces of memory of 16 KB each, and gives a piece
back when the calls in it have returned. If calls cross the end of a piece over and over, each of
them takes a new piece from the operating system, which takes far longer than the call.
That slows down what is timed, and what compiles, if their calls happen to lie there. Versions
with a patch of 2026 keep one piece (python/cpython, issue 142183).

*Garbage.* Python looks for garbage when a few hundred or thousand new objects are there, and at
its end. Loading torch makes very many objects that stay, and a compiler's graph has many nodes.
Each look goes over all of them, and finds nothing.
"""

import atexit
import gc
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Returned = TypeVar("Returned")

# Slots, of eight bytes, of the frame that opens a large piece. A piece has the next power of two of
# bytes: a mebibyte. More than half of it belongs to that frame, which never touches it; the rest
# has room for a thousand frames of sixty slots.
SLOTS = 70_000
# New objects after which Python is to look for garbage.
GARBAGE_AFTER = 100_000


def with_room(function: Callable[Given, Returned]) -> Callable[Given, Returned]:
    """Return `function` such that the frames of all that it calls have room in one piece."""

    def call(*args: Given.args, **kwargs: Given.kwargs) -> Returned:
        return function(*args, **kwargs)

    call.__code__ = call.__code__.replace(co_stacksize=SLOTS)
    return wraps(function)(call)


def look_for_garbage_seldom() -> None:
    """Have this process look for garbage after many new objects only."""
    gc.set_threshold(GARBAGE_AFTER)


def end_without_looking() -> None:
    """Have this process end without looking for garbage."""
    atexit.register(gc.freeze)
