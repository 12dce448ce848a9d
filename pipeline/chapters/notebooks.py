"""The parameters that each notebook declares."""

import ast
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import nbformat
import papermill

from pipeline.faults import BuildError

# The time limit at the declared parameters, unless the notebook's metadata has one: the
# longest takes some minutes, on a slow machine some more.
TIME_LIMIT_S = 1800
# A notebook takes longer in proportion to these, or to less than that.
GROWING = frozenset(
    {"budget_s", "network_budget_s", "processes", "trials", "examples", "batch", "resnet_batch"}
)


def declared_parameters(notebook: Path) -> frozenset[str]:
    """Return the names in the notebook's `parameters` cell.

    Raises `BuildError` if there is no such cell, which papermill would only warn of, or
    if the notebook names no kernel.
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

    Raises `BuildError` if no notebook declares a given parameter.
    """
    declared = {notebook: declared_parameters(notebook) for notebook in notebooks}
    allowed = frozenset[str]().union(*declared.values())
    unknown = sorted(set(parameters) - allowed)
    if unknown:
        raise BuildError(
            f"{unknown[0]}: no notebook has this parameter; there are {', '.join(sorted(allowed))}"
        )
    return {
        notebook: {name: value for name, value in parameters.items() if name in names}
        for notebook, names in declared.items()
    }


def time_limit(notebook: Path, parameters: Mapping[str, object]) -> float:
    """Return the seconds after which an execution hangs.

    The `time_limit_s` of the notebook's own metadata, under `investigation`, or `TIME_LIMIT_S`;
    longer in proportion to what the given parameters need more than the declared ones.
    """
    metadata = json.loads(notebook.read_text(encoding="utf-8"))["metadata"]
    limit: float = metadata.get("investigation", {}).get("time_limit_s", TIME_LIMIT_S)
    declared = papermill.inspect_notebook(str(notebook))
    grown = (
        _number(value) / _number(ast.literal_eval(declared[name]["default"]))
        for name, value in parameters.items()
        if name in GROWING
    )
    return limit * math.prod(max(1.0, factor) for factor in grown)


def _number(value: Any) -> float:
    return float(value)
