"""Where a tensor's elements lie, and how much memory an operation allocates."""

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.profiler import ProfilerActivity, profile, record_function

from investigation.subject.dtypes import dtype_name
from investigation.subject.variants import Scale


@dataclass(frozen=True)
class Place:
    """A tensor's place in memory: `nbytes` is its storage's size, `logical_bytes` its elements'."""

    shape: tuple[int, ...]
    stride: tuple[int, ...]
    storage_offset: int
    data_ptr: int
    storage_ptr: int
    storage_bytes: int
    logical_bytes: int
    is_view: bool


def place(tensor: Tensor) -> Place:
    """Return where a tensor's elements lie."""
    storage = tensor.untyped_storage()
    return Place(
        tuple(tensor.shape),
        tensor.stride(),
        int(tensor.storage_offset()),
        tensor.data_ptr(),
        storage.data_ptr(),
        storage.nbytes(),
        tensor.numel() * tensor.element_size(),
        tensor._is_view(),
    )


def shares_storage(tensor: Tensor, other: Tensor) -> bool:
    """Return whether two tensors read the same memory."""
    return tensor.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()


def addresses(tensor: Tensor) -> Tensor:
    """Return the storage element that each logical element reads, in the tensor's own shape.

    address = offset + Σ indexᵢ · strideᵢ. Source: the definition of `torch.Tensor.stride`.
    """
    address = torch.full(tensor.shape, int(tensor.storage_offset()))
    for axis, (size, stride) in enumerate(zip(tensor.shape, tensor.stride(), strict=True)):
        steps = torch.arange(size).reshape([-1 if axis == i else 1 for i in range(tensor.dim())])
        address += steps * stride
    return address


def multiplied_gate(scale: Scale, x: Tensor, gate: Tensor) -> Tensor:
    """Return the second operand of the multiply inside `scale(x, gate)`.

    The operand inside `x * gate.expand_as(x)` has no name; this gets it from torch.
    Raises `LookupError` if the scale does not multiply.
    """
    multiplies = _multiplies(lambda: scale(x, gate))
    if not multiplies:
        raise LookupError("the scale did not multiply")
    return multiplies[-1][1]


def multiplied_dtypes(run: Callable[[], object]) -> list[tuple[str, str]]:
    """Return the dtypes of both operands of each multiply of two tensors in `run`."""
    return [(dtype_name(operand), dtype_name(other)) for operand, other in _multiplies(run)]


def _multiplies(run: Callable[[], object]) -> list[tuple[Tensor, Tensor]]:
    mode = _KeepOperands()
    with mode:
        run()
    return mode.operands


class _KeepOperands(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.operands: list[tuple[Tensor, Tensor]] = []

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> object:
        multiplies = func in (Tensor.mul, Tensor.__mul__, torch.mul)
        if multiplies and all(isinstance(argument, Tensor) for argument in args):
            self.operands.append((args[0], args[1]))
        return func(*args, **(kwargs or {}))


@dataclass(frozen=True)
class Call:
    """One ATen call: its name, how deep it is nested, and the bytes that it allocated itself."""

    name: str
    depth: int
    bytes_allocated: int


def profiled_calls(run: Callable[[], object]) -> list[Call]:
    """Return the ATen calls of `run` in order, each with the bytes that it allocated itself.

    Read from the profiler's trace, whose `[memory]` events list each allocation: the
    profiler's own tables show what was allocated less what was freed, and would hide an
    intermediate that lives and dies inside one operator.
    """
    return _calls(profiled_events(run))


def profiled_events(run: Callable[[], object]) -> list[dict[str, Any]]:
    """Return the events of the profiler's trace of `run`, memory among them."""
    with profile(activities=_activities(), profile_memory=True) as profiler:
        run()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trace.json")
        profiler.export_chrome_trace(str(path))
        events: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    return events


def _activities() -> list[ProfilerActivity]:
    supported = torch.profiler.supported_activities()
    return [activity for activity in ProfilerActivity.__members__.values() if activity in supported]


def _calls(events: list[dict[str, Any]]) -> list[Call]:
    operators = sorted(
        (event for event in events if str(event.get("name")).startswith("aten::")),
        key=lambda event: (event["ts"], -event["dur"]),
    )
    bytes_of = [0] * len(operators)
    for event in events:
        if event.get("name") == "[memory]" and event["args"]["Bytes"] > 0:
            around = [i for i, operator in enumerate(operators) if _inside(event["ts"], operator)]
            if around:
                bytes_of[around[-1]] += event["args"]["Bytes"]
    return [
        Call(
            operator["name"],
            sum(_inside(operator["ts"], other) for other in operators[:i]),
            bytes_of[i],
        )
        for i, operator in enumerate(operators)
    ]


def _inside(moment: float, operator: dict[str, Any]) -> bool:
    return bool(operator["ts"] <= moment <= operator["ts"] + operator["dur"])


def bytes_allocated(run: Callable[[], object]) -> int:
    """Return all the bytes that `run` requested from the allocator, freed since or not."""
    return sum(call.bytes_allocated for call in profiled_calls(run))


@dataclass(frozen=True)
class PhaseMemory:
    """What a phase of a run allocated, and the most that the run held at once up to its end."""

    bytes_asked: int
    peak_bytes: int


def by_phase(phases: Mapping[str, Callable[[], object]]) -> dict[str, PhaseMemory]:
    """Run named phases one after the other and return the memory of each.

    `peak_bytes` counts from the start of the first. All must run in one profile: the profiler
    has the size of a block only if it recorded its allocation.
    """

    def run() -> None:
        for name, phase in phases.items():
            with record_function(name):
                phase()

    events = profiled_events(run)
    return {name: _phase(events, name) for name in phases}


def _phase(events: list[dict[str, Any]], name: str) -> PhaseMemory:
    (span,) = [event for event in events if event.get("name") == name and event.get("ph") == "X"]
    changes = [event for event in events if event.get("name") == "[memory]"]
    changes.sort(key=lambda event: event["ts"])
    until = [change for change in changes if change["ts"] <= span["ts"] + span["dur"]]
    allocated = (event["args"]["Bytes"] for event in until if event["ts"] >= span["ts"])
    held = accumulate(event["args"]["Bytes"] for event in until)
    return PhaseMemory(sum(max(0, count) for count in allocated), max(held, default=0))
