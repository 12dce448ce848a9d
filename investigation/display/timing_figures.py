"""Figures of timings, each drawn in the row or at the place that its own fields name."""

from collections.abc import Iterable, Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from investigation.display.figures import (
    CANDIDATE,
    COLOURS,
    INK,
    canvas,
    forest,
    legend_of_verdicts,
    percent_more,
    rows,
)
from investigation.display.keys import require_each_once
from investigation.evidence.kinds.timings import Timing

Intervals = Sequence[tuple[float, float]]


def label(timing: Timing) -> str:
    """Return the name of a timing's row: its case, its memory format, its dtypes if it has two."""
    case = timing.case
    if case is None:
        return timing.memory_format
    dtypes = f", {case.dtype} × {case.gate_dtype}" if timing.dtypes == "mixed" else ""
    return f"{case.name}, {timing.memory_format}{dtypes}"


def labelled(timings: Iterable[Timing]) -> dict[str, Timing]:
    """Return timings by their labels. Raises `ValueError` for two of one label."""
    named: dict[str, Timing] = {}
    for timing in timings:
        if label(timing) in named:
            raise ValueError(f"two timings for one row: {label(timing)}")
        named[label(timing)] = timing
    return named


def comparisons(timings: Mapping[str, Timing], margin: float) -> Figure:
    """Return a figure of many timings by label, one interval a row, in percent."""
    with canvas(height=1.0 + 0.24 * len(timings)) as (figure, axis):
        ratios, intervals = _ratios(timings)
        forest(axis, list(timings), ratios, intervals, _verdicts(timings), margin)
        axis.set_xlabel("expand_as against broadcast, % of its time")
    return figure


def multiples(timings: Mapping[str, Timing]) -> Figure:
    """Return a figure of many timings whose ratios are far from 1, by label, as multiples."""
    with canvas(height=1.0 + 0.24 * len(timings)) as (figure, axis):
        rows(axis, list(timings), *_ratios(timings), _verdicts(timings))
        axis.axvline(1, color=INK, lw=0.8)
        legend_of_verdicts(axis)
        axis.set_xlabel("time with expand_as over time without")
    return figure


def additions(timings: Mapping[str, Timing]) -> Figure:
    """Return a figure of what each candidate adds to a call of the plain product, in µs."""
    added, intervals = _added(list(timings.values()), per_second=1e6)
    with canvas(height=1.1 + 0.24 * len(timings)) as (figure, axis):
        rows(axis, list(timings), added, intervals, _verdicts(timings))
        axis.axvline(0, color=INK, lw=0.8)
        axis.set_xlabel("microseconds more than x * y")
        figure.legend(loc="outside lower center", ncols=4)
    return figure


def cost_by_size(timings: Sequence[Timing], margin: float) -> Figure:
    """Return a figure of what a candidate adds to a call, in time and as a share, over size.

    Raises `ValueError` for two timings of one size.
    """
    timings = sorted(timings, key=_elements)
    elements = [_elements(timing) for timing in timings]
    require_each_once("timings", elements)
    share = [percent_more(timing.ratio) for timing in timings]
    limits = [
        (percent_more(timing.interval[0]), percent_more(timing.interval[1])) for timing in timings
    ]
    with canvas(columns=2, height=3.0) as (figure, (time_axis, share_axis)):
        _sweep(time_axis, elements, *_added(timings, per_second=1e9))
        time_axis.set_title("added to a call")
        _readable_scale(time_axis, threshold=1000)
        time_axis.set_ylabel("ns that expand_as adds")
        _sweep(share_axis, elements, share, limits)
        share_axis.set_title("share of the multiply")
        share_axis.axhspan(-100 * margin, 100 * margin, color=COLOURS["neutral"], alpha=0.2, lw=0)
        _readable_scale(share_axis, threshold=1)
        share_axis.set_ylabel("% of the multiply")
    return figure


def _elements(timing: Timing) -> int:
    return timing.case.elements if timing.case else 0


def _readable_scale(axis: Axes, threshold: float) -> None:
    """Let an axis that ends far above `threshold` be logarithmic from there, in plain numbers."""
    low, high = axis.get_ylim()
    if high > 4 * max(low, threshold):
        axis.set_yscale("symlog", linthresh=threshold, subs=[2, 5])
        axis.yaxis.set_minor_locator(NullLocator())
        steps = [threshold * step * 10**power for power in range(5) for step in (1, 2, 5)]
        axis.yaxis.set_major_locator(FixedLocator([-threshold, 0, *steps]))
        axis.set_ylim(low if low < -threshold else min(low, 0), 1.5 * high)
    else:
        axis.set_ylim(min(low, 0), 1.1 * high)
    axis.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))


def _sweep(
    axis: Axes, sizes: Sequence[float], values: Sequence[float], intervals: Intervals
) -> None:
    low = [value - interval[0] for value, interval in zip(values, intervals, strict=True)]
    high = [interval[1] - value for value, interval in zip(values, intervals, strict=True)]
    axis.errorbar(sizes, values, yerr=[low, high], fmt="o-", capsize=2.5, color=CANDIDATE)
    axis.set_xscale("log", base=2)
    axis.set_xlabel("elements of the input")
    axis.grid(visible=True, axis="y")


def _ratios(timings: Mapping[str, Timing]) -> tuple[list[float], Intervals]:
    return [timing.ratio for timing in timings.values()], [
        timing.interval for timing in timings.values()
    ]


def _verdicts(timings: Mapping[str, Timing]) -> list[str]:
    return [timing.outcome for timing in timings.values()]


def _added(timings: Sequence[Timing], per_second: float) -> tuple[list[float], Intervals]:
    """Return what each candidate adds to a call, with its interval, in a unit of time."""
    added = [per_second * timing.single.difference_s for timing in timings]
    ends = [timing.single.difference_interval_s for timing in timings]
    return added, [(per_second * low, per_second * high) for low, high in ends]
