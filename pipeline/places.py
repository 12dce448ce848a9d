"""The paths of everything; a build writes below `BUILD` and nowhere else."""

from pathlib import Path

HERE = Path(__file__).resolve().parent.parent  # the folder of this code
PROJECT = HERE
NOTEBOOKS = PROJECT / "notebooks"
PACKAGE = PROJECT / "investigation"
BOOK = PROJECT / "book"
CONFIG = PROJECT / "_config.yml"
LOCK = PROJECT / "requirements.lock"
RECORDED = PROJECT / "results"

BUILD = PROJECT / "build"
EXECUTED = BUILD / "notebooks"
RESULTS = BUILD / "results"
STAMPS = BUILD / "stamps"
FAILED = BUILD / "failed"
STAGING = BUILD / "staging"
SOURCE = BUILD / "source"
RENDERED = BUILD / "rendered"
HTML = BUILD / "html"
RETIRED = BUILD / "html.retired"
PRINTED = BUILD / "printed"
SWEEPS = BUILD / "sweeps"
PATCHES = BUILD / "patches"
CELLS = SWEEPS / "cells"
CLAIMS = BUILD / "claims.json"


def discover() -> list[Path]:
    """Return the notebooks in reading order."""
    return sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
