"""What the C library keeps of the memory that was freed."""

import ctypes
import sys

import psutil

# What is given back has to be fetched again, which can double the time that a load takes: it is
# done where a process has grown to this size, as a few do.
MOST_RESIDENT_BYTES = 2**31


def resident_bytes() -> int:
    """Return how much of this process lies in memory."""
    return int(psutil.Process().memory_info().rss)


def give_back() -> None:
    """Give freed memory back to the system if this process is large: on glibc, which keeps it.

    A program that is loaded anew leaves room as large as its tensors. What stays of the next
    preparation comes to lie in it, so the program after it takes new room: without this, a process
    grows by that much with each load.
    """
    if sys.platform == "linux" and resident_bytes() > MOST_RESIDENT_BYTES:
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # another C library has none
        if trim is not None:
            trim(0)
