"""The evidence recorded on other machines, as it lies under `results`, by machine."""

import json
from pathlib import Path

from investigation.evidence import files
from investigation.evidence.records import Evidence
from investigation.evidence.sealed import manifest
from investigation.evidence.sealed.manifest import RESULTS


def recorded(results: Path = RESULTS) -> dict[str, tuple[Evidence, ...]]:
    """Return all evidence in the folder of each machine; a contest, say, is no evidence.

    Raises `EvidenceError` for evidence that cannot be used.
    """
    return {
        folder.name: tuple(
            files.read(path) for path in manifest.record_files(folder) if _is_evidence(path)
        )
        for folder in manifest.machine_folders(results)
    }


def _is_evidence(path: Path) -> bool:
    kind = manifest.kind_of(json.loads(path.read_text(encoding="utf-8")))
    return kind is not None and kind.name == "evidence"
