"""Which ATen calls a step makes on a device that is not here, and which of them launch a kernel.

Fake tensors carry a device and a shape and no memory, so the sequence of calls for `cuda` can
be listed on any machine. A call whose result is a view of an argument by its own schema, or that
only gives an argument other strides, launches nothing: it only creates metadata on the host.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode

from investigation.observe.deviceless import PastTheBindings
from investigation.subject.cases import Case
from investigation.subject.dtypes import dtype_name
from investigation.subject.memory_formats import MemoryFormat
from investigation.subject.torch_formats import FORMATS
from investigation.subject.variants import Scale, SEBlock


@dataclass(frozen=True)
class Operand:
    """A tensor as a call reads or makes it; a dimension that is repeated has a stride of 0."""

    shape: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: str

    def __str__(self) -> str:
        return f"{self.dtype} {'×'.join(map(str, self.shape))} in steps of {self.stride}"


@dataclass(frozen=True)
class AtenCall:
    """One call below autograd: its name, its arguments, whether it only makes a view, its result.

    `operands` are the tensors among its arguments. If the call works element by element, each
    is given as it is read: repeated to the result's shape. `arguments` are the others, as text.
    """

    name: str
    is_view: bool
    device: str
    result: Operand
    operands: tuple[Operand, ...] = ()
    arguments: tuple[str, ...] = ()

    @property
    def dtype(self) -> str:
        """The dtype of what it makes."""
        return self.result.dtype

    @property
    def launches(self) -> bool:
        """Whether the device has something to do."""
        return not self.is_view

    def __str__(self) -> str:
        given = "; ".join((*map(str, self.operands), *self.arguments))
        return f"{self.name}({given}) → {self.result}"


class _Listing(TorchDispatchMode):
    """Keep every call that is made inside."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch annotates this one in part
        self.calls: list[AtenCall] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor):
            self.calls.append(_call(func, result, pytree.tree_flatten((args, kwargs))[0]))
        return result


def _call(func: Any, result: Tensor, given: list[Any]) -> AtenCall:
    shape = tuple(result.shape) if torch.Tag.pointwise in func.tags else ()
    return AtenCall(
        name=str(func).removeprefix("aten.").removesuffix(".default"),
        is_view=func.is_view or torch.Tag.inplace_view in func.tags,
        device=result.device.type,
        result=_as_read(result),
        operands=tuple(
            _as_read(argument, shape) for argument in given if isinstance(argument, Tensor)
        ),
        arguments=tuple(str(argument) for argument in given if not isinstance(argument, Tensor)),
    )


def _as_read(tensor: Tensor, shape: tuple[int, ...] = ()) -> Operand:
    """Return a tensor as it is read if its dimensions of size 1 are repeated to a shape."""
    missing = max(0, len(shape) - tensor.dim())
    sizes = (*[1] * missing, *tensor.shape)
    steps = (*[0] * missing, *tensor.stride())
    stride = tuple(0 if size == 1 else step for size, step in zip(sizes, steps, strict=True))
    return Operand(shape or tuple(sizes), stride, dtype_name(tensor))


def listed_calls(run: Callable[[], object]) -> list[AtenCall]:
    """Return the calls that `run` makes, in order."""
    listing = _Listing()
    with listing:
        run()
    return listing.calls


def multiply_calls(scale: Scale, case: Case, device: str = "cuda") -> list[AtenCall]:
    """Return the calls of one way of scaling, on tensors of this device without memory."""
    with _fake(device) as empty:
        x = empty(case.shape, case.dtype, case.memory_format)
        gate = empty((*case.shape[:2], 1, 1), case.gate_dtype or case.dtype)
        return listed_calls(lambda: scale(x, gate))


def block_calls(scale: str, case: Case, device: str = "cuda") -> list[AtenCall]:
    """Return the calls of an SE block's forward pass, on tensors of this device without memory.

    A block whose case has another gate dtype runs under autocast to it, by the device's policy.
    """
    with torch.device("meta"):
        block = SEBlock(case.shape[1], case.reduction, scale).eval()
    with _fake(device) as empty:
        weights = {
            name: empty(tuple(parameter.shape), case.dtype)
            for name, parameter in block.named_parameters()
        }
        x = empty(case.shape, case.dtype, case.memory_format)
        with _autocast_policy(device, case.gate_dtype):
            return listed_calls(lambda: torch.func.functional_call(block, weights, (x,)))


@contextmanager
def _autocast_policy(device: str, dtype: str | None) -> Iterator[None]:
    """Cast as autocast does for a device; `torch.autocast` refuses it without that device."""
    if dtype is None:
        yield
        return
    before = torch.is_autocast_enabled(device), torch.get_autocast_dtype(device)
    torch.set_autocast_enabled(device, True)
    torch.set_autocast_dtype(device, getattr(torch, dtype))
    try:
        yield
    finally:
        torch.clear_autocast_cache()
        torch.set_autocast_enabled(device, before[0])
        torch.set_autocast_dtype(device, before[1])


@contextmanager
def _fake(device: str) -> Iterator[Callable[..., Tensor]]:
    """Give a maker of tensors without memory; gradients are off: they would need the device."""

    def empty(
        shape: tuple[int, ...], dtype: str, memory_format: MemoryFormat = "contiguous"
    ) -> Tensor:
        layout, kind = FORMATS[memory_format], getattr(torch, dtype)
        return torch.empty(shape, dtype=kind, device=device, memory_format=layout)

    with FakeTensorMode(), PastTheBindings(), torch.no_grad():
        yield empty


def launches(calls: list[AtenCall]) -> int:
    """Count the calls that launch a kernel."""
    return len(launching(calls))


def launching(calls: list[AtenCall]) -> tuple[str, ...]:
    """Return the calls that launch a kernel: name, arguments, shapes, strides and dtypes."""
    return tuple(str(call) for call in calls if call.launches)


def backward_calls(scale: Scale, case: Case) -> list[AtenCall]:
    """Return the calls of one way of scaling forward and backward, on the device `meta`.

    Autograd requests the device's stream, which a missing device cannot give and `meta` does
    not need; what it then calls is the same for every device.
    """
    kind = getattr(torch, case.dtype)
    x = torch.empty(
        case.shape, dtype=kind, device="meta", memory_format=FORMATS[case.memory_format]
    ).requires_grad_()
    gate_kind = getattr(torch, case.gate_dtype or case.dtype)
    gate = torch.empty((*case.shape[:2], 1, 1), dtype=gate_kind, device="meta", requires_grad=True)
    upstream = torch.empty_like(x)
    return listed_calls(lambda: scale(x, gate).backward(upstream))
