"""A contest of timers on a page: its picture, its tables, and the machine that it ran on."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from IPython.display import HTML, Markdown
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from investigation.display import figures, recorded
from investigation.display.keys import require_each_once
from investigation.display.tables import folded, say, table
from investigation.evidence.sealed.contest import MADE, ContestResult
from investigation.evidence.words import OUTCOMES, listed


def verdicts(result: ContestResult, plant: str, drawn: str, reading: str) -> HTML:
    """Return the verdicts of every method on one kind of plant, as a captioned figure.

    `drawn` and `reading` are those of `figures.show`; what the instrument found is the finding.
    """
    shares, found = recorded.verdict_shares(result, plant), recorded.found_shares(result, plant)
    figure = by_planted_difference(result.doses(plant), shares, found)
    return figures.show(figure, finding=_found(result, plant), drawn=drawn, reading=reading)


def _found(result: ContestResult, plant: str) -> str:
    """Say how often the instrument raised a false alarm, and found what was planted."""
    row = result.row(MADE, plant)
    if row is None:
        return f"{MADE} was not tried."
    alarms, planted = row["false_alarms"], row["found"]
    counts = [f"false alarms in {alarms['count']} of {alarms['of']}"]
    counts += [f"{dose} % found in {of['count']} of {of['of']}" for dose, of in planted.items()]
    return f"With {MADE}: {listed(counts)} trials."


def of_all(contests: Mapping[str, ContestResult]) -> Iterator[HTML]:
    """Return the figures of every recorded contest; beside a neighbour they are folded."""
    for name, result in contests.items():
        if result.neighbour:
            yield folded(f"The figures of {name}", *pictures(name, result))
        else:
            yield from pictures(name, result)


def pictures(name: str, result: ContestResult) -> Iterator[HTML]:
    """Return a figure for each kind of plant in a recorded contest of that name."""
    for plant in result.plants():
        drawn = f"Verdicts by planted difference in the contest, {name}, {plant}"
        reading = f"Verdicts by planted difference, recorded: {name}, {plant}. {DIAMONDS}"
        yield verdicts(result, plant, drawn, reading)


def numbers(result: ContestResult) -> Iterator[HTML | Markdown]:
    """Return what a recorded contest came to: its rates, its targets and its machine."""
    run = (target for target in recorded.targets(result) if target[""] != "not run")
    rates = (table(recorded.endpoints(result, plant)) for plant in result.plants())
    yield folded("The rates of each method, for each kind of pair", *rates)
    yield folded("The targets, and what was reached", table(run))
    causes = list(recorded.causes(result))
    if causes:
        yield folded(f"Why targets were missed: {len(causes)}", table(causes))
    made_on = f"Made on {recorded.machine(result.environment)}."
    yield say(f"{made_on} {recorded.ended_early(result)}")


DIAMONDS = (
    "A diamond: the share of trials that found a difference, because their interval leaves out 0. "
    "In the row of 0 % these are false alarms."
)
DIAMOND: Mapping[str, Any] = {
    "marker": "D",
    "ls": "",
    "ms": 5,
    "markerfacecolor": figures.PAPER,
    "markeredgecolor": figures.INK,
    "label": "a difference found",
    "clip_on": False,
    "zorder": 3,
}
PANELS_ACROSS = 4  # more, and their titles overlap


def by_planted_difference(
    doses: Sequence[float],
    methods: Mapping[str, Mapping[str, Mapping[float, float]]],
    found: Mapping[str, Mapping[float, float]],
) -> Figure:
    """Return a figure of verdicts by planted difference (percent), a panel a method.

    `methods` maps a method to its verdicts, and a verdict to its share at each dose; `found` maps
    it to the share of trials that found a difference. A dose that was not tried with a method has
    no bar. Raises `ValueError` for a dose that comes twice.
    """
    require_each_once("doses", doses)
    lines = -(-len(methods) // PANELS_ACROSS)
    with figures.canvas(
        columns=PANELS_ACROSS, rows=lines, height=0.5 + 2.1 * lines, sharey=True, squeeze=False
    ) as (figure, axes):
        for axis in axes.flat[len(methods) :]:
            axis.remove()
        for axis, (method, shares) in zip(axes.flat, methods.items(), strict=False):
            _stacked(axis, doses, shares)
            shares_found = found[method]
            axis.plot(list(shares_found.values()), list(map(doses.index, shares_found)), **DIAMOND)
            axis.set_title(method.replace(", ", ",\n"), fontsize=9)
        for first in axes[:, 0]:
            first.set_ylabel("planted")
        figure.legend(*axes[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=5)
    return figure


def _stacked(
    axis: Axes, doses: Sequence[float], shares: Mapping[str, Mapping[float, float]]
) -> None:
    left = dict.fromkeys(doses, 0.0)
    for verdict, by_dose in shares.items():
        tried = [dose for dose in doses if dose in by_dose]
        axis.barh(
            [doses.index(dose) for dose in tried],
            [by_dose[dose] for dose in tried],
            left=[left[dose] for dose in tried],
            color=figures.VERDICT_COLOURS[verdict],
            label=OUTCOMES[verdict],
        )
        left |= {dose: left[dose] + by_dose[dose] for dose in tried}
    axis.set_yticks(range(len(doses)), [f"{dose:+g} %" if dose else "0 %" for dose in doses])
    axis.set_xlim(0, 1)
    axis.set_xticks([0, 1])
    axis.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
