"""What the launches are compared in: every layout, dtype pair and shape family of other chapters.

Only sizes, strides, offsets and dtypes matter, so a setting holds CPU tensors that are laid out
as the others should be; a tensor that no memory could hold is expanded from one element.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

import torch
from torch import Tensor

from investigation.evidence.kinds.gpus import LaunchFamily
from investigation.observe.equality import SHAPES
from investigation.observe.gradients import DIFFERENTIABLE, UPSTREAM
from investigation.observe.layout import (
    AMBIGUOUS,
    EMPTY,
    GATES,
    INPUTS,
    NARROW_GATE,
    ORDINARY,
    Sizes,
    cast_as_it_lies,
)
from investigation.subject.dtypes import DTYPES
from investigation.subject.torch_formats import FORMATS

# What CUDA's `mul` takes: BinaryMulKernel.cu, all types and complex ones and these.
MULTIPLIED = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32",
    "float64", "complex32", "complex64", "complex128",
)  # fmt: skip
# More elements than 32 bits count, and fewer whose bytes they do not.
LARGE: tuple[Sizes, ...] = ((64, 512, 256, 257), (3, 1024, 512, 512))


@dataclass(frozen=True)
class Setting:
    """One input and gate; `upstream` are the gradients from above, by name, for a backward pass."""

    family: LaunchFamily
    name: str
    x: Tensor
    gate: Tensor
    upstream: Mapping[str, Tensor]

    @property
    def dtypes(self) -> tuple[str, str]:
        """The names of both dtypes."""
        return _name(self.x.dtype), _name(self.gate.dtype)


def settings(families: Iterable[LaunchFamily], seed: int) -> Iterator[Setting]:
    """Iterate over everything that is tried in some families."""
    generator = torch.Generator().manual_seed(seed)
    for family in families:
        yield from FAMILIES[family](generator)


def _ordinary(generator: torch.Generator) -> Iterator[Setting]:
    return _layouts("ordinary", (ORDINARY,), generator)


def _ambiguous(generator: torch.Generator) -> Iterator[Setting]:
    return _layouts("ambiguous", AMBIGUOUS, generator)


def _layouts(
    family: LaunchFamily,
    sizes: tuple[Sizes, ...],
    generator: torch.Generator,
) -> Iterator[Setting]:
    for size, (input_layout, make_x), (gate_layout, make_gate) in product(
        sizes, INPUTS.items(), GATES.items()
    ):
        x, gate, gradient = make_x(size, generator), make_gate(size, generator), torch.zeros(size)
        yield Setting(
            family, f"{size}: input {input_layout}, gate {gate_layout}", x, gate,
            {name: lay_out(gradient) for name, lay_out in UPSTREAM.items()},
        )  # fmt: skip


def _narrow_gate(generator: torch.Generator) -> Iterator[Setting]:
    """Iterate over every pairing of layouts, forward only: dtypes are what gradients differ by."""
    for setting in _layouts("narrow_gate", (ORDINARY, *AMBIGUOUS), generator):
        yield replace(setting, gate=cast_as_it_lies(setting.gate, NARROW_GATE), upstream={})


def _empty(generator: torch.Generator) -> Iterator[Setting]:
    """Iterate over inputs without elements: nothing is launched, whatever the gate's layout."""
    for size, (name, make) in product(EMPTY, INPUTS.items()):
        gate = GATES["contiguous"](size, generator)
        yield Setting("empty", f"{size}: input {name}", make(size, generator), gate, {})


def _volumes(_: torch.Generator) -> Iterator[Setting]:
    formats = (torch.contiguous_format, torch.channels_last_3d)
    for input_format, gate_format in product(formats, repeat=2):
        x = torch.zeros(2, 3, 4, 5, 6).contiguous(memory_format=input_format)
        gate = torch.zeros(2, 3, 1, 1, 1).contiguous(memory_format=gate_format)
        yield Setting(
            "volumes", f"input {input_format}, gate {gate_format}", x, gate, {str(input_format): x}
        )


def _large(_: torch.Generator) -> Iterator[Setting]:
    for size, (name, memory_format) in product(LARGE, FORMATS.items()):
        strides = torch.empty(size, device="meta").contiguous(memory_format=memory_format).stride()
        x = torch.empty_strided(size, strides, device="meta")
        gate = torch.empty(*size[:2], 1, 1, device="meta")
        yield Setting("large", f"{size}, {name}", x, gate, {name: x})


def _dtypes(_: torch.Generator) -> Iterator[Setting]:
    for input_dtype, gate_dtype in product(MULTIPLIED, repeat=2):
        backward = {input_dtype, gate_dtype} <= set(DIFFERENTIABLE)
        for shape, (name, memory_format) in product(SHAPES, FORMATS.items()):
            x = torch.empty(shape, dtype=DTYPES[input_dtype], device="meta")
            x = x.contiguous(memory_format=memory_format)
            gate = torch.empty((*shape[:2], 1, 1), dtype=DTYPES[gate_dtype], device="meta")
            upstream = {"contiguous": torch.empty(shape, device="meta")} if backward else {}
            yield Setting(
                "dtypes", f"{input_dtype} × {gate_dtype}: {shape}, {name}", x, gate, upstream
            )


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


FAMILIES: Mapping[LaunchFamily, Callable[[torch.Generator], Iterator[Setting]]] = {
    "ordinary": _ordinary,
    "ambiguous": _ambiguous,
    "narrow_gate": _narrow_gate,
    "volumes": _volumes,
    "empty": _empty,
    "large": _large,
    "dtypes": _dtypes,
}
