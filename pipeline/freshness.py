"""Whether what a notebook's last execution made is here, unchanged, and still valid.

Imports little, so that a build with nothing to do is over in seconds.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path

from investigation.evidence import write_atomically
from investigation.provenance import source_sha256
from pipeline import places


def is_current(notebook: Path, parameters: Mapping[str, object]) -> bool:
    """Tell whether the last execution's products are here, unchanged, and still valid."""
    stamp = _stamp_path(notebook)
    if not (stamp.exists() and all(path.exists() for path in products(notebook))):
        return False
    return bool(json.loads(stamp.read_text(encoding="utf-8")) == _stamp(notebook, parameters))


def write_stamp(notebook: Path, parameters: Mapping[str, object]) -> None:
    """Note what this execution was made from, and what it made."""
    write_atomically(_stamp_path(notebook), json.dumps(_stamp(notebook, parameters), indent=1))


def fingerprint(notebook: Path, parameters: Mapping[str, object]) -> str:
    """Return a digest of all that an execution depends on.

    The notebook's cells, the package, the locked requirements and the parameters; and the
    recorded evidence, where the notebook's metadata says that it reads it.
    """
    digest = hashlib.sha256()
    digest.update(source_sha256(notebook).encode())
    digest.update(repr(sorted(parameters.items())).encode())
    recorded = recorded_files() if "results" in reads(notebook) else ()
    for path in (places.LOCK, *package_files(), *recorded):
        digest.update(str(path.relative_to(places.PROJECT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def reads(notebook: Path) -> list[str]:
    """Return the folders that a notebook says it reads, in its metadata's `investigation`."""
    metadata = json.loads(notebook.read_text(encoding="utf-8"))["metadata"]
    named: list[str] = metadata.get("investigation", {}).get("reads", [])
    return named


def recorded_files() -> Iterator[Path]:
    """Iterate over the evidence recorded on other machines, in a fixed order."""
    yield from sorted(places.RECORDED.glob("*/*.json"))


def package_files() -> Iterator[Path]:
    """Iterate over the package's sources, in a fixed order."""
    yield from sorted(places.PACKAGE.rglob("*.py"))


def products(notebook: Path) -> tuple[Path, Path]:
    """Return where a notebook's page and its evidence lie."""
    return places.EXECUTED / notebook.name, places.RESULTS / f"{notebook.stem}.json"


def _stamp_path(notebook: Path) -> Path:
    return places.STAMPS / f"{notebook.stem}.json"


def _stamp(notebook: Path, parameters: Mapping[str, object]) -> dict[str, str]:
    page, kept = products(notebook)
    return {
        "inputs": fingerprint(notebook, parameters),
        "page": sha256(page.read_bytes()).hexdigest(),
        "evidence": sha256(kept.read_bytes()).hexdigest(),
    }
