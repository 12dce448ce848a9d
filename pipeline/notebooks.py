"""The notebooks: which there are, what each declares, and what its execution depends on."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import nbformat
import papermill

from investigation.chapter import source_sha256
from pipeline import places
from pipeline.faults import BuildError


def discover() -> list[Path]:
    """Return the notebooks in reading order."""
    return sorted(places.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))


def declared_parameters(notebook: Path) -> frozenset[str]:
    """Return the names in the notebook's `parameters` cell.

    Raises `BuildError` where there is no such cell, which papermill would only warn of.
    """
    cells = nbformat.read(notebook, as_version=4).cells
    if not any("parameters" in cell.metadata.get("tags", []) for cell in cells):
        raise BuildError(f"{notebook.stem}: no cell is tagged `parameters`")
    return frozenset(papermill.inspect_notebook(str(notebook)))


def chosen(
    notebooks: Iterable[Path], parameters: Mapping[str, object]
) -> dict[Path, dict[str, object]]:
    """Return the parameters that each notebook declares, of those given.

    Raises `BuildError` where a given one is declared by none.
    """
    declared = {notebook: declared_parameters(notebook) for notebook in notebooks}
    known = frozenset[str]().union(*declared.values())
    unknown = sorted(set(parameters) - known)
    if unknown:
        raise BuildError(
            f"{unknown[0]}: no notebook has this parameter; there are {', '.join(sorted(known))}"
        )
    return {
        notebook: {name: value for name, value in parameters.items() if name in names}
        for notebook, names in declared.items()
    }


def fingerprint(notebook: Path, parameters: Mapping[str, object]) -> str:
    """Return a digest of all that an execution depends on.

    The notebook's cells, the package, the locked requirements and the parameters.
    """
    digest = hashlib.sha256()
    digest.update(source_sha256(notebook).encode())
    digest.update(repr(sorted(parameters.items())).encode())
    for path in (places.LOCK, *package_files()):
        digest.update(str(path.relative_to(places.PROJECT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def package_files() -> Iterator[Path]:
    """Iterate over the package's sources, in a fixed order."""
    yield from sorted(places.PACKAGE.rglob("*.py"))
