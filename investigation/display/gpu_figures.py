"""Figures of the GPU chapter."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from investigation.compiled.triton.proof import ChipAgreement, CompileLayer
from investigation.display.figures import COLOURS, INK, canvas, verdict_grid
from investigation.gpu.prediction import HostCost, Prediction
from investigation.subject import gpu_catalog

# A card has a shape as well as a colour, for those who tell colours apart badly.
MARKERS = "ovs^D<P>"


def agreement_grid(agreements: Sequence[ChipAgreement], layer: CompileLayer) -> Figure:
    """Return a figure with a row for each setting and a column for each chip: `=` or `≠`.

    Raises `ValueError` unless every chip was tried in the same settings.
    """
    settings = agreements[0].tried
    if any(one.tried != settings for one in agreements):
        raise ValueError("the chips were tried in different settings")
    rows = [one.name for one in settings]
    columns = [gpu_catalog.chip(one.chip).name for one in agreements]
    same = np.array([[one not in chip.differing[layer] for chip in agreements] for one in settings])
    with canvas(height=1.1 + 0.24 * len(rows)) as (figure, axis):
        verdict_grid(axis, same.astype(int), rows, columns)
    return figure


def bounds(predictions: Sequence[Prediction], host: HostCost | None) -> Figure:
    """Return a figure of the device's predicted time, a row a workload and a mark a card.

    Left of the host's time, drawn from the plain call to the one with `expand_as`, the device
    waits for launches; right of it, it is bound by its memory.
    """
    cards = sorted({one.card for one in predictions}, key=lambda card: card.bandwidth)
    cases = sorted({one.case for one in predictions}, key=lambda case: case.elements)
    # The ends of the map are too dark for a dark page and too pale for a light one.
    colours = mpl.colormaps["viridis"](np.linspace(0.3, 0.85, len(cards)))
    rows = {case: row for row, case in enumerate(cases)}
    with canvas(height=1.6 + 0.3 * len(cases)) as (figure, axis):
        for card, colour, marker in zip(cards, colours, cycle(MARKERS), strict=False):
            times = {rows[one.case]: 1e6 * one.device_s for one in predictions if one.card == card}
            axis.plot(
                list(times.values()), list(times), marker, color=colour, ms=6, label=card.name
            )
        if host is not None:
            _host_line(axis, host)
        axis.set_xscale("log")
        axis.set_xlabel("predicted time of the scale step on the device, µs")
        axis.set_yticks(range(len(cases)), [case.name for case in cases])
        axis.grid(visible=True, axis="x")
        figure.legend(loc="outside lower center", ncols=4)
    return figure


def _host_line(axis: Axes, host: HostCost) -> None:
    plain, expanded = 1e6 * host.call_s, 1e6 * host.with_expand_s
    axis.axvspan(plain, expanded, color=COLOURS["expand_as"], alpha=0.35, lw=0)
    axis.axvline(expanded, color=INK, lw=0.8)
    top = axis.get_ylim()[1]
    axis.text(plain, top, "launch-bound  ", ha="right", va="bottom")
    axis.text(expanded, top, "  bandwidth-bound", ha="left", va="bottom")


def predicted_and_measured(times: Mapping[str, Sequence[tuple[float, float]]]) -> Figure:
    """Return a figure of measured over predicted device time, in seconds, a panel a machine."""
    with canvas(columns=len(times), height=3.2, squeeze=False) as (figure, axes):
        for axis, (machine, pairs) in zip(axes[0], times.items(), strict=True):
            predicted, measured = (1e6 * np.asarray(one) for one in zip(*pairs, strict=True))
            ends = [min(*predicted, *measured), max(*predicted, *measured)]
            axis.plot(ends, ends, color=COLOURS["neutral"], lw=1, label="as predicted")
            axis.plot(predicted, measured, "o", color=COLOURS["broadcast"], label="measured")
            axis.set_xscale("log")
            axis.set_yscale("log")
            axis.set_title(machine)
            axis.set_xlabel("predicted device time, µs")
        axes[0][0].set_ylabel("measured device time, µs")
        axes[0][0].legend()
    return figure
