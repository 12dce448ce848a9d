"""Torch's iterators as records: all of what a kernel is chosen and launched from."""

from collections.abc import Callable, Sequence
from functools import lru_cache

import torch
from pydantic import BaseModel, ConfigDict, TypeAdapter
from torch import Tensor


class Operand(BaseModel):
    """One operand of an iterator, outputs first.

    `address` is where its elements begin; the recording device hands addresses out in order, so
    an address also identifies the tensor. `stride_bytes` has one stride for each dimension of
    the iterator.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: int
    stride_bytes: tuple[int, ...]
    dtype: str
    element_bytes: int
    conjugated: bool
    storage_bytes: int


class Iterator(BaseModel):
    """What one kernel iterates over, its dimensions reordered and coalesced, the fastest first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    operation: str
    shape: tuple[int, ...]
    contiguous: bool
    fits_32_bits: bool
    accumulates: bool
    final_output: bool
    outputs: int
    reduced_dimensions: int
    common_dtype: str | None
    operands: tuple[Operand, ...]

    @property
    def elements(self) -> int:
        """How many elements are iterated over."""
        return torch.Size(self.shape).numel()


Launches = tuple[Iterator, ...]
ITERATORS = TypeAdapter(Launches)


class Result(BaseModel):
    """The layout of a result; torch can lay out the result of one launch in several ways."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: tuple[int, ...]
    stride: tuple[int, ...]
    offset: int
    dtype: str
    conjugated: bool


class Recorded(BaseModel):
    """What one call launched, in order, and the layouts of its results that have elements."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    launches: Launches
    results: tuple[Result, ...]


@lru_cache(maxsize=64)
def parsed(recorded: str) -> Launches:
    """Return iterators from JSON; two forms that record the same are read once."""
    return ITERATORS.validate_json(recorded)


def recorded(run: Callable[[], Sequence[Tensor]], address: int) -> Recorded:
    """Return what `run` launches; its tensors get addresses from `address` on."""
    torch.ops.launch.start_at(address)
    tensors = run()
    launched = parsed(torch.ops.launch.taken())
    return Recorded.model_construct(
        launches=launched, results=tuple(_result(tensor) for tensor in tensors if tensor.numel())
    )


def _result(tensor: Tensor) -> Result:
    return Result.model_construct(
        size=tuple(tensor.shape),
        stride=tensor.stride(),
        offset=int(tensor.storage_offset()),
        dtype=str(tensor.dtype).removeprefix("torch."),
        conjugated=tensor.is_conj(),
    )


def next_address() -> int:
    """Return the address from which the next tensor of the recording device is placed."""
    return int(torch.ops.launch.next())


def on_cpu(x: Tensor, gate: Tensor) -> Iterator:
    """Return the iterator of a product of CPU tensors; what it converts, it really converts."""
    return Iterator.model_validate_json(torch.ops.launch.on_cpu(x, gate))


def on_recorder(like: Tensor) -> Tensor:
    """Return a tensor of the recording device, laid out like another, with no memory behind."""
    tensor: Tensor = torch.ops.launch.make(
        like.shape, like.stride(), like.storage_offset(), like.dtype
    )
    return tensor
