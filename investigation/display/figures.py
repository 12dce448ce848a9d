"""Figures from evidence: matplotlib axes in, nothing but drawing; no torch, no files."""

import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import matplotlib as mpl
import numpy as np
from IPython.display import HTML
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import StrMethodFormatter

from investigation.display import figure_data, inline
from investigation.display import narrow as narrow_layout
from investigation.display.figure_texts import file_name, texts
from investigation.display.keys import in_cells
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.words import OUTCOMES

# Okabe and Ito's colours, darkened where needed to stand out on white and on near-black.
COLOURS = {
    "expand_as": "#d55e00",
    "broadcast": "#0a7fc2",
    "materialized": "#9467bd",
    "neutral": "#808080",
    "good": "#009e73",
    "bad": "#cc3311",
    "unsure": "#b58900",
}
CANDIDATE = COLOURS["expand_as"]
VERDICT_COLOURS: Mapping[str, str] = {
    "slower": COLOURS["expand_as"],
    "equivalent": COLOURS["good"],
    "inconclusive": COLOURS["neutral"],
    "faster": COLOURS["broadcast"],
}

# Colours that a page replaces by its own.
INK, PAPER = inline.INK, inline.PAPER
STYLE = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlecolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.labelcolor": INK,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "grid.color": "#8080804d",
    "figure.constrained_layout.use": True,
    "figure.dpi": 72,  # an SVG's, so that words are measured as they are drawn
}


@contextmanager
def canvas(
    columns: int = 1, rows: int = 1, width: float = 7.2, height: float = 3.2, **grid: Any
) -> Iterator[tuple[Figure, Any]]:
    """Give a figure and its axes in the book's style; sizes in inches."""
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]  # the stub wants literal keys
        figure, axes = plt.subplots(rows, columns, figsize=(width, height), **grid)
        yield figure, axes
        plt.close(figure)


def show(
    figure: Figure,
    *,
    finding: str,
    drawn: str,
    reading: str = "",
    details: str = "",
    narrow: Figure | None = None,
) -> HTML:
    """Return a figure as inline SVG that takes the page's colours, captioned, for display.

    `finding` is what the evidence comes to, as a computed sentence. `drawn` says what is drawn,
    without any outcome: the same in every run, and on a page of one figure only. `reading` says
    how to read it; `details` are words inside the figure, for the alternative text. The numbers
    that are drawn can be downloaded from the caption. A phone shows `narrow`, or the same figure
    laid out anew. Raises `ValueError` if `finding` or `drawn` is empty.
    """
    alternative, caption = texts(finding=finding, drawn=drawn, reading=reading, details=details)
    plt.close(figure)
    drawings = _drawings(figure, narrow, alternative, salt=drawn)
    return HTML(
        f'<figure class="chart">{drawings}'
        f"<figcaption>{html.escape(caption)}{_numbers(figure, drawn)}</figcaption></figure>"
    )


def _drawings(wide: Figure, narrow: Figure | None, alternative: str, salt: str) -> str:
    """Return the figure for a wide page and for a phone, with ids that `salt` makes its own."""
    with mpl.rc_context(STYLE):  # type: ignore[arg-type]
        on_wide = inline.svg(wide, alternative, salt, STYLE)
        # A figure that is drawn is laid out, and its copy for a phone need not be once more.
        phone = narrow or narrow_layout.of(wide)
        return inline.twice(on_wide, inline.svg(phone, alternative, f"{salt} narrow", STYLE))


def _numbers(figure: Figure, drawn: str) -> str:
    """Return a link to the numbers of a figure, which the page carries itself."""
    text = figure_data.as_csv(figure)
    if not text:
        return ""
    return (
        f' <a class="figure-data" download="{file_name(drawn)}.csv" href="data:text/csv;'
        f'charset=utf-8,{quote(text)}">The numbers drawn (CSV)</a>'
    )


