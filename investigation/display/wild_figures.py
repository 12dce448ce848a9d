"""The picture of released networks: time as released over patched, by network and runtime."""

from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from investigation.display import figures, outcomes
from investigation.display.keys import require_each_once
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.words import capital
from investigation.subject.runtimes import BY_SLUG

TICKS = (0.5, 0.67, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 4, 8)


def ratios(timed: Sequence[Timing]) -> Figure:
    """Return a figure with a panel a network and a row a runtime, on a logarithmic axis.

    Raises `ValueError` for two timings of one row.
    """
    several = len({timing.machine for timing in timed}) > 1
    panels = [f"{timing.network}{f', {timing.machine}' if several else ''}" for timing in timed]
    require_each_once(
        "timings",
        [f"{panel}, {timing.runtime}" for panel, timing in zip(panels, timed, strict=True)],
    )
    networks = list(dict.fromkeys(panels))
    runtimes = list(dict.fromkeys(str(timing.runtime) for timing in timed))
    height = 1.3 + 0.3 * len(runtimes)
    grid = {"sharex": True, "sharey": True, "squeeze": False}
    with figures.canvas(len(networks), width=8.8, height=height, **grid) as (figure, axes):
        for axis, network in zip(axes[0], networks, strict=True):
            axis.set_title(network, fontsize=9)
            axis.axvline(1, color=figures.INK, lw=0.8)
            for panel, timing in zip(panels, timed, strict=True):
                if panel == network:
                    row = runtimes.index(str(timing.runtime))
                    figures.interval(axis, row, timing.ratio, timing.interval, timing.outcome)
            axis.set_yticks(range(len(runtimes)), [_title(runtime) for runtime in runtimes])
            axis.set_ylim(len(runtimes) - 0.5, -0.5)
        _as_multiples(axes[0][0], timed)
        figures.legend_of_outcomes(figure, axes[0][0], timed)
        figure.supxlabel("time of the whole network as released, over patched", fontsize=10)
    return figure


def _title(runtime: str) -> str:
    known_runtime = BY_SLUG.get(runtime)
    return known_runtime.title if known_runtime else runtime


def _as_multiples(axis: Any, timed: Sequence[Timing]) -> None:
    axis.set_xscale("log")
    low = min(0.9, *(timing.interval[0] for timing in timed))
    high = max(1.1, *(timing.interval[1] for timing in timed))
    axis.set_xlim(low / 1.02, high * 1.02)
    ticks = [tick for tick in TICKS if low / 1.02 <= tick <= high * 1.02]
    axis.xaxis.set_major_locator(FixedLocator(ticks))
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.xaxis.set_minor_locator(NullLocator())


def found(timed: Sequence[Timing]) -> str:
    """Return how many comparisons came out how, and the largest in each direction."""
    return f"{capital(outcomes.counted(timed))}. {outcomes.extremes(timed, _name)}."


def _name(timing: Timing) -> str:
    return f"{timing.network} in {_title(str(timing.runtime))}"
