"""The numbers behind a figure, read back from what was drawn."""

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FuncFormatter

COLUMNS = ("panel", "series", "x", "y", "low", "high")
Point = dict[str, object]
MATPLOTLIBS = re.compile(r"_(child|container|nolegend|line|collection)")


def as_csv(figure: Figure) -> str:
    """Return every point, bar, interval and cell of a figure as CSV, an element a line.

    `low` and `high` are the ends of an error bar. A place on an axis of names is its name.
    Empty if the figure draws no data, as a diagram does.
    """
    rows = list(points(figure))
    if not rows:
        return ""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def points(figure: Figure) -> Iterator[Point]:
    """Iterate over what a figure's panels draw in the units of their data."""
    for axes in figure.axes:
        panel = axes.get_title().replace("\n", " ")
        for row in (*_intervals(axes), *_lines(axes), *_bars(axes), *_cells(axes)):
            yield {"panel": panel, **row}


def _intervals(axes: Axes) -> Iterator[Point]:
    """Iterate over the points that have error bars."""
    for container in axes.containers:
        if isinstance(container, ErrorbarContainer):
            line, _, bars = container.lines
            along = 0 if container.has_xerr else 1
            # Not their segments, which leave out an end that is infinite.
            paths = bars[0].get_paths() if bars else []
            ends = [np.asarray(path.vertices)[:, along] for path in paths]
            for row, (low, high) in zip(_points(axes, line, container), ends, strict=True):
                yield {**row, "low": low, "high": high}


def _lines(axes: Axes) -> Iterator[Point]:
    """Iterate over the points of all other lines, at the places that the data give."""
    barred = {part for container in axes.containers for part in _parts(container)}
    for line in axes.lines:
        if line not in barred and line.get_transform() == axes.transData:
            yield from _points(axes, line, line)


def _parts(container: object) -> set[Line2D]:
    """Return the lines that an error bar is drawn with: its data and its caps."""
    if not isinstance(container, ErrorbarContainer):
        return set()
    line, caps, _ = container.lines
    return {line, *caps}


def _points(axes: Axes, line: Line2D, named: Any) -> Iterator[Point]:
    x_names, y_names = _names(axes.xaxis), _names(axes.yaxis)
    for x, y in np.asarray(line.get_xydata()).tolist():
        yield {"series": _label(named), "x": _named(x, x_names), "y": _named(y, y_names)}


def _named(place: float, names: dict[float, str]) -> object:
    """Return the name that a place belongs to, also beside the middle of a row of names."""
    rows = list(names) == list(range(len(names)))
    return names.get(round(place) if rows else place, place)


def _bars(axes: Axes) -> Iterator[Point]:
    for container in axes.containers:
        if isinstance(container, BarContainer):
            flat = container.orientation == "horizontal"
            names = _names(axes.yaxis if flat else axes.xaxis)
            for bar in container.patches:
                x, y = bar.get_center()
                place = round(float(y if flat else x), 9)
                value, name = bar.get_width() if flat else bar.get_height(), names.get(place, place)
                x, y = (value, name) if flat else (name, value)
                yield {"series": _label(container), "x": x, "y": y}


def _cells(axes: Axes) -> Iterator[Point]:
    """Iterate over the cells of an image that are not empty, each with its value as its series."""
    for image in axes.images:
        values = image.get_array()
        assert values is not None
        x_names, y_names = _names(axes.xaxis), _names(axes.yaxis)
        for row, column in np.argwhere(~np.isnan(np.ma.filled(values, np.nan))).tolist():
            place = {"x": x_names.get(column, column), "y": y_names.get(row, row)}
            yield {"series": values[row, column], **place}


def _label(named: Any) -> str:
    """Return the name of a series; matplotlib's own names mean nothing to a reader.

    A label that begins with `_` is in no legend: matplotlib's own, or that of one mark of many.
    """
    label = str(named.get_label())
    return "" if MATPLOTLIBS.match(label) else label.removeprefix("_")


def _names(axis: Axis) -> dict[float, str]:
    """Return the names that stand on an axis, by place; none on an axis of numbers."""
    formatter = axis.get_major_formatter()
    if not isinstance(formatter, FixedFormatter | FuncFormatter):
        return {}
    places = list(axis.get_ticklocs())
    # From the formatter: the labels themselves are missing if panels share an axis.
    return dict(zip(places, formatter.format_ticks(places), strict=True))
