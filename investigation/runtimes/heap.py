"""What the C library keeps of the memory that was freed."""

import ctypes
import sys


def give_back() -> None:
    """Give freed memory back to the system, where the C library would keep it: on glibc.

    A program that is loaded anew leaves room as large as its tensors. What stays of the next
    preparation comes to lie in it, so the program after it takes new room: without this, a process
    grows by that much with each load.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # another C library has none
        if trim is not None:
            trim(0)