# A gate a channel, from light to dark; each stands out on white and on near-black.
GATES = mpl.colors.LinearSegmentedColormap.from_list("gates", ["#8cc4e8", "#0a7fc2", "#075a8a"])


def broadcast_picture(axes: Sequence[Axes], shape: tuple[int, int, int, int]) -> None:
    """Draw gate × input = output for one image: a plane a channel, a colour a gate."""
    _, channels, height, width = shape
    palette = [mpl.colors.to_hex(shade) for shade in GATES(np.linspace(0, 1, channels))]
    titles = (f"gate (B, {channels}, 1, 1)", f"input (B, {channels}, {height}, {width})", "output")
    for axis, title in zip(axes, titles, strict=True):
        axis.set_title(title)
        axis.set_axis_off()
        axis.set_aspect("equal")
        axis.set_xlim(-0.2, width + 0.6 * channels)
        axis.set_ylim(-height - 0.6 * channels, 0.2)
    for channel in reversed(range(channels)):
        colour = palette[channel]
        _plane(axes[0], channel, 1, 1, colour)
        _plane(axes[1], channel, height, width, PAPER)
        _plane(axes[2], channel, height, width, colour)


def _plane(axis: Axes, offset: int, height: int, width: int, colour: Any) -> None:
    shift = 0.6 * offset
    line = INK if colour == PAPER else PAPER
    for row in range(height):
        for column in range(width):
            corner = (shift + column, -shift - row - 1)
            axis.add_patch(Rectangle(corner, 1, 1, facecolor=colour, edgecolor=line, lw=0.6))


