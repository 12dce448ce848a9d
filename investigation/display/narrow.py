"""A figure laid out anew for a phone: panels below each other, its words in lines that fit."""

from collections.abc import Sequence
from copy import deepcopy

from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import AutoLocator, MaxNLocator

from investigation.display import wrapping
from investigation.display.inline import PAPER
from investigation.display.panels import Panel, measured, position_panels, shows_anything
from investigation.display.wrapping import inches

# Inches: on a phone, letters of 10 points then appear as large as those of a caption.
WIDTH = 3.9
LABEL_SIZE = 9
# What the names of the rows may take of the width, and how many panels may share a line.
LABELS, MOST_ACROSS = 0.42, 2
# A name above its row may be that many inches long.
LONGEST_ABOVE = 0.95 * WIDTH
# A panel of data stays readable at this share of its width on a wide page; a diagram needs all.
SHRINK = 0.68
LARGEST_GROWTH = 1.25
# Inches above and below what stands around a panel.
BETWEEN = 0.07
# Inches of a row whose name is beside it, of a further line of the name, and of a cell.
ROW, FURTHER_LINE, CELL = 0.25, 0.135, 0.13
# If its name is above it: from the row to its name, from there to the next row up, below the last.
NAME_ABOVE, NEXT_ROW, BELOW = 0.08, 0.27, 0.13
THIN_BAR = 0.13
# From one number below an axis to the next, in widths of a number; and how far apart in value.
APART, STEPS, MOST_NUMBERS = 1.4, (1, 2, 2.5, 5, 10), 9
# A name above its row covers the lines that cross it.
UNDER = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.8}


def of(figure: Figure) -> Figure:
    """Return a copy of a figure, laid out for a phone; the figure itself stays as it is."""
    copy = deepcopy(figure)
    if figure.stale:  # else it has been drawn as it is, and its panels are in their places
        position_panels(copy)
    panels = [measured(axes) for axes in copy.axes if shows_anything(axes)]
    for axes in set(copy.axes) - {panel.axes for panel in panels}:
        axes.remove()
    if panels:
        _lay_out(copy, panels)
    return copy


def _lay_out(figure: Figure, panels: Sequence[Panel]) -> None:
    """Restack the panels of a figure, then fit all words into the new width."""
    _repeat_labels(panels)
    _name_rows(panels)
    across = _across(panels)
    ordered = _in_order(panels)
    lines = [ordered[first : first + across] for first in range(0, len(ordered), across)]
    figure.set_size_inches(WIDTH, 4.0 + sum(_height(panel, across) for panel in panels))
    _stack(figure, lines)
    for panel in panels:
        _fit_inside(panel, across)
    if across > 1 and all(panel.cells for panel in panels):
        _turn_titles(panels)
    position_panels(figure)
    wrapping.wrap_all(figure, WIDTH / across)
    wrapping.reflow_legends(figure)
    # What has a shape of its own is laid out in another place once there is room for it.
    for _ in range(2 if any(panel.scaled for panel in panels) else 1):
        position_panels(figure)
        _settle(figure, lines)
    for panel in panels:
        _thin_ticks(panel.axes)


def _repeat_labels(panels: Sequence[Panel]) -> None:
    """Write at each panel what stood once at the left of a line of panels or below a column."""
    for panel in panels:
        for other in panels:
            if other.row == panel.row and not panel.axes.get_ylabel():
                panel.axes.set_ylabel(other.axes.get_ylabel())
            if other.column == panel.column and not panel.axes.get_xlabel():
                panel.axes.set_xlabel(other.axes.get_xlabel())


def _name_rows(panels: Sequence[Panel]) -> None:
    """Choose for all panels alike: names beside their rows, in few lines, or above them."""
    named = [panel for panel in panels if panel.names]
    names = {name for panel in named for name in panel.names}
    most = 4 if any(panel.cells for panel in named) else 2
    for lines in range(1, most + 1):
        beside = {
            name: wrapping.in_lines(name, lines, LABELS * WIDTH, LABEL_SIZE) for name in names
        }
        fit = None not in beside.values()
        if fit:
            break
    for panel in named:
        if fit or panel.cells:
            _beside(panel, [beside[name] or name for name in panel.names])
        else:
            whole = [wrapping.in_lines(name, 1, LONGEST_ABOVE, LABEL_SIZE) for name in names]
            panel.above, panel.lines = True, 1 if all(whole) else 2
            _above(panel)


