"""What a notebook and the code that it imports were when it ran."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from investigation.evidence import imports

PACKAGE = Path(__file__).resolve().parents[1]
# The tag of the cell that papermill adds: parameters are no part of a notebook's source.
INJECTED = "injected-parameters"


def source_sha256(notebook: Path) -> str:
    """Return a digest of a notebook's cells: its text and code, neither outputs nor metadata."""
    return cells_sha256(json.loads(notebook.read_text(encoding="utf-8")))


def cells_sha256(document: Mapping[str, Any]) -> str:
    """Return the same digest of a notebook that was read, before or after its execution."""
    source = [
        [cell["cell_type"], "".join(cell["source"])]
        for cell in document["cells"]
        if INJECTED not in cell["metadata"].get("tags", [])
    ]
    return hashlib.sha256(json.dumps(source).encode()).hexdigest()


def package_sha256(notebook: Path, package: Path = PACKAGE) -> str:
    """Return a digest of the package's modules that a notebook imports, itself or through others.

    It is their version, even if nothing is committed. Raises `UnreadableCodeError`.
    """
    return _sha256(imports.files(notebook, package), package)


def module_sha256(module: str, package: Path = PACKAGE) -> str:
    """Return a digest of a module and of the package's modules that it imports.

    Raises `UnreadableCodeError`.
    """
    return _sha256(imports.sources(module, package), package)


def _sha256(paths: Iterable[Path], package: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
