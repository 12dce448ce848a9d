"""Input and gate layouts, and what each way of scaling makes of them."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from investigation.observe.equality import same_bits
from investigation.subject.memory_formats import MEMORY_FORMATS
from investigation.subject.variants import Scale, SEBlock

Sizes = tuple[int, int, int, int]
Make = Callable[[Sizes, torch.Generator], Tensor]


def _randn(sizes: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.randn(sizes, generator=generator)


def _channels_last(tensor: Tensor) -> Tensor:
    return tensor.contiguous(memory_format=torch.channels_last)


INPUTS: dict[str, Make] = {
    "contiguous": lambda s, g: _randn(s, g),
    "channels_last": lambda s, g: _channels_last(_randn(s, g)),
    "H and W transposed": lambda s, g: _randn((s[0], s[1], s[3], s[2]), g).transpose(2, 3),
    "B and C transposed": lambda s, g: _randn((s[1], s[0], s[2], s[3]), g).transpose(0, 1),
    "H, W, B, C in memory": lambda s, g: _randn((s[2], s[3], s[0], s[1]), g).permute(2, 3, 0, 1),
    "every 2nd channel": lambda s, g: _randn((s[0], 2 * s[1], s[2], s[3]), g)[:, ::2],
    "every 2nd channel, channels_last": lambda s, g: _channels_last(
        _randn((s[0], 2 * s[1], s[2], s[3]), g)
    )[:, ::2],
    "every 2nd column": lambda s, g: _randn((s[0], s[1], s[2], 2 * s[3]), g)[..., ::2],
    "cropped, channels_last": lambda s, g: _channels_last(
        _randn((s[0], s[1], s[2] + 2, s[3] + 2), g)
    )[:, :, 1 : s[2] + 1, 1 : s[3] + 1],
    "batch expanded": lambda s, g: _randn((1, *s[1:]), g).expand(s),
    "channels expanded": lambda s, g: _randn((s[0], 1, s[2], s[3]), g).expand(s),
    "one number expanded": lambda s, g: _randn((1, 1, 1, 1), g).expand(s),
}

# How the ticket's block makes its gate.
GATE_OF_THE_BLOCK = "reshaped from (B, C)"
GATES: dict[str, Make] = {
    "contiguous": lambda s, g: _randn((s[0], s[1], 1, 1), g),
    GATE_OF_THE_BLOCK: lambda s, g: _randn((s[0], s[1]), g).reshape(s[0], s[1], 1, 1),
    "channels_last": lambda s, g: _randn((s[0], s[1]), g).as_strided(
        (s[0], s[1], 1, 1), (s[1], 1, s[1], s[1])
    ),
    "transposed": lambda s, g: _randn((s[1], s[0]), g).t()[..., None, None],
    "every 2nd channel": lambda s, g: _randn((s[0], 2 * s[1], 1, 1), g)[:, ::2],
    "a pixel of a map": lambda s, g: _randn((s[0], s[1], 3, 3), g)[..., 1:2, 1:2],
    "a pixel of a channels_last map": lambda s, g: _channels_last(_randn((s[0], s[1], 3, 3), g))[
        ..., 1:2, 1:2
    ],
    "batch expanded": lambda s, g: _randn((1, s[1], 1, 1), g).expand(s[0], s[1], 1, 1),
    "channels expanded": lambda s, g: _randn((s[0], 1, 1, 1), g).expand(s[0], s[1], 1, 1),
}

# What autocast may hand to a block whose input is float32.
NARROW_GATE = torch.bfloat16

# An ordinary shape; every way for dimensions to be 1, which makes strides ambiguous.
ORDINARY: Sizes = (2, 3, 4, 5)
AMBIGUOUS: tuple[Sizes, ...] = tuple(
    sizes for sizes in product((1, 2), (1, 3), (1, 4), (1, 5)) if 1 in sizes
)
EMPTY: tuple[Sizes, ...] = tuple(
    sizes for sizes in product((0, 1, 2), (0, 1, 3), (0, 1, 4), (0, 1, 5)) if 0 in sizes
)


@dataclass(frozen=True)
class Layout:
    """A tensor's strides, the memory formats that they satisfy, and whether it has elements."""

    stride: tuple[int, ...]
    formats: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.stride} {' and '.join(self.formats) or 'neither format'}"