def _beside(panel: Panel, names: Sequence[str]) -> None:
    """Write the names of the rows beside them, in their lines."""
    panel.lines = max(name.count("\n") + 1 for name in names)
    panel.axes.set_yticks(range(len(names)), names, fontsize=LABEL_SIZE, linespacing=1.1)
    if not panel.cells:
        ends = (-0.5, len(names) - 0.5)
        panel.axes.set_ylim(ends[::-1] if panel.axes.yaxis_inverted() else ends)


def _above(panel: Panel) -> None:
    """Move the names of the rows above them, and let a bar leave place for that."""
    axes, row = panel.axes, _tall_row(panel)
    for place, name in enumerate(panel.names):
        axes.annotate(
            wrapping.in_lines(name, 2, LONGEST_ABOVE, LABEL_SIZE) or name,
            (0, place), (0, 72 * NAME_ABOVE), xycoords=axes.get_yaxis_transform(),
            textcoords="offset points", va="bottom", fontsize=LABEL_SIZE, bbox=UNDER,
        )  # fmt: skip
    axes.tick_params(axis="y", labelleft=False, length=0)
    axes.spines["left"].set_visible(False)
    for container in axes.containers:
        if isinstance(container, BarContainer):
            for bar in container.patches:
                middle = bar.get_y() + bar.get_height() / 2
                bar.set(height=THIN_BAR / row, y=middle - THIN_BAR / row / 2)
    axes.set_ylim(len(panel.names) - 1 + BELOW / row, -1 + BELOW / row)


def _tall_row(panel: Panel) -> float:
    """Return how many inches a row with its name above it is high."""
    return NAME_ABOVE + NEXT_ROW + FURTHER_LINE * (panel.lines - 1)


def _across(panels: Sequence[Panel]) -> int:
    """Return how many panels share a line."""
    most = max(panel.column for panel in panels) + 1
    if all(panel.scaled and panel.diagram for panel in panels) or _cells_fit(panels):
        return most
    if any(panel.above for panel in panels) or _named_apart(panels):
        return 1
    room = WIDTH - max(_room_of_names(panel) for panel in panels)
    needed = max(panel.width * (1 if panel.diagram else SHRINK) for panel in panels)
    return max(1, min(most, MOST_ACROSS, int(room / needed)))


def _named_apart(panels: Sequence[Panel]) -> bool:
    """Tell whether panels have names of their own for their rows."""
    axes = [panel.axes for panel in panels if panel.names]
    return not all(one.get_shared_y_axes().joined(one, axes[0]) for one in axes)


def _room_of_names(panel: Panel) -> float:
    labels = panel.axes.get_yticklabels()
    widths = [inches(panel.axes, label.get_window_extent().width) for label in labels]
    return max(widths, default=0.0) + (0.25 if panel.axes.get_ylabel() else 0.1)


def _cells_fit(panels: Sequence[Panel]) -> bool:
    """Tell whether grids that share their rows can stay side by side."""
    columns = sum(len(panel.axes.get_xticks()) for panel in panels)
    return all(panel.cells for panel in panels) and CELL * columns < (1 - LABELS) * WIDTH


def _in_order(panels: Sequence[Panel]) -> list[Panel]:
    """Order panels line by line, but column by column if the lines show different things."""
    heights = {round(panel.height, 1) for panel in panels}
    columns = {panel.column for panel in panels}
    by_column = len(heights) > 1 and len(columns) > 1 and not any(p.scaled for p in panels)
    return sorted(panels, key=lambda p: (p.column, p.row) if by_column else (p.row, p.column))


