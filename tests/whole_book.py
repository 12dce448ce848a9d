"""This project's own book, built for real, once for all tests that read it.

Where `make book` has made a whole book and nothing has changed since, as in CI, the tests read that
one, whose parameters are a reader's. Else they build one with small parameters in a folder apart.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock

from pipeline import places
from pipeline.building import build, is_current, only_build
from pipeline.cli.commandline import parameters
from pipeline.faults import BuildError
from pipeline.places import discover

READERS = places.BUILD
# The tests' own book is kept from run to run: a run executes the chapters that have changed since.
OWN = places.BUILD / "tests" / "book"
LOCK = places.BUILD / "tests" / "book.lock"
# Nothing but parameters is smaller than in a reader's build.
SMALL = {
    "BUDGET": "0.2",
    "NETWORK_BUDGET": "1.2",
    "PROCESSES": "2",
    "TRIALS": "1",
    "EXAMPLES": "50",
    "SHAPE": "8,16,16,16",
    "BATCH": "4",
    "RESNET_BATCH": "1",
    "LARGEST_SIDE": "32",
    "EPOCHS": "1",
    "LEVELS": "multiply",
    "RUNTIMES": "eager,onnxruntime",
    "DTYPE_PAIRS": "float32:bfloat16",
    "CHIPS": "sm_90",
}
CHAPTERS = [notebook.stem for notebook in discover()]
FOLDERS = ("EXECUTED", "RESULTS", "STAMPS", "FAILED", "STAGING", "SOURCE", "RENDERED", "HTML",
           "RETIRED", "PATCHES", "CLAIMS")  # fmt: skip


_read_from: list[Path] = []


def read_from(folder: Path) -> None:
    """Have the tests of this process read the book in that folder."""
    _read_from[:] = [folder]


def book_folder() -> Path:
    """Return where the book is that the tests read: a reader's if that is current, or their own."""
    if not _read_from:
        read_from(READERS if _readers_is_current() else OWN)
    return _read_from[0]


def _readers_is_current() -> bool:
    try:
        return is_current()
    except (BuildError, OSError, ValueError):  # to build their own then fails with the reason
        return False


@contextmanager
def building_in(folder: Path) -> Iterator[None]:
    """Build this project's notebooks and pages in another folder than its own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in FOLDERS:
            patch.setattr(places, name, folder / getattr(places, name).relative_to(places.BUILD))
        patch.setattr(places, "BUILD", folder)
        patch.setenv("INVESTIGATION_RESULTS", "")
        yield


def build_what_is_outdated() -> None:
    """Build what is out of date in the book that the tests read.

    In their own, chapters that time something run beside others too: no test reads a time.
    """
    own = book_folder() == OWN
    book_folder().mkdir(parents=True, exist_ok=True)
    LOCK.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(LOCK), building_in(book_folder()), only_build():
        build(parameters(SMALL if own else {}), alone_when_timed=not own)
