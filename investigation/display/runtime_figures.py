"""Pictures of the survey: the graphs that run, side by side, and what the line costs in each."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from investigation.display import figures
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.words import kib
from investigation.runtimes.program import Step, Trace
from investigation.subject.cases import Case
from investigation.subject.runtimes import BY_SLUG

WIDTH, HEIGHT = 0.9, 0.62
LONGEST_NAME = 19
# A step that writes less than a cache line handles a shape or a single number.
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
    axis.text(0.5, top - 0.27 * HEIGHT, _short(step.op), **TEXT)
    axis.text(0.5, top - 0.75 * HEIGHT, kib(step.bytes_written), alpha=0.75, **TEXT)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


MULTIPLES = (1, 2, 4, 8, 16)


def costs(timings: Iterable[Timing]) -> Figure:
    """Return a figure of ratios with their intervals: a panel a workload, a row a runtime.

    Each timing stands in the row of its runtime; a runtime that was not timed at a workload
    leaves its row of that panel empty. Raises `ValueError` for two timings of one place.
    """
    listed = list(timings)
    places = [(timing.runtime, timing.case) for timing in listed]
    if len(set(places)) != len(places):
        raise ValueError("two timings of one runtime at one workload")
    rows = {
        slug: row
        for row, slug in enumerate(dict.fromkeys(str(timing.runtime) for timing in listed))
    }
    cases = list(dict.fromkeys(timing.case for timing in listed if timing.case is not None))
    height = 1.4 + 0.26 * len(rows)
    grid = {"sharey": True, "squeeze": False}
    with figures.canvas(len(cases), width=8.8, height=height, **grid) as (figure, axes):
        for axis, case in zip(axes[0], cases, strict=True):
            axis.set_title(_workload(case), fontsize=9)
            axis.axvline(1, color=figures.INK, lw=0.8)
            for timing in listed:
                if timing.case == case:
                    row = rows[str(timing.runtime)]
                    figures.interval(axis, row, timing.ratio, timing.interval, timing.outcome)
            _as_multiples(axis, [BY_SLUG[slug].title for slug in rows])
        figures.legend_of_outcomes(figure, axes[0][0], listed)
        figure.supxlabel(
            "time of the block with expand_as, as a multiple of the one without", fontsize=10
        )
    return figure


def _workload(case: Case) -> str:
    shape = "×".join(map(str, case.shape))
    return f"{case.name}, {shape}".replace(", ", "\n")


def _as_multiples(axis: Axes, runtimes: Sequence[str]) -> None:
    axis.set_xscale("log", base=2)
    low, high = min(axis.get_xlim()[0], 0.9), max(axis.get_xlim()[1], 2.1)
    axis.set_xlim(low, high)
    ticks = [multiple for multiple in MULTIPLES if low < multiple < high]
    axis.set_xticks(ticks, list(map(str, ticks)))
    axis.minorticks_off()
    axis.set_yticks(range(len(runtimes)), runtimes)
    axis.set_ylim(len(runtimes) - 0.5, -0.5)
    axis.grid(visible=True, axis="x")
