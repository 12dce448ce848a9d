"""Places by name: what a figure draws has one place for each name, and one name for each place."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np


def in_cells(
    values: Mapping[tuple[str, str], float], rows: Sequence[str], columns: Sequence[str]
) -> np.ndarray[Any, Any]:
    """Return each value in the cell of its row and column, nan in a cell without a value.

    Raises `ValueError` for a name that comes twice, or a value that has no cell.
    """
    require_each_once("rows", rows)
    require_each_once("columns", columns)
    cells = np.full((len(rows), len(columns)), np.nan)
    for (row, column), value in values.items():
        cells[rows.index(row), columns.index(column)] = value
    return cells


def require_each_once(what: str, names: Iterable[object]) -> None:
    """Raise `ValueError` if a name comes twice: one of the two would hide the other."""
    twice = sorted(str(name) for name, count in Counter(names).items() if count > 1)
    if twice:
        raise ValueError(f"two {what} of one name: {', '.join(twice)}")
