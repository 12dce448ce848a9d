"""Figures of the GPU chapter."""

import textwrap
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from investigation.compiled.compile_settings import CompileSetting
from investigation.compiled.triton.agreement import ChipAgreement, CompileLayer
from investigation.display import narrow as narrow_layout
from investigation.display.figures import COLOURS, INK, canvas, verdict_grid
from investigation.display.keys import require_each_once
from investigation.evidence.kinds.programs import MachineCode
from investigation.evidence.words import readable
from investigation.gpu.prediction import HostCost, Prediction
from investigation.subject import gpu_catalog

# A card has a shape as well as a colour, for those who tell colours apart badly.
MARKERS = "ovs^D<P>"
CARD_COLOURS = ("broadcast", "good", "materialized", "unsure", "bad", "neutral")
# The picture of one kernel: where its digests stand, as a share of its width, and in points how
# much is left for code and how wide a character of code and of words is, as a share of its size.
DIGESTS_AT, CODE_WIDTH, CODE_CHARACTER, WORDS_CHARACTER = 0.69, 345, 0.61, 0.56
DIGITS = 12
# A space that SVG keeps at the beginning of a line.
NO_BREAK = "\N{NO-BREAK SPACE}"
# On a phone: how many characters of code and of words a line holds, and inches of a line.
PHONE_CODE, PHONE_WORDS, PHONE_LINE = 47, 50, 0.165
INDENTED = f"\n{4 * NO_BREAK}"
SOURCES = {"expand_as": "x * y.expand_as(x)", "broadcast": "x * y"}


def one_kernel(forms: Sequence[MachineCode], *, narrow: bool = False) -> Figure:
    """Return a picture of the first form's kernel, line by line, and of each form's digest.

    `narrow` is the same for a phone: long lines go on in the next, and the digests stand below.
    """
    if narrow:
        return _kernel_above_digests(forms)
    lines = list(zip(forms[0].lines, forms[0].words, strict=True))
    code_size = _size_for(forms[0].lines, CODE_CHARACTER)
    words_size = _size_for(forms[0].words, WORDS_CHARACTER)
    with canvas(height=0.4 + 0.5 * len(lines)) as (figure, axis):
        axis.set_axis_off()
        axis.set_xlim(0, 1)
        axis.set_ylim(len(lines), 0)
        for row, (code, words) in enumerate(lines):
            axis.text(0, row + 0.32, code, family="monospace", fontsize=code_size, va="center")
            axis.text(0.02, row + 0.72, words, fontsize=words_size, va="center")
        height = 0.36 * len(lines)
        _digests(axis, forms, DIGESTS_AT, [0, len(lines) - height], height)
    return figure


def _kernel_above_digests(forms: Sequence[MachineCode]) -> Figure:
    """Draw the kernel in lines as long as a phone is wide, and below it the digests."""
    rows: list[tuple[float, str, dict[str, Any]]] = []
    down = 0.0
    for code, words in zip(forms[0].lines, forms[0].words, strict=True):
        for text, longest, style in ((code, PHONE_CODE, {"family": "monospace"}),
                                     (words, PHONE_WORDS, {"style": "italic"})):  # fmt: skip
            shown = textwrap.wrap(text, longest, break_on_hyphens=False)
            rows.append((down, INDENTED.join(shown), style))
            down += 1.0 * len(shown) + 0.1
        down += 0.5
    height = 4.0
    tops = [down + 0.5 + place * (height + 2) for place in range(len(forms))]
    deepest = tops[-1] + height + 0.3
    with canvas(width=narrow_layout.WIDTH, height=PHONE_LINE * deepest) as (figure, axis):
        axis.set_axis_off()
        axis.set_xlim(0, 1)
        axis.set_ylim(deepest, 0)
        for top, text, style in rows:
            axis.text(0, top, text, fontsize=9, va="top", **style)
        _digests(axis, forms, 0, tops, height)
    return figure


def _size_for(texts: Sequence[str], character: float) -> float:
    """Return the size in points, at most 9, at which the longest text ends before the digests."""
    return min(9.0, CODE_WIDTH / (character * max(map(len, texts), default=1)))


