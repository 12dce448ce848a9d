"""What each notebook declares that it can be given."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import nbformat
import papermill

from pipeline.faults import BuildError


def declared_parameters(notebook: Path) -> frozenset[str]:
    """Return the names in the notebook's `parameters` cell.

    Raises `BuildError` where there is no such cell, which papermill would only warn of, or
    where the notebook names no kernel.
    """
    document = nbformat.read(notebook, as_version=4)
    if not any("parameters" in cell.metadata.get("tags", []) for cell in document.cells):
        raise BuildError(f"{notebook.stem}: no cell is tagged `parameters`")
    if "kernelspec" not in document.metadata:
        raise BuildError(f"{notebook.stem}: its metadata names no kernel; python3 is meant")
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
