"""Figures of the compiled chapter."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from investigation.display.figures import COLOURS, canvas, forest
from investigation.display.keys import in_cells
from investigation.evidence.kinds.timings import Timing

if TYPE_CHECKING:  # to draw and to tell takes no compiler
    from investigation.compiled.fusion import Pairing

MARKS = {"=": COLOURS["good"], "≈": COLOURS["unsure"], "≠": COLOURS["bad"]}


def mark(pairing: "Pairing") -> str:
    """Return `=` for the same program, `≈` for the same kernels only, `≠` for other kernels."""
    if pairing.same_source:
        return "="
    return "≈" if pairing.same_kernels else "≠"


def program_grid(pairings: Sequence["Pairing"]) -> Figure:
    """Return a figure with a row for what is compiled and a column for shapes and layout.

    A cell without a pairing is empty. Raises `ValueError` for two pairings of one cell.
    """
    rows = list(dict.fromkeys(pairing.setting.kind for pairing in pairings))
    columns = list(dict.fromkeys(_column(pairing) for pairing in pairings))
    marks = {(pairing.setting.kind, _column(pairing)): mark(pairing) for pairing in pairings}
    if len(marks) != len(pairings):
        raise ValueError("two pairings for one cell of the grid")
    numbers = {place: float(list(MARKS).index(sign)) for place, sign in marks.items()}
    grid = in_cells(numbers, rows, columns)
    with canvas(height=1.4 + 0.24 * len(rows)) as (figure, axis):
        colours = mpl.colors.ListedColormap(list(MARKS.values()))
        axis.imshow(grid, cmap=colours, vmin=0, vmax=len(MARKS) - 1, alpha=0.55, aspect="auto")
        axis.set_xticks(range(len(columns)), columns, rotation=25, ha="right")
        axis.set_yticks(range(len(rows)), rows)
        for row, column in np.argwhere(~np.isnan(grid)):
            sign = marks[rows[row], columns[column]]
            axis.text(column, row, sign, ha="center", va="center")
        axis.spines[:].set_visible(False)
        axis.tick_params(length=0)
    return figure


def _column(pairing: "Pairing") -> str:
    return f"{pairing.setting.shapes}, {pairing.setting.case.memory_format}"


def few_comparisons(timings: Mapping[str, Timing], margin: float) -> Figure:
    """Return a figure of a handful of timings by label, in percent."""
    ratios, intervals, verdicts = zip(
        *((timing.ratio, timing.interval, timing.outcome) for timing in timings.values()),
        strict=True,
    )
    with canvas(height=1.3 + 0.35 * len(timings)) as (figure, axis):
        forest(axis, list(timings), ratios, intervals, verdicts, margin)
        axis.set_ylim(len(timings) - 0.5, -0.5)
        axis.set_xlabel("expand_as against broadcast, % of its time")
    return figure
