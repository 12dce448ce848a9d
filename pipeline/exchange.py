"""Put one folder in the place of another in a single step, so that neither is ever missing."""

import ctypes
import errno
import os
from pathlib import Path

# renameat2(2): paths are relative to the working folder; the two names change places.
AT_FDCWD, RENAME_EXCHANGE = -100, 2
UNSUPPORTED = (errno.ENOSYS, errno.EINVAL, errno.EXDEV)


def exchange(one: Path, other: Path, aside: Path) -> None:
    """Let two folders change places, at once where system and file system can.

    Elsewhere by way of `aside`, which must not exist, in three steps; raises `OSError` where
    the system refuses.
    """
    if not _at_once(one, other):
        other.rename(aside)
        one.rename(other)
        aside.rename(one)


def _at_once(one: Path, other: Path) -> bool:
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if renameat2 is None:
        return False
    names = (os.fsencode(one), os.fsencode(other))
    if renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in UNSUPPORTED:
        return False
    raise OSError(number, os.strerror(number), str(other))
