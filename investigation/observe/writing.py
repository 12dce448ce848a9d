"""Ways to write the product elsewhere than into a tensor of its own: what each allocates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from investigation.observe import memory
from investigation.subject.cases import Case

# Each from an input, a gate and a tensor to write to.
WAYS: Mapping[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "x * y.expand_as(x)": lambda x, gate, out: x * gate.expand_as(x),  # noqa: ARG005
    "x * y": lambda x, gate, out: x * gate,  # noqa: ARG005
    "torch.mul(x, y, out=out)": lambda x, gate, out: torch.mul(x, gate, out=out),
    "x.mul_(y)": lambda x, gate, out: x.mul_(gate),  # noqa: ARG005
    "x.mul_(y.expand_as(x))": lambda x, gate, out: x.mul_(gate.expand_as(x)),  # noqa: ARG005
}


@dataclass(frozen=True)
class Written:
    """What one way requests from the allocator, in bytes, and the ATen calls that it makes."""

    bytes_asked: int
    calls: tuple[str, ...]


def compare_ways(case: Case) -> dict[str, Written]:
    """Return what each of `WAYS` allocates and calls."""
    written = {}
    for name, way in WAYS.items():
        x, gate = case.tensors()
        calls = memory.profiled_calls(partial(way, x, gate, torch.empty_like(x)))
        bytes_allocated = sum(call.bytes_allocated for call in calls)
        written[name] = Written(bytes_allocated, tuple(call.name for call in calls))
    return written
