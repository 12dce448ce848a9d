"""The picture of the first page: a row a setting, a mark a timing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from investigation.display.figures import COLOURS, INK, VERDICT_COLOURS, canvas
from investigation.display.keys import require_each_once
from investigation.display.narrow import UNDER, WIDTH
from investigation.evidence.kinds.timings import Outcome
from investigation.evidence.observation import Interval
from investigation.evidence.words import OUTCOMES

# An outcome has a shape as well as a colour, for those who tell colours apart badly.
MARKS: dict[Outcome, str] = {"slower": ">", "faster": "<", "equivalent": "o", "inconclusive": "."}
TICKS = (0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50)
# Places of a row's marks, as shares of its height: beside its name, or below it on a phone.
BESIDE, BELOW = (-0.34, 0.34), (-0.08, 0.36)


@dataclass(frozen=True)
class Mark:
    """One timing: what was timed at which input, its ratio with the interval, its outcome."""

    label: str
    ratio: float
    interval: Interval
    outcome: Outcome


@dataclass(frozen=True)
class SettingRow:
    """A setting with its marks, the smallest input first, and the decision beside them."""

    name: str
    decision: str
    marks: tuple[Mark, ...]


def settings_figure(rows: Sequence[SettingRow], margin: float, *, narrow: bool = False) -> Figure:
    """Return a figure of the time with `expand_as` over that without, on a logarithmic axis.

    Each mark stands in the row of its setting. `narrow` is the same for a phone: names and
    decisions stand above the rows instead of beside them. Raises `ValueError` for two settings
    of one name, or two marks of one label in a row.
    """
    require_each_once("rows", [row.name for row in rows])
    for row in rows:
        require_each_once("marks", [mark.label for mark in row.marks])
    width, height = (WIDTH, 1.2 + 0.5 * len(rows)) if narrow else (5.8, 0.8 + 0.15 * len(rows))
    with canvas(width=width, height=height) as (figure, axis):
        axis.axvspan(1 - margin, 1 + margin, color=COLOURS["neutral"], alpha=0.3, lw=0)
        axis.axvline(1, color=INK, lw=0.8)
        for place, row in enumerate(rows):
            _marks(axis, place, row, BELOW if narrow else BESIDE)
            _words(axis, place, row, narrow=narrow)
            axis.axhline(place + 0.5, color=COLOURS["neutral"], lw=0.4, alpha=0.4)
        _axes(axis, rows, narrow=narrow)
        figure.legend(
            handles=_legend(margin),
            loc="outside upper left",
            ncols=3 if narrow else 5,
            fontsize=9,
            columnspacing=1.2,
            handletextpad=0.3,
        )
    return figure


def _marks(axis: Axes, place: int, row: SettingRow, between: Interval) -> None:
    many = len(row.marks)
    offsets = np.linspace(*between, many) if many > 1 else [sum(between) / 2]
    for offset, mark in zip(offsets, row.marks, strict=False):
        low, high = mark.interval
        bar = axis.errorbar(
            [mark.ratio], [place + offset], xerr=[[mark.ratio - low], [high - mark.ratio]],
            fmt=MARKS[mark.outcome], color=VERDICT_COLOURS[mark.outcome], ms=4, lw=1.2,
        )  # fmt: skip
        bar.set_label(mark.label)


def _words(axis: Axes, place: int, row: SettingRow, *, narrow: bool) -> None:
    at = axis.get_yaxis_transform()
    if narrow:
        # Words on paper of their own: the axis goes through below them.
        style: dict[str, Any] = {"transform": at, "va": "bottom", "fontsize": 9, "bbox": UNDER}
        axis.text(0, place - 0.14, row.name, **style)
        axis.text(1, place - 0.14, row.decision, ha="right", **style)
    else:
        axis.text(1.02, place, row.decision, transform=at, va="center")


def _axes(axis: Axes, rows: Sequence[SettingRow], *, narrow: bool) -> None:
    axis.set_xscale("log")
    axis.set_xlim(*_limits(rows))
    axis.xaxis.set_major_locator(FixedLocator(TICKS))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_xlabel("time with expand_as ÷ time without" + ("" if narrow else " (logarithmic)"))
    axis.set_yticks(range(len(rows)), [row.name for row in rows])
    axis.tick_params(axis="y", length=0, labelleft=not narrow)
    axis.set_ylim(len(rows) - 0.5, -0.6)
    axis.grid(visible=True, axis="x")
    axis.spines["left"].set_visible(False)


def _limits(rows: Sequence[SettingRow]) -> tuple[float, float]:
    """Return the ends of the axis: all ratios and a little more, and 1 well inside."""
    ratios = [mark.ratio for row in rows for mark in row.marks]
    return 0.9 * min([*ratios, 0.95]), 1.12 * max([*ratios, 1.5])


def _legend(margin: float) -> list[Line2D | Patch]:
    marks: list[Line2D | Patch] = [
        Line2D([], [], color=VERDICT_COLOURS[outcome], marker=mark, ls="", label=OUTCOMES[outcome])
        for outcome, mark in MARKS.items()
    ]
    band = Patch(color=COLOURS["neutral"], alpha=0.3, label=f"±{100 * margin:g} %")
    return [*marks, band]
