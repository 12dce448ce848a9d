"""What an earlier chapter of the same book found, for a chapter that goes on from there.

A notebook that reads another's evidence names it in its metadata, under `investigation`,
`reads`; the build then executes it again when that evidence changes.
"""

import os
from pathlib import Path

from investigation.evidence import files
from investigation.evidence.environment import PROJECT
from investigation.evidence.records import Evidence


def folder() -> Path:
    """Return the folder with the evidence of finished chapters."""
    return Path(os.environ.get("INVESTIGATION_EVIDENCE", PROJECT / "build" / "results"))


def chapter(name: str) -> Evidence | None:
    """Return the evidence of a chapter that has run, or None if it has not.

    Raises `EvidenceError` if its evidence cannot be used.
    """
    path = folder() / f"{name}.json"
    return files.read(path) if path.exists() else None
