"""This project's own book, built for real in a folder apart, once for all tests that read it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline import places
from pipeline.building import build
from pipeline.cli.commandline import parameters
from pipeline.places import discover

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
           "RETIRED", "PATCHES")  # fmt: skip


@contextmanager
def building_in(folder: Path) -> Iterator[None]:
    """Build this project's notebooks and pages in another folder than its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "BUILD", folder)
        patch.setattr(places, "CLAIMS", folder / "claims.json")
        for name in FOLDERS:
            patch.setattr(places, name, folder / name.lower())
        patch.setenv("INVESTIGATION_RESULTS", "")
        yield


def build_in(folder: Path) -> None:
    """Build what is out of date in that folder.

    Chapters that time something run beside others too: no test reads a time.
    """
    with building_in(folder):
        build(parameters(SMALL), alone_when_timed=False)
