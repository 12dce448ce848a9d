"""What a notebook was when it ran."""

import hashlib
import json
from pathlib import Path


def source_sha256(notebook: Path) -> str:
    """Return a digest of a notebook's cells: its text and code, neither outputs nor metadata."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    source = [[cell["cell_type"], "".join(cell["source"])] for cell in cells]
    return hashlib.sha256(json.dumps(source).encode()).hexdigest()
