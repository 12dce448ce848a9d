"""This project's own book, built for real in a folder apart, once for all tests that read it.

Where a whole book was just built, as in CI, `TESTED_BOOK` names its folder: the tests read that
one, whose parameters are a reader's, and build no smaller one.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline import places
from pipeline.building import build
from pipeline.cli.commandline import parameters
from pipeline.places import discover

BUILT = os.environ.get("TESTED_BOOK")
# The tests' own book is kept from run to run: a run executes the chapters that have changed since.
FOLDER = places.PROJECT / BUILT if BUILT else places.BUILD / "tests" / "book"
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


@contextmanager
def building_in(folder: Path) -> Iterator[None]:
    """Build this project's notebooks and pages in another folder than its own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in FOLDERS:
            patch.setattr(places, name, folder / getattr(places, name).relative_to(places.BUILD))
        patch.setattr(places, "BUILD", folder)
        patch.setenv("INVESTIGATION_RESULTS", "")
        yield


def build_in(folder: Path) -> None:
    """Build what is out of date in that folder.

    In the tests' own book, chapters that time something run beside others too: no test reads a
    time.
    """
    if BUILT and not (folder / "html" / "index.html").exists():
        pytest.fail(f"TESTED_BOOK={BUILT}: no book is there; make book builds one in build")
    with building_in(folder):
        build(parameters({} if BUILT else SMALL), alone_when_timed=BUILT is not None)