def layout(tensor: Tensor) -> Layout:
    """Return the layout of a 4-D or 5-D tensor."""
    last = torch.channels_last if tensor.dim() == 4 else torch.channels_last_3d
    formats = {"contiguous": torch.contiguous_format, str(last).removeprefix("torch."): last}
    held = [
        name for name, format_ in formats.items() if tensor.is_contiguous(memory_format=format_)
    ]
    return Layout(tensor.stride(), tuple(held))


@dataclass(frozen=True)
class LayoutPairing:
    """One input layout with one gate layout at one size, and what both scales made of it.

    The input is `float32`.
    """

    sizes: tuple[int, ...]
    input_layout: str
    gate_layout: str
    gate_dtype: torch.dtype
    baseline: Layout
    candidate: Layout
    same_values: bool

    @property
    def elements(self) -> int:
        """Number of elements of the output."""
        return torch.Size(self.sizes).numel()

    @property
    def same_layout(self) -> bool:
        """Whether both outputs have the same strides."""
        return self.baseline == self.candidate

    @property
    def of_the_block(self) -> bool:
        """Whether input and gate are laid out as in the ticket's block."""
        return self.gate_layout == GATE_OF_THE_BLOCK and self.input_layout in MEMORY_FORMATS

    @property
    def alike(self) -> bool:
        """Whether both outputs have the same strides and the same bits."""
        return self.same_layout and self.same_values


def compare_layouts(
    baseline: Scale,
    candidate: Scale,
    sizes: tuple[Sizes, ...],
    seed: int,
    gate_dtype: torch.dtype = torch.float32,
) -> Iterator[LayoutPairing]:
    """Compare two scales over every pairing of `INPUTS` and `GATES` at every size."""
    generator = torch.Generator().manual_seed(seed)
    for size, (input_layout, make_x), (gate_layout, make_gate) in product(
        sizes, INPUTS.items(), GATES.items()
    ):
        x, gate = make_x(size, generator), cast_as_it_lies(make_gate(size, generator), gate_dtype)
        names = input_layout, gate_layout
        yield _pairing(names, gate_dtype, baseline(x, gate), candidate(x, gate))


