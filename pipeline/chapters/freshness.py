"""Whether what a notebook's last execution made is here, unchanged, and still valid.

Imports little, so that a build with nothing to do is over in seconds.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from investigation.evidence.imports import UnreadableCodeError
from investigation.evidence.provenance import package_sha256, source_sha256
from investigation.evidence.sealed import manifest
from pipeline import places
from pipeline.faults import BuildError


def is_current(notebook: Path, parameters: Mapping[str, object]) -> bool:
    """Return whether the last execution's products are here, unchanged, and still valid."""
    stamp = stamp_path(notebook)
    if not all(path.exists() for path in (stamp, *products(notebook))):
        return False
    try:
        noted = json.loads(stamp.read_text(encoding="utf-8"))
    except ValueError:  # somebody edited it: the products must be made again
        return False
    return bool(noted == stamp_of(*products(notebook), fingerprint(notebook, parameters)))


def fingerprint(notebook: Path, parameters: Mapping[str, object]) -> str:
    """Return a digest of all that an execution depends on.

    The notebook's cells, the modules that they import, the locked requirements and the
    parameters; and the recorded evidence, the rewrites or another chapter's evidence, if the
    notebook's metadata lists them. Raises `BuildError` for code that is not Python.
    """
    digest = hashlib.sha256()
    digest.update(source_sha256(notebook).encode())
    digest.update(code_sha256(notebook).encode())
    digest.update(repr(sorted(parameters.items())).encode())
    recorded = recorded_files() if "results" in reads(notebook) else ()
    rewrites = rewrite_files() if "rewrites" in reads(notebook) else ()
    for path in (places.LOCK, *recorded, *rewrites):
        digest.update(str(path.relative_to(places.PROJECT)).encode())
        digest.update(path.read_bytes())
    for path in chapter_files(notebook):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def code_sha256(notebook: Path) -> str:
    """Return a digest of the package's modules that a notebook imports.

    Raises `BuildError` for code that is not Python.
    """
    try:
        return package_sha256(notebook, places.PACKAGE)
    except UnreadableCodeError as error:
        raise BuildError(str(error)) from None


def reads(notebook: Path) -> list[str]:
    """Return the folders and chapters that a notebook's metadata lists as read."""
    metadata = json.loads(notebook.read_text(encoding="utf-8"))["metadata"]
    named: list[str] = metadata.get("investigation", {}).get("reads", [])
    return named


def recorded_files() -> Iterator[Path]:
    """Iterate over the evidence recorded on other machines, in a fixed order."""
    for folder in manifest.machine_folders(places.RECORDED):
        yield from manifest.record_files(folder)


def rewrite_files() -> Iterator[Path]:
    """Iterate over the rules of the fix, their cases and examples, in a fixed order."""
    yield from sorted(path for path in (places.PROJECT / "rewrites").rglob("*") if path.is_file())


def chapter_files(notebook: Path) -> Iterator[Path]:
    """Iterate over the evidence of those chapters that a notebook reads and that have run."""
    paths = (places.RESULTS / f"{name}.json" for name in reads(notebook))
    return (path for path in paths if path.exists())


def products(notebook: Path) -> tuple[Path, Path]:
    """Return the paths of a notebook's page and its evidence."""
    return places.EXECUTED / notebook.name, places.RESULTS / f"{notebook.stem}.json"


def stamp_path(notebook: Path) -> Path:
    """Return the path of the note of a notebook's last execution."""
    return places.STAMPS / f"{notebook.stem}.json"


def stamp_of(page: Path, path: Path, inputs: str) -> dict[str, str]:
    """Return the note of an execution: what it was made from, and what it made."""
    return {
        "inputs": inputs,
        "page": sha256(page.read_bytes()).hexdigest(),
        "evidence": sha256(path.read_bytes()).hexdigest(),
    }
