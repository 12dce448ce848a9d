"""Ways to keep the check that `expand_as` made: the gate must not make the output grow."""

import re
from collections.abc import Mapping
from types import MappingProxyType

import torch
from beartype import beartype
from jaxtyping import Float, jaxtyped
from torch import Tensor

from investigation.subject.variants import Scale, expand_as

# `#` lets a size be 1 instead, as broadcasting does.
Map = Float[Tensor, "batch channels height width"]
Gate = Float[Tensor, "#batch #channels #height #width"]


def broadcast_shapes(x: Tensor, gate: Tensor) -> Tensor:
    """Scale after computing the shape that would come out; AssertionError if not that of `x`."""
    assert torch.broadcast_shapes(x.shape, gate.shape) == x.shape, (x.shape, gate.shape)
    return x * gate


def result_shape(x: Tensor, gate: Tensor) -> Tensor:
    """Scale and check the shape of the result; AssertionError if it is larger than `x`."""
    scaled = x * gate
    assert scaled.shape == x.shape, (x.shape, gate.shape)
    return scaled


def exact_shape(x: Tensor, gate: Tensor) -> Tensor:
    """Scale `(B, C, H, W)` by `(B, C, 1, 1)` and nothing else; AssertionError otherwise."""
    assert gate.shape == (*x.shape[:2], 1, 1), (x.shape, gate.shape)
    return x * gate


@jaxtyped(typechecker=beartype)
def annotated(x: Map, gate: Gate) -> Map:
    """Scale with the shapes in the signature, checked at every call; TypeError otherwise."""
    return x * gate


CHECKS: Mapping[str, Scale] = MappingProxyType(
    {
        "expand_as": expand_as,
        "assert, broadcast_shapes": broadcast_shapes,
        "assert, the result's shape": result_shape,
        "assert, the exact shape": exact_shape,
        "annotation, jaxtyping": annotated,
    }
)


def refuses(scale: Scale, input_shape: tuple[int, ...], gate_shape: tuple[int, ...]) -> bool:
    """Return whether `scale` raises for an input and a gate of these shapes."""
    try:
        scale(torch.ones(input_shape), torch.ones(gate_shape))
    except (RuntimeError, AssertionError, TypeError):
        return True
    return False


def slug(name: str) -> str:
    """Return a check's name as one word, as its records have it."""
    return re.sub(r"\W+", "_", name)