def cast_as_it_lies(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    """Return a tensor of another dtype with the same strides; `to` lays repeated ones out anew."""
    memory = tensor.as_strided((tensor.untyped_storage().nbytes() // tensor.itemsize,), (1,), 0)
    return memory.to(dtype).as_strided(tensor.shape, tensor.stride(), tensor.storage_offset())


def compare_volumes(baseline: Scale, candidate: Scale, seed: int) -> Iterator[LayoutPairing]:
    """Compare two scales on 5-D inputs `(B, C, D, H, W)`, contiguous and channels_last_3d."""
    generator = torch.Generator().manual_seed(seed)
    gate = torch.randn(2, 3, 1, 1, 1, generator=generator)
    for input_format in (torch.contiguous_format, torch.channels_last_3d):
        x = torch.randn(2, 3, 4, 5, 6, generator=generator).contiguous(memory_format=input_format)
        for gate_format in (torch.contiguous_format, torch.channels_last_3d):
            held = gate.contiguous(memory_format=gate_format)
            names = (
                str(input_format).removeprefix("torch."),
                str(gate_format).removeprefix("torch."),
            )
            yield _pairing(names, gate.dtype, baseline(x, held), candidate(x, held))


def compare_all(baseline: Scale, candidate: Scale, seed: int) -> dict[str, list[LayoutPairing]]:
    """Compare two scales in every group of shapes; `channels_last` selects from the others.

    The empty shapes are in no selection: their strides reach no element.
    """
    groups = {
        "ordinary": list(compare_layouts(baseline, candidate, (ORDINARY,), seed)),
        "ambiguous": list(compare_layouts(baseline, candidate, AMBIGUOUS, seed)),
        "volumes": list(compare_volumes(baseline, candidate, seed)),
        "empty": list(compare_layouts(baseline, candidate, EMPTY, seed)),
    }
    with_elements = groups["ordinary"] + groups["ambiguous"] + groups["volumes"]
    groups["channels_last"] = [
        pairing for pairing in with_elements if "channels_last" in pairing.input_layout
    ]
    return groups


def smallest(pairings: Iterable[LayoutPairing]) -> LayoutPairing | None:
    """Return the pairing with the fewest elements, then the smallest sizes; None for none."""
    return min(
        pairings,
        key=lambda pairing: (pairing.elements, sum(pairing.sizes), pairing.sizes),
        default=None,
    )


def largest_empty_batch(pairings: Iterable[LayoutPairing]) -> LayoutPairing | None:
    """Return the pairing with no images whose other sizes are largest; None if there is none."""
    batches = (
        pairing for pairing in pairings if pairing.sizes[0] == 0 and 0 not in pairing.sizes[1:]
    )
    return max(batches, key=lambda pairing: (sum(pairing.sizes), pairing.sizes), default=None)


@dataclass(frozen=True)
class Convolved:
    """A product, and the shape and layout that a 3×3 convolution returns for it."""

    product: Layout
    shape: tuple[int, ...]
    returned: Layout


def convolved(pairing: LayoutPairing, scale: Scale, seed: int) -> Convolved:
    """Hand the product of a 4-D pairing to a convolution whose weights are contiguous."""
    sizes = (pairing.sizes[0], pairing.sizes[1], pairing.sizes[2], pairing.sizes[3])
    convolution = torch.nn.Conv2d(sizes[1], 4, 3, padding=1)
    generator = torch.Generator().manual_seed(seed)
    x = INPUTS[pairing.input_layout](sizes, generator)
    gate = cast_as_it_lies(GATES[pairing.gate_layout](sizes, generator), pairing.gate_dtype)
    product_ = scale(x, gate)
    returned = convolution(product_)
    return Convolved(layout(product_), tuple(returned.shape), layout(returned))


def convolved_otherwise(
    pairings: Iterable[LayoutPairing], baseline: Scale, candidate: Scale, seed: int
) -> list[LayoutPairing]:
    """Return the pairings after which a convolution's layout depends on the scale."""
    return [
        pairing
        for pairing in pairings
        if convolved(pairing, baseline, seed).returned
        != convolved(pairing, candidate, seed).returned
    ]


def _pairing(
    names: tuple[str, str], gate_dtype: torch.dtype, expected: Tensor, actual: Tensor
) -> LayoutPairing:
    return LayoutPairing(
        tuple(expected.shape), *names, gate_dtype, layout(expected), layout(actual),
        same_bits(expected, actual),
    )  # fmt: skip


@dataclass(frozen=True)
class BlockTensor:
    """One tensor of an SE block's forward or backward, and whether it is alike in both forms."""

    setting: str
    tensor: str
    baseline: Layout
    same_layout: bool
    same_values: bool


def compare_blocks(
    baseline: str,
    candidate: str,
    memory_format: torch.memory_format,
    detached: bool,
    seed: int,
    sizes: Sizes = (4, 8, 6, 6),
) -> Iterator[BlockTensor]:
    """Compare an SE block's output and every gradient between two scales.

    `detached` feeds the block a detached copy of the input, as training may.
    """
    setting = str(memory_format).removeprefix("torch.") + (", detached" if detached else "")
    expected = _block_tensors(baseline, memory_format, detached, seed, sizes)
    actual = _block_tensors(candidate, memory_format, detached, seed, sizes)
    for name, tensor in expected.items():
        other = actual[name]
        same_layout = tensor.stride() == other.stride()
        # A bias has no 4-D memory format; its strides are all there is to compare.
        layout_here = layout(tensor) if tensor.dim() == 4 else Layout(tensor.stride(), ())
        yield BlockTensor(setting, name, layout_here, same_layout, same_bits(tensor, other))


def _block_tensors(
    scale: str, memory_format: torch.memory_format, detached: bool, seed: int, sizes: Sizes
) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    block = SEBlock(sizes[1], scale=scale)
    for parameter in block.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    x = torch.randn(sizes, generator=generator).contiguous(memory_format=memory_format)
    x = (x.requires_grad_().detach() if detached else x).requires_grad_()
    output = block(x)
    output.square().sum().backward()
    assert x.grad is not None
    gradients = {
        f"gradient of {name}": parameter.grad for name, parameter in block.named_parameters()
    }
    return {"output": output.detach(), "gradient of the input": x.grad, **gradients}