def _height(panel: Panel, across: int) -> float:
    """Return how many inches a panel shall be high, without what stands around it."""
    if panel.above:
        return _tall_row(panel) * len(panel.names)
    if panel.names:
        return (ROW + FURTHER_LINE * (panel.lines - 1)) * len(panel.names)
    if panel.scaled:
        return panel.height / panel.width * 0.9 * WIDTH / across
    return panel.height * (_larger(panel, across) if panel.diagram else 1)


def _larger(panel: Panel, across: int) -> float:
    """Return how many times as large a diagram's words can be as on a wide page."""
    return min(LARGEST_GROWTH, WIDTH / across / panel.width)


def _stack(figure: Figure, lines: Sequence[Sequence[Panel]]) -> None:
    """Put the panels into a grid of that many lines; panels of a line share their labels."""
    across = len(lines[0])
    heights = [max(_height(panel, across) for panel in line) for line in lines]
    grid = figure.add_gridspec(
        len(lines), across, height_ratios=heights, width_ratios=_widths(lines[0])
    )
    for row, line in enumerate(lines):
        first = line[0].axes
        for column, panel in enumerate(line):
            axes = panel.axes
            axes.set_subplotspec(grid[row, column])
            shared = column > 0 and axes.get_shared_y_axes().joined(axes, first)
            if axes.axison:
                axes.tick_params(labelbottom=True, labelleft=not shared and not panel.above)
            if column > 0 and axes.get_ylabel() == first.get_ylabel():
                axes.set_ylabel("")
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(h_pad=BETWEEN)


def _widths(line: Sequence[Panel]) -> list[float]:
    """Return the shares of the width: grids of cells keep theirs, all others have the same."""
    return [float(len(panel.axes.get_xticks())) if panel.cells else 1.0 for panel in line]


def _fit_inside(panel: Panel, across: int) -> None:
    """Give the words inside a panel the size and the place that the new width needs."""
    axes = panel.axes
    if panel.diagram and not panel.scaled:
        for text in axes.texts:
            text.set_fontsize(min(LABEL_SIZE, _larger(panel, across) * float(text.get_fontsize())))
    if axes.texts and any(isinstance(container, BarContainer) for container in axes.containers):
        axes.margins(x=0.4)
    for label in axes.get_xticklabels():
        if label.get_rotation():
            label.set(rotation=90, ha="center", va="top", fontsize=LABEL_SIZE)


def _thin_ticks(axes: Axes) -> None:
    """Leave so few numbers below an axis that they have room beside each other."""
    axis = axes.xaxis
    if not isinstance(axis.get_major_locator(), AutoLocator):
        return
    room = inches(axes, axes.get_window_extent().width)
    for most in range(min(MOST_NUMBERS, axis.get_tick_space()), 0, -1):
        axis.set_major_locator(MaxNLocator(most, steps=STEPS))
        # Other steps have other numbers: one decimal more, or none.
        numbers = axis.get_major_formatter().format_ticks(list(axes.get_xticks()))
        widest = max(wrapping.width_of(number, LABEL_SIZE) for number in numbers)
        if most * APART * widest <= room:
            return


def _turn_titles(panels: Sequence[Panel]) -> None:
    """Write the titles of grids upright if one is wider than its columns of cells."""
    titles = {panel.axes: panel.axes.get_title().split("\n") for panel in panels}
    rooms = [(panel.axes, CELL * len(panel.axes.get_xticks())) for panel in panels]
    if any(
        wrapping.width_of(line, LABEL_SIZE) > room for axes, room in rooms for line in titles[axes]
    ):
        for axes, lines in titles.items():
            axes.set_title(" ".join(lines), rotation=90, va="bottom", fontsize=LABEL_SIZE)


def _settle(figure: Figure, lines: Sequence[Sequence[Panel]]) -> None:
    """Make a figure that was laid out as high as its panels and what stands around them need."""
    wanted = sum(max(_height(panel, len(lines[0])) for panel in line) for line in lines)
    places = [line[0].axes.get_position(original=True) for line in lines]
    have = sum(place.height for place in places) * figure.get_figheight()
    figure.set_size_inches(WIDTH, figure.get_figheight() + wanted - have)
