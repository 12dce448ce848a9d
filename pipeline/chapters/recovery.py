"""Carry on after a build that was killed: keep what had finished, and clear the rest."""

import shutil
from pathlib import Path

from pipeline import places
from pipeline.chapters import promotion


def carry_on() -> None:
    """Finish or clear what an earlier build left half-way, under that folder's lock."""
    for staging in sorted(path for path in places.STAGING.glob("*") if path.is_dir()):
        if (staging / promotion.READY).exists():
            promotion.promote(staging)
        else:
            shutil.rmtree(staging)
    if places.RETIRED.exists() and not places.HTML.exists():
        places.RETIRED.rename(places.HTML)
    for folder in (places.RETIRED, places.RENDERED):
        shutil.rmtree(folder, ignore_errors=True)
    for path in unfinished():
        path.unlink(missing_ok=True)


def unfinished() -> list[Path]:
    """Return the files that a killed build was still writing: none is read by anything."""
    folders = (places.BUILD, places.EXECUTED, places.RESULTS, places.STAMPS)
    temporary = [path for folder in folders for path in folder.glob(".*.part")]
    return [*temporary, *(places.BUILD / "jupyter" / "runtime").glob("kernel-*.json")]
