"""The panels of a figure as laid out: where each stands, its size, the names of its rows."""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedFormatter, FuncFormatter

from investigation.display.wrapping import inches


@dataclass
class Panel:
    """One panel: where it stood, how large it was, and the names of its rows if it has any."""

    axes: Axes
    row: int
    column: int
    width: float
    height: float
    names: list[str]
    lines: int = 1
    above: bool = False

    @property
    def diagram(self) -> bool:
        """Whether it is a drawing without axes."""
        return not self.axes.axison

    @property
    def scaled(self) -> bool:
        """Whether its height follows from its width."""
        return self.axes.get_aspect() != "auto"

    @property
    def cells(self) -> bool:
        """Whether it is a grid of cells, which leave no place between its rows."""
        return bool(self.axes.images)


def position_panels(figure: Figure) -> None:
    """Put every panel in its position without drawing the figure, which would take longer."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    for axes in figure.axes:
        axes.apply_aspect()


def shows_anything(axes: Axes) -> bool:
    """Tell whether a panel shows anything."""
    return bool(axes.has_data() or axes.texts or axes.patches)


def measured(axes: Axes) -> Panel:
    """Return a panel with its place and its size as it was laid out."""
    spec = axes.get_subplotspec()
    assert spec is not None
    box = axes.get_window_extent()
    width, height = inches(axes, box.width), inches(axes, box.height)
    return Panel(axes, spec.rowspan.start, spec.colspan.start, width, height, _names(axes))


def _names(axes: Axes) -> list[str]:
    """Return the names of an axis of names, top down as they are given; none of a scale."""
    formatter = axes.yaxis.get_major_formatter()
    if not axes.axison or not isinstance(formatter, FixedFormatter | FuncFormatter):
        return []
    places = list(axes.yaxis.get_ticklocs())
    return formatter.format_ticks(places) if places == list(range(len(places))) else []
