"""What a notebook and the package were when it ran."""

import hashlib
import json
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def source_sha256(notebook: Path) -> str:
    """Return a digest of a notebook's cells: its text and code, neither outputs nor metadata."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    source = [[cell["cell_type"], "".join(cell["source"])] for cell in cells]
    return hashlib.sha256(json.dumps(source).encode()).hexdigest()


@cache
def package_sha256(package: Path = PACKAGE) -> str:
    """Return a digest of the package's sources: its version, also where nothing is committed."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
