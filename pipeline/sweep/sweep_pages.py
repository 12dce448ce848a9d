"""A sweep as one table and a page of small multiples."""

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup
from matplotlib.figure import Figure

from investigation.display import figures
from investigation.display.outcomes import each_counted
from investigation.evidence.files import write_atomically
from investigation.evidence.parameters import shown
from pipeline.pages import templating

MARGIN = 0.01  # of the book's comparisons
COLUMNS = 3  # of panels in a figure

Row = Mapping[str, Any]


def write(rows: Sequence[Row], varied: Sequence[str], folder: Path) -> Path:
    """Write `table.csv`, `table.json` and the page into `folder`; return the page's path."""
    frame = pd.DataFrame([_flat(row) for row in rows])
    write_atomically(folder / "table.csv", frame.to_csv(index=False))
    write_atomically(folder / "table.json", json.dumps(list(rows), indent=1) + "\n")
    page = folder / "index.html"
    write_atomically(page, render(rows, varied, folder.name))
    return page


def _flat(row: Row) -> dict[str, Any]:
    return {
        key: shown(value) if isinstance(value, list | tuple) else value
        for key, value in row.items()
    }


def render(rows: Sequence[Row], varied: Sequence[str], name: str) -> str:
    """Return the page. Whatever the rows hold is text there, never markup."""
    jinja = templating.environment(shown=shown)
    measured = [row for row in rows if row.get("low") is not None]
    return jinja.get_template("sweep.html").render(
        name=name,
        columns=list(dict.fromkeys(key for row in rows for key in row)),
        rows=rows,
        failed=[row for row in rows if row["failure"]],
        figures=[Markup(figure) for figure in _figures(measured, varied)],
    )


def _figures(rows: Sequence[Row], varied: Sequence[str]) -> Iterator[str]:
    """Iterate over one figure a record, as markup."""
    for record in dict.fromkeys(str(row["record"]) for row in rows):
        mine = [row for row in rows if row["record"] == record]
        figure = small_multiples(mine, varied)
        across = ", ".join(varied) or "one setting"
        yield str(
            figures.show(
                figure,
                finding=found(mine),
                drawn=f"Intervals of {record} over {across}, one panel a combination",
                reading=f"Over {across}, in percent of the baseline's time, with the 95 % "
                "interval; the grey band is ±1 %.",
            ).data
        )


def found(rows: Sequence[Row]) -> str:
    """Say how often the candidate of a record came out how."""
    record = rows[0]["record"]
    outcomes = each_counted((row["verdict"] for row in rows), "measurements")
    return f"{record}: the candidate is {outcomes}."


def small_multiples(rows: Sequence[Row], varied: Sequence[str]) -> Figure:
    """Return a figure with one panel for each combination of all varied axes but the longest.

    The longest runs down each panel; panels share their scale.
    """
    choices = {axis: list(dict.fromkeys(shown(row.get(axis)) for row in rows)) for axis in varied}
    down = max(choices, key=lambda axis: len(choices[axis]), default=None)
    across = [axis for axis in varied if axis != down]
    panels = list(itertools.product(*(choices[axis] for axis in across)))
    columns = min(COLUMNS, len(panels))
    lines = math.ceil(len(panels) / columns)
    height = lines * (1.1 + 0.24 * len(choices.get(down or "", [""])))
    size = {"width": 7.2, "height": height, "sharex": True, "squeeze": False}
    with figures.canvas(columns, lines, **size) as (figure, axes):
        for axis, panel in itertools.zip_longest(axes.flat, panels):
            if panel is None:
                axis.set_axis_off()
                continue
            wanted = dict(zip(across, panel, strict=True))
            inside = [
                row for row in rows if all(shown(row.get(key)) == wanted[key] for key in across)
            ]
            _panel(axis, inside, down, ", ".join(panel))
    return figure


def _panel(axis: Any, rows: Sequence[Row], down: str | None, title: str) -> None:
    figures.forest(
        axis,
        [shown(row.get(down)) if down else "" for row in rows],
        [float(row["ratio"]) for row in rows],
        [(float(row["low"]), float(row["high"])) for row in rows],
        [str(row["verdict"]) for row in rows],
        MARGIN,
    )
    axis.set_title(title, fontsize=9)
