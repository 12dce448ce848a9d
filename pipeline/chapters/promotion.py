"""From a finished execution to the book: stamped with its provenance, then put into place.

Between the two nothing can be lost: once `ready.json` is written, a killed build's next run
finishes the moves that were left; before it, the execution does not count.
"""

import json
import shutil
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from investigation.evidence import files
from investigation.evidence.files import write_atomically
from investigation.evidence.provenance import cells_sha256
from investigation.evidence.records import Evidence
from pipeline import places
from pipeline.chapters import freshness
from pipeline.chapters.freshness import products
from pipeline.faults import BuildError

READY = "ready.json"


def prepare(notebook: Path, staging: Path, inputs: str) -> None:
    """Check what an execution made, write its provenance into the page, and call it ready.

    `inputs` is the fingerprint of all that it was made from, taken before it started. Raises
    `BuildError` if there is no evidence, a control failed, or the page and the evidence are
    not of one source.
    """
    page, result = staging / notebook.name, staging / f"{notebook.stem}.json"
    if not result.exists():
        raise BuildError(f"{notebook.stem}: it wrote no evidence; its last cell is chapter.close()")
    evidence = files.read(result)
    if evidence.failed_controls:
        failed = evidence.failed_controls[0]
        raise BuildError(f"{notebook.stem}: control {failed.name} failed: {failed.statement}")
    document = json.loads(page.read_text(encoding="utf-8"))
    if cells_sha256(document) != evidence.source_sha256:
        raise BuildError(f"{notebook.stem}: it was edited while it ran; run the same again")
    _stamp(document, evidence, sha256(result.read_bytes()).hexdigest())
    write_atomically(page, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    stamp = freshness.stamp_of(page, result, inputs)
    write_atomically(staging / READY, json.dumps(stamp, indent=1))


def _stamp(document: dict[str, Any], evidence: Evidence, evidence_sha256: str) -> None:
    """Write into an executed notebook's metadata what it was made from, and by what."""
    settings = document["metadata"].setdefault("investigation", {})
    settings["provenance"] = evidence.model_dump(
        mode="json", exclude={"records", "notebook", "schema_version"}
    ) | {"evidence_sha256": evidence_sha256}
    for name in ("input_path", "output_path"):  # of this machine, and of no use to others
        document["metadata"].get("papermill", {}).pop(name, None)


def promote(staging: Path) -> None:
    """Move what a ready execution made to where the book reads it, the stamp last.

    Continues after an earlier attempt that was killed.
    """
    notebook = places.NOTEBOOKS / f"{staging.name}.ipynb"
    page, result = products(notebook)
    moves = (
        (staging / page.name, page),
        (staging / result.name, result),
        (staging / READY, freshness.stamp_path(notebook)),
    )
    for source, target in moves:
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.exists():
            source.replace(target)
    shutil.rmtree(staging)
    (places.FAILED / page.name).unlink(missing_ok=True)
    failure_of(notebook).unlink(missing_ok=True)


def failure_of(notebook: Path) -> Path:
    """Return the path of the reason why a notebook's last execution failed, if it did."""
    return places.FAILED / f"{notebook.stem}.txt"


def matching(notebook: Path) -> bool:
    """Return whether a notebook, as it is now, has been executed: page and evidence are of it.

    Raises `BuildError` if the evidence is not the one that the page was made with.
    """
    page, result = products(notebook)
    if not (page.exists() and result.exists()):
        return False
    document = json.loads(page.read_text(encoding="utf-8"))
    origin = document["metadata"].get("investigation", {}).get("provenance", {})
    if origin.get("evidence_sha256") != sha256(result.read_bytes()).hexdigest():
        raise BuildError(
            f"{notebook.stem}: its evidence is not what its page was made with; "
            f"`make rerun NOTEBOOK={notebook.stem}` makes both anew"
        )
    source = json.loads(notebook.read_text(encoding="utf-8"))
    return bool(cells_sha256(document) == cells_sha256(source) == origin["source_sha256"])


def provenance(page: Path) -> Mapping[str, Any]:
    """Return an executed notebook's provenance; empty if it has none."""
    metadata = json.loads(page.read_text(encoding="utf-8"))["metadata"]
    origin: Mapping[str, Any] = metadata.get("investigation", {}).get("provenance", {})
    return origin
