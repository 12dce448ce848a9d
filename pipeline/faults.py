"""What stops a build, in one line."""

import errno
import os

STOPPED = "stopped; what had finished is kept, and the same command goes on from there"
# What a person can do about what the system refuses; the path is put before it.
REMEDIES = {
    errno.ENOSPC: "the disk is full; free some space, and the same command goes on from here",
    errno.EDQUOT: "the disk quota is used up; the same command goes on once there is space",
    errno.EFBIG: "larger than this session may write (ulimit -f)",
    errno.EACCES: "not allowed here; a build writes below build/, in a folder of your own",
    errno.EPERM: "not allowed here; a build writes below build/, in a folder of your own",
    errno.EROFS: "a read-only file system; a build writes below build/, in a folder of your own",
    errno.ENOMEM: "this machine is short of memory",
}


class BuildError(Exception):
    """A build that cannot go on; the message names what was wrong and what is allowed."""


def refused_in(output: str) -> str | None:
    """Return what the system refused another program, by what that printed; None for nothing."""
    named = (number for number in REMEDIES if os.strerror(number) in output)
    return next((REMEDIES[number] for number in named), None)


def refused_by_the_system(error: OSError) -> str:
    """Return what the system refused, in one line: the path, and what can be done about it."""
    path = f"{error.filename}: " if error.filename else ""
    return path + REMEDIES.get(error.errno or 0, error.strerror or str(error))
