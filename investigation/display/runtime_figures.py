"""Pictures of the survey: the graphs that run, side by side, and what the line costs in each."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from investigation.claims.rules import kib
from investigation.display import figures
from investigation.evidence.records import Record
from investigation.runtimes.program import Step, Trace

WIDTH, HEIGHT = 0.9, 0.62
LONGEST_NAME = 19
# What writes less than a cache line is a shape or a number on its way somewhere.
SMALLEST_DRAWN = 64
TEXT: Mapping[str, Any] = {"ha": "center", "va": "center", "fontsize": 7.5}
ARROW: Mapping[str, Any] = {
    "arrowstyle": "-|>",
    "color": figures.INK,
    "lw": 0.7,
    "shrinkA": 0,
    "shrinkB": 0,
}


def graphs(traces: Mapping[str, Trace]) -> Figure:
    """Return a figure with each program's steps from top to bottom, and the bytes of each."""
    deepest = max(len(drawn(trace)) for trace in traces.values())
    height = 0.6 + 0.42 * deepest
    with figures.canvas(len(traces), width=8.8, height=height, squeeze=False) as (figure, axes):
        for axis, (title, trace) in zip(axes[0], traces.items(), strict=True):
            _column(axis, title, drawn(trace), deepest)
    return figure


def drawn(trace: Trace) -> tuple[Step, ...]:
    """Return the steps that are worth a box: those that write a tensor, and the expansions."""
    return tuple(
        step for step in trace.steps if step.bytes_written >= SMALLEST_DRAWN or step.expands
    )


def _column(axis: Axes, title: str, steps: Sequence[Step], deepest: int) -> None:
    axis.set_title(title.replace(" (", "\n("), fontsize=9)
    axis.set_axis_off()
    axis.set_xlim(0, 1)
    axis.set_ylim(-deepest, 0.1)
    for row, step in enumerate(steps):
        _box(axis, -row, step)
        if row:
            axis.annotate("", (0.5, -row), (0.5, 1 - row - HEIGHT), arrowprops=dict(ARROW))


def _box(axis: Axes, top: float, step: Step) -> None:
    real = step.expands and step.bytes_written > 0
    colour = figures.COLOURS["expand_as" if step.expands else "neutral"]
    corner, shape = ((1 - WIDTH) / 2, top - HEIGHT), "round,pad=0,rounding_size=0.06"
    strength = 0.55 if real else 0.16
    box = FancyBboxPatch(corner, WIDTH, HEIGHT, shape, ec="none", fc=colour, alpha=strength)
    axis.add_patch(box)
    axis.text(0.5, top - 0.34 * HEIGHT, _short(step.op), **TEXT)
    axis.text(0.5, top - 0.74 * HEIGHT, kib(step.bytes_written), alpha=0.75, **TEXT)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


MULTIPLES = (1, 2, 4, 8, 16)


def costs(records: Mapping[str, Mapping[str, Record]]) -> Figure:
    """Return a figure of ratios with their intervals: a panel a workload, a row a runtime.

    `records` maps a workload to its timing records, and those are mapped by runtime.
    """
    runtimes = list(next(iter(records.values())))
    height = 1.1 + 0.26 * len(runtimes)
    grid = {"sharey": True, "squeeze": False}
    with figures.canvas(len(records), width=8.8, height=height, **grid) as (figure, axes):
        for axis, (workload, by_runtime) in zip(axes[0], records.items(), strict=True):
            axis.set_title(workload.replace(", ", "\n"), fontsize=9)
            axis.axvline(1, color=figures.INK, lw=0.8)
            for row, record in enumerate(by_runtime.values()):
                _ratio(axis, row, record)
            _as_multiples(axis, runtimes)
        figure.supxlabel("time of the block with expand_as, as a multiple of the one without")
    return figure


def _ratio(axis: Axes, row: int, record: Record) -> None:
    colour = figures.VERDICT_COLOURS[record.details["verdict_in_family"]]
    assert record.interval is not None
    axis.plot(record.interval, [row, row], color=colour, lw=2.2)
    axis.plot(float(record.value), row, "o", color=colour, ms=4)


def _as_multiples(axis: Axes, runtimes: Sequence[str]) -> None:
    axis.set_xscale("log", base=2)
    low, high = min(axis.get_xlim()[0], 0.9), max(axis.get_xlim()[1], 2.1)
    axis.set_xlim(low, high)
    seen = [multiple for multiple in MULTIPLES if low < multiple < high]
    axis.set_xticks(seen, list(map(str, seen)))
    axis.minorticks_off()
    axis.set_yticks(range(len(runtimes)), runtimes)
    axis.set_ylim(len(runtimes) - 0.5, -0.5)
    axis.grid(visible=True, axis="x")