def address_picture(axis: Axes, addresses: np.ndarray[Any, Any], title: str, colour: str) -> None:
    """Draw which memory element each element `(C, H, W)` of one image reads."""
    channels, height, width = addresses.shape
    flat = addresses.reshape(channels * height, width)
    axis.set_title(title)
    axis.set_aspect("equal")
    axis.set_axis_off()
    axis.set_xlim(-0.1, width + 0.1)
    axis.set_ylim(-(channels * (height + 0.4)) + 0.3, 0.1)
    largest = max(1, int(addresses.max()))
    for row, column in np.ndindex(flat.shape):
        top = -(row + 0.4 * (row // height))
        shade = 0.12 + 0.5 * flat[row, column] / largest
        axis.add_patch(
            Rectangle((column, top - 1), 1, 1, facecolor=colour, alpha=shade, edgecolor="none")
        )
        axis.text(column + 0.5, top - 0.5, str(flat[row, column]), ha="center", va="center")


def verdict_grid(
    axis: Axes, same: Mapping[tuple[str, str], bool], rows: Sequence[str], columns: Sequence[str]
) -> None:
    """Draw a mark for each pairing of a row and a column: whether they are alike.

    A cell without a pairing is empty. Raises `ValueError` for a name that comes twice, or a pairing
    that has no cell.
    """
    marks = in_cells({pairing: float(alike) for pairing, alike in same.items()}, rows, columns)
    axis.imshow(
        marks,
        cmap=mpl.colors.ListedColormap([COLOURS["bad"], COLOURS["good"]]),
        vmin=0,
        vmax=1,
        alpha=0.55,
        aspect="auto",
    )
    axis.set_xticks(range(len(columns)), columns, rotation=30, ha="right")
    axis.set_yticks(range(len(rows)), rows)
    for row, column in np.argwhere(~np.isnan(marks)):
        axis.text(column, row, "=" if marks[row, column] else "≠", ha="center", va="center")
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)


def forest(
    axis: Axes,
    labels: Sequence[str],
    ratios: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    verdicts: Sequence[str],
    margin: float,
) -> None:
    """Draw one interval a row, in percent of the baseline, over the band of the margin."""
    axis.axvspan(-100 * margin, 100 * margin, color=COLOURS["neutral"], alpha=0.18, lw=0)
    axis.axvline(0, color=INK, lw=0.8)
    ends = [(percent_more(low), percent_more(high)) for low, high in intervals]
    rows(axis, labels, list(map(percent_more, ratios)), ends, verdicts)
    legend_of_verdicts(axis)


def rows(
    axis: Axes,
    labels: Sequence[str],
    values: Sequence[float],
    intervals: Sequence[tuple[float, float]],
    verdicts: Sequence[str | None],
) -> None:
    """Draw one interval a row from the top down, in the colour of its verdict, if it has one."""
    for row, (value, ends, verdict) in enumerate(zip(values, intervals, verdicts, strict=True)):
        interval(axis, row, value, ends, verdict)
    for verdict in dict.fromkeys(filter(None, verdicts)):
        axis.plot([], [], "o-", color=VERDICT_COLOURS[verdict], label=OUTCOMES[verdict])
    axis.set_yticks(range(len(labels)), labels)
    axis.invert_yaxis()


def interval(
    axis: Axes, row: float, value: float, ends: tuple[float, float], verdict: str | None
) -> None:
    """Draw a value with its interval in a row, in the colour of its verdict, if it has one."""
    bar = axis.errorbar(
        [value], [row], xerr=[[value - ends[0]], [ends[1] - value]], fmt="o",
        color=VERDICT_COLOURS[verdict] if verdict else COLOURS["neutral"], ms=5, elinewidth=2.2,
    )  # fmt: skip
    # Its name for the published numbers, and none for the legend, which has one entry a verdict.
    bar.set_label(f"_{OUTCOMES[verdict]}" if verdict else "_nolegend")


def legend_of_verdicts(axis: Axes) -> None:
    """Name the verdicts of all panels so far below the figure, each once."""
    figure = axis.get_figure(root=True)
    if figure is None:
        return
    for legend in list(figure.legends):
        legend.remove()
    named: dict[str, Any] = {}
    for axes in figure.axes:
        handles, labels = axes.get_legend_handles_labels()
        named |= dict(zip(labels, handles, strict=True))
    figure.legend(list(named.values()), list(named), loc="outside lower center", ncols=4)


def legend_of_outcomes(figure: Figure, axis: Axes, timings: Iterable[Timing]) -> None:
    """Name the outcomes of the timings above a figure of several panels."""
    for outcome in dict.fromkeys(timing.outcome for timing in timings):
        axis.plot([], [], "o-", color=VERDICT_COLOURS[outcome], label=OUTCOMES[outcome])
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper center", ncols=4)


def percent_more(ratio: float) -> float:
    """Return by how many percent of the baseline a candidate takes longer."""
    return 100 * (ratio - 1)


def bars(axis: Axes, values: Mapping[str, float], unit: str) -> None:
    """Draw one horizontal bar a name, coloured by variant, its value written beside it."""
    names = list(values)
    colours = [COLOURS.get(name.split(",")[0], COLOURS["neutral"]) for name in names]
    axis.barh(range(len(names)), list(values.values()), color=colours)
    axis.set_yticks(range(len(names)), names)
    axis.invert_yaxis()
    for row, value in enumerate(values.values()):
        text = f"{_three_digits(value)} {unit}".rstrip()
        axis.annotate(text, (value, row), (4, 0), textcoords="offset points", va="center")
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axis.margins(x=0.25)


def _three_digits(value: float) -> str:
    """Return a number with three digits or more, all of those before its point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def drift(axis: Axes, baseline_s: Sequence[float], candidate_s: Sequence[float]) -> None:
    """Draw the raw block times of two arms in the order in which they ran, in microseconds."""
    axis.plot(1e6 * np.asarray(baseline_s), ".", ms=3, color=COLOURS["broadcast"], label="A")
    axis.plot(1e6 * np.asarray(candidate_s), ".", ms=3, color=COLOURS["expand_as"], label="A again")
    # A few blocks that were interrupted would flatten all others onto the axis.
    axis.set_ylim(0, 3e6 * float(np.median(np.asarray(baseline_s))))
    axis.set_xlabel("pair, in the order of running")
    axis.legend(loc="upper right", markerscale=3)