def _digests(
    axis: Axes, forms: Sequence[MachineCode], left: float, tops: Sequence[float], height: float
) -> None:
    """Draw a box a form, from the top down, and whether their digests are the same between."""
    middle = (1 + left) / 2
    for top, code in zip(tops, forms, strict=True):
        colour = COLOURS.get(code.form, COLOURS["neutral"])
        axis.add_patch(Rectangle((left, top), 1 - left, height, fc="none", ec=colour, lw=2))
        for at, text, family in (
            (0.25, SOURCES[code.form], "monospace"),
            (0.55, f"sha256 {code.binary_sha256[:DIGITS]}…", "monospace"),
            (0.82, f"{code.target_name}, {readable(code.binary_bytes)} bytes", "sans-serif"),
        ):
            where = (middle, top + at * height)
            axis.text(*where, text, ha="center", va="center", fontsize=8.5, family=family)
    same = len({code.binary_sha256 for code in forms}) == 1
    sign, colour = ("=", COLOURS["good"]) if same else ("≠", COLOURS["bad"])
    between = (tops[0] + tops[-1] + height) / 2
    axis.text(middle, between, sign, ha="center", va="center", fontsize=16,
              color=colour, fontweight="bold")  # fmt: skip


def agreement_grid(agreements: Sequence[ChipAgreement], layer: CompileLayer) -> Figure:
    """Return a figure with a panel for each chip: what is compiled by shapes and layout, = or ≠.

    A cell is empty if nothing was compiled. Raises `ValueError` for two results of one cell.
    """
    require_each_once("chips", [row.chip for row in agreements])
    rows = list(dict.fromkeys(setting.kind for row in agreements for setting in row.tried))
    columns = [list(dict.fromkeys(map(_column, row.tried))) for row in agreements]
    widths = {"width_ratios": [len(column) for column in columns]}
    with canvas(
        columns=len(agreements), height=2.3 + 0.26 * len(rows), sharey=True, squeeze=False,
        gridspec_kw=widths,
    ) as (figure, axes):  # fmt: skip
        for axis, chip, across in zip(axes[0], agreements, columns, strict=True):
            verdict_grid(axis, _same(chip, layer), rows, across)
            axis.set_title(gpu_catalog.chip(chip.chip).name.replace(" ", "\n"), fontsize=9)
            axis.set_xticks(range(len(across)), across, rotation=90, fontsize=9)
    return figure


def _column(setting: CompileSetting) -> str:
    return f"{setting.shapes}, {setting.case.memory_format}"


def _same(chip: ChipAgreement, layer: CompileLayer) -> dict[tuple[str, str], bool]:
    """Return by row and column whether a setting agrees."""
    require_each_once("settings", [(setting.kind, _column(setting)) for setting in chip.tried])
    return {
        (setting.kind, _column(setting)): setting not in chip.differing[layer]
        for setting in chip.tried
    }


def bounds(predictions: Sequence[Prediction], host: HostCost | None) -> Figure:
    """Return a figure of the device's predicted time, a row a workload and a mark a card.

    Left of the host's time, drawn from the plain call to the one with `expand_as`, the device
    waits for launches; right of it, it is bound by its memory. Raises `ValueError` for two
    predictions of one mark.
    """
    require_each_once("predictions", [(one.card.name, one.case.name) for one in predictions])
    # A set's order changes from run to run, so workloads of one size would swap their rows.
    cards = sorted(dict.fromkeys(one.card for one in predictions), key=lambda card: card.bandwidth)
    cases = sorted(dict.fromkeys(one.case for one in predictions), key=lambda case: case.elements)
    colours = [COLOURS[name] for name in CARD_COLOURS]
    rows = {case: row for row, case in enumerate(cases)}
    with canvas(height=1.6 + 0.3 * len(cases)) as (figure, axis):
        for card, colour, marker in zip(cards, cycle(colours), cycle(MARKERS), strict=False):
            times = {
                rows[prediction.case]: 1e6 * prediction.device_s
                for prediction in predictions
                if prediction.card == card
            }
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


def predicted_and_measured(times: Mapping[str, Mapping[str, tuple[float, float]]]) -> Figure:
    """Return a figure of measured over predicted device time, a panel a machine.

    `times` maps a machine to its workloads, and a workload's name to both times in seconds.
    """
    with canvas(columns=len(times), height=3.2, squeeze=False) as (figure, axes):
        for axis, (machine, workloads) in zip(axes[0], times.items(), strict=True):
            seconds = [time for pair in workloads.values() for time in pair]
            ends = [1e6 * min(seconds), 1e6 * max(seconds)]
            axis.plot(ends, ends, color=COLOURS["neutral"], lw=1, label="as predicted")
            axis.plot([], [], "o", color=COLOURS["broadcast"], label="measured")
            for name, (predicted, measured) in workloads.items():
                # Its name for the published numbers, and none for the legend.
                where = ([1e6 * predicted], [1e6 * measured])
                axis.plot(*where, "o", color=COLOURS["broadcast"], label=f"_{name}")
            axis.set_xscale("log")
            axis.set_yscale("log")
            axis.set_title(machine)
            axis.set_xlabel("predicted device time, µs")
        axes[0][0].set_ylabel("measured device time, µs")
        axes[0][0].legend()
    return figure
