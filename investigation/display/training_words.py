"""Sentences of the training chapter, computed from its graphs and its errors."""

from collections.abc import Mapping, Sequence

from investigation.evidence.words import listed
from investigation.observe.autograd_graph import Node


def graphs_told(graphs: Mapping[str, Sequence[Node]]) -> str:
    """Describe backward graphs by form: each node with the gradient that arrives there."""
    told = [
        f"{form}: {', then '.join(_node(one) for one in nodes)}" for form, nodes in graphs.items()
    ]
    return f"{len(graphs)} backward graphs. {'. '.join(told)}."


def _node(node: Node) -> str:
    return f"{node.name}, which gets {node.arrives}" if node.arrives else node.name


def errors_told(errors: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Compare the forms' errors by dtype: how many times as large with `expand_as`, from to.

    `errors` maps a gate's dtype to each form's errors, one a size of the gradient from above.
    """
    told = []
    for dtype, by_form in errors.items():
        pairs = zip(by_form["expand_as"], by_form["broadcast"], strict=True)
        ratios = [with_it / without for with_it, without in pairs if without]
        if ratios:
            told.append(f"{min(ratios):.2g} to {max(ratios):.2g} times as large for {dtype}")
    return listed(told) or "zero without it"
