"""What autograd keeps of a computation: the nodes that run backward, and what arrives at each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor
from torch.autograd.graph import Node as AutogradNode

from investigation.subject.dtypes import dtype_name


@dataclass(frozen=True)
class Gradient:
    """The gradient that a node was handed in a backward pass; its first if it takes several."""

    shape: tuple[int, ...]
    dtype: str

    def __str__(self) -> str:
        return f"{self.shape} {self.dtype}"


@dataclass(frozen=True)
class Node:
    """One node of a backward graph: `feeds` are the positions of those that it hands on to."""

    name: str
    arrives: Gradient | None
    feeds: tuple[int, ...]


def nodes(output: Tensor) -> list[AutogradNode]:
    """Return every node that `output.backward()` runs, the output's own first, each once."""
    reached: dict[AutogradNode, None] = {}
    waiting = [output.grad_fn]
    while waiting:
        node = waiting.pop(0)
        if node is not None and node not in reached:
            reached[node] = None
            waiting += [following for following, _ in node.next_functions]
    return list(reached)


def count(output: Tensor, name: str = "") -> int:
    """Return how many nodes `output.backward()` runs whose name contains `name`."""
    return sum(name in node.name() for node in nodes(output))


def backward_graph(
    output: Tensor, upstream: Tensor, leaves: Mapping[str, Tensor]
) -> tuple[Node, ...]:
    """Run `output.backward(upstream)` and return the graph with what arrived at each node.

    A leaf's node is named after its key in `leaves`; the gradient is left in its `grad`.
    """
    order = nodes(output)
    arrived: dict[int, Gradient] = {}
    handles = [
        node.register_prehook(partial(_note, arrived, index)) for index, node in enumerate(order)
    ]
    output.backward(upstream)
    for handle in handles:
        handle.remove()
    return tuple(
        Node(_name(node, leaves), arrived.get(index), tuple(_feeds(node, order)))
        for index, node in enumerate(order)
    )


def _note(arrived: dict[int, Gradient], index: int, gradients: tuple[Any, ...]) -> None:
    present = [gradient for gradient in gradients if gradient is not None]
    if present:
        arrived[index] = Gradient(tuple(present[0].shape), dtype_name(present[0]))


def _feeds(node: AutogradNode, order: list[AutogradNode]) -> Iterator[int]:
    return (order.index(following) for following, _ in node.next_functions if following is not None)


def _name(node: AutogradNode, leaves: Mapping[str, Tensor]) -> str:
    """Return a leaf's own name, or the node's without its number."""
    for name, leaf in leaves.items():
        if getattr(node, "variable", None) is leaf:
            return f"gradient of {name}"
    return node.name().removesuffix("0").removeprefix("torch::autograd::")
