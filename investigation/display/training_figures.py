"""Figures of the training chapter and their descriptions: graphs, errors, loss curves."""

from collections.abc import Mapping, Sequence
from itertools import cycle

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from investigation.display.figures import COLOURS, INK, PAPER, canvas
from investigation.display.keys import require_each_once
from investigation.evidence.words import listed, number_of
from investigation.observe.autograd_graph import Node

POINTS = {"expand_as": "o"}
OF_THE_GATE = "gradient of gate"  # the gate's node in a recorded graph
# The panels of the loss curves; both have a line of another seed.
LOSSES, APART = "losses", "difference of two losses"
# Neither form's colour, for what is not one form.
OTHERS = [COLOURS[name] for name in ("good", "unsure", "bad", "materialized", "neutral")]


def backward_graph(axis: Axes, nodes: Sequence[Node], title: str, marked: str) -> None:
    """Draw a backward graph from the top down, in each box what arrives; `marked` stands out."""
    axis.set_title(title)
    axis.set_axis_off()
    places = _places(nodes)
    for node, (column, row) in zip(nodes, places, strict=True):
        for target in node.feeds:
            _arrow(axis, (column, row), places[target])
    for node, (column, row) in zip(nodes, places, strict=True):
        colour = COLOURS["expand_as"] if marked in node.name else INK
        axis.text(
            column, row, f"{node.name}\n{node.arrives or ''}", ha="center", va="center", size=8,
            bbox={"boxstyle": "round", "facecolor": PAPER, "edgecolor": colour, "lw": 1.4},
        )  # fmt: skip
    axis.set_xlim(min(column for column, _ in places) - 0.6, max(c for c, _ in places) + 0.6)
    axis.set_ylim(min(row for _, row in places) - 0.5, 0.5)


def _arrow(axis: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axis.annotate(
        "", xy=end, xytext=start,
        arrowprops={"arrowstyle": "-|>", "color": INK, "shrinkA": 14, "shrinkB": 17},
    )  # fmt: skip


def _places(nodes: Sequence[Node]) -> list[tuple[float, float]]:
    """Return column and row of each node: leaves side by side, parents above their middle."""
    depth = [0] * len(nodes)
    for index, node in enumerate(nodes):
        for target in node.feeds:
            depth[target] = max(depth[target], depth[index] + 1)
    leaves = [index for index, node in enumerate(nodes) if not node.feeds]
    column = [float(leaves.index(index)) if index in leaves else 0.0 for index in range(len(nodes))]
    for index in reversed(range(len(nodes))):
        feeds = nodes[index].feeds
        if feeds:
            column[index] = sum(column[source] for source in feeds) / len(feeds)
    return [(column[index], -float(depth[index])) for index in range(len(nodes))]


def gradient_errors(
    sizes: Sequence[float],
    errors: Mapping[str, Mapping[str, Sequence[float]]],
    met: tuple[float, float],
) -> Figure:
    """Return a figure of the gate gradient's relative error over the size of the gradient above.

    `errors` maps a gate's dtype to a form's errors, one a size: a panel a dtype. `met` is the
    range of sizes that a network hands down. Raises `ValueError` for a size that comes twice.
    """
    require_each_once("sizes", sizes)
    with canvas(columns=len(errors), height=3.0, sharey=True, squeeze=False) as (figure, (axes,)):
        for axis, (dtype, by_form) in zip(axes, errors.items(), strict=True):
            axis.axvspan(*met, color=COLOURS["neutral"], alpha=0.2, lw=0)
            for form, values in by_form.items():
                axis.plot(sizes, values, "o-", ms=4, color=COLOURS[form], label=form)
            axis.set(xscale="log", yscale="log", title=f"{dtype} gate")
            axis.set_xlabel("size of the gradient from above")
        axes[0].set_ylabel("relative error")
        handles, forms = axes[0].get_legend_handles_labels()
        figure.legend(handles, forms, loc="outside lower center", ncols=len(forms))
    return figure


def loss_curves(
    curves: Mapping[str, Sequence[float]], apart: Mapping[str, Sequence[float]]
) -> Figure:
    """Return a figure of loss curves, and of how far pairs of runs are apart, step by step."""
    with canvas(columns=2, height=3.4) as (figure, (losses, differences)):
        for name, values in curves.items():
            # Points of one form on the line of the other: both stay visible if they agree.
            style, colour = POINTS.get(name, "-"), COLOURS.get(name, COLOURS["neutral"])
            losses.plot(range(1, len(values) + 1), values, style, ms=2.5, color=colour, label=name)
        losses.set(title=LOSSES, xlabel="training step", ylabel="loss", yscale="log")
        losses.legend(loc="lower left")
        for (name, values), colour in zip(apart.items(), cycle(OTHERS), strict=False):
            steps = [step for step, value in enumerate(values, start=1) if value > 0]
            shown = [values[step - 1] for step in steps]
            differences.plot(steps, shown, ".-", ms=3, lw=0.8, color=colour, label=name)
        differences.set(title=APART, xlabel="training step", ylabel="difference", yscale="log")
        differences.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=1, fontsize=8)
    return figure


def graphs_told(graphs: Mapping[str, Sequence[Node]], marked: str = "Expand") -> str:
    """Say for each form how many nodes are the expansion's, and what they and the gate get."""
    return " ".join(f"With {form}: {_graph(nodes, marked)}." for form, nodes in graphs.items())


def _graph(nodes: Sequence[Node], marked: str) -> str:
    of_expansion = [str(node.arrives) for node in nodes if marked in node.name]
    gets = f", which gets {listed(of_expansion)}" if of_expansion else ""
    gate = listed([str(node.arrives) for node in nodes if node.name == OF_THE_GATE]) or "nothing"
    return (
        f"{number_of(len(of_expansion), 'node')} of the expansion{gets}, and the gate gets {gate}"
    )


def errors_told(
    errors: Mapping[str, Mapping[str, Sequence[float]]],
    sizes: Sequence[float],
    met: Sequence[float],
) -> str:
    """Compare the forms' errors by dtype: how many times as large with `expand_as`, from to.

    `errors` maps a gate's dtype to each form's errors, one for each of `sizes` of the gradient
    from above. Only sizes between those that are `met` in a network count.
    """
    inside = [min(met) <= size <= max(met) for size in sizes]
    if not any(inside):
        return "With expand_as: no size of the network's gradients was tried."
    ranges = []
    for dtype, by_form in errors.items():
        pairs = zip(by_form["expand_as"], by_form["broadcast"], inside, strict=True)
        ratios = [with_it / without for with_it, without, counts in pairs if counts and without]
        if ratios:
            ends = dict.fromkeys(f"{end:.2g}" for end in (min(ratios), max(ratios)))
            ranges.append(f"{' to '.join(ends)} times as large for {dtype}")
    return (
        "With expand_as, at sizes of the network's gradients the error of the gate's gradient is "
        f"{listed(ranges) or 'zero without it'}."
    )
