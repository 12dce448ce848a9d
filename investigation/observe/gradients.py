"""Whether two forms of the scale step hand back the same gradients, bits and strides."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor

from investigation.observe.equality import SHAPES, same_bits
from investigation.observe.layout import GATES, INPUTS, Sizes
from investigation.subject.cases import Case
from investigation.subject.dtypes import DTYPES, dtype_name
from investigation.subject.torch_formats import FORMATS
from investigation.subject.variants import Scale

NamedTensors = Mapping[str, Tensor]
INPUT, GATE = "gradient of the input", "gradient of the gate"

# The gradient that comes from above, in the layouts in which a network hands it down; a sum
# hands down one number, expanded.
UPSTREAM: dict[str, Callable[[Tensor], Tensor]] = {
    "contiguous": lambda gradient: gradient,
    "channels_last": lambda gradient: gradient.contiguous(memory_format=torch.channels_last),
    "one number expanded": lambda gradient: gradient.flatten()[0].expand(gradient.shape),
}


@dataclass(frozen=True)
class TensorAgreement:
    """One tensor of a forward and backward pass, and whether it is alike in both forms."""

    setting: str
    tensor: str
    same_values: bool
    same_strides: bool

    @property
    def alike(self) -> bool:
        """Whether both forms agree in every bit and in how the elements lie."""
        return self.same_values and self.same_strides


def agreements(
    setting: str, expected: NamedTensors, actual: NamedTensors
) -> Iterator[TensorAgreement]:
    """Compare two passes, tensor by tensor. Raises `ValueError` if they name others."""
    if expected.keys() != actual.keys():
        raise ValueError(f"{setting}: {sorted(expected)} against {sorted(actual)}")
    for name, tensor in expected.items():
        other = actual[name]
        yield TensorAgreement(
            setting, name, same_bits(tensor, other), tensor.stride() == other.stride()
        )


def mirrored(x: Tensor, gate: Tensor) -> Tensor:
    """Scale the mirrored input and mirror back: a control that every comparison must detect.

    The product has the same bits; the gate's gradient is summed in the opposite order.
    """
    return (x.flip(-1) * gate).flip(-1)


def scale_gradients(scale: Scale, x: Tensor, gate: Tensor, upstream: Tensor) -> NamedTensors:
    """Return the output of `scale` and the gradients of both operands.

    `upstream` has the output's shape `(B, C, H, W)` and is cast to its dtype.
    """
    x, gate = x.detach().requires_grad_(), gate.detach().requires_grad_()
    output = scale(x, gate)
    output.backward(upstream.to(output.dtype))
    assert x.grad is not None
    assert gate.grad is not None
    return {"output": output.detach(), INPUT: x.grad, GATE: gate.grad}


def second_gradients(scale: Scale, x: Tensor, gate: Tensor) -> NamedTensors:
    """Return the gradients of the squared size of the input's gradient, by both operands.

    The loss is the squared size of the output, so the gate takes part twice: in the forward
    pass, and in the first backward pass.
    """
    x, gate = x.detach().requires_grad_(), gate.detach().requires_grad_()
    (first,) = torch.autograd.grad(scale(x, gate).square().sum(), x, create_graph=True)
    of_input, of_gate = torch.autograd.grad(first.square().sum(), (x, gate))
    return {INPUT: of_input, GATE: of_gate}


def whole_numbers(case: Case) -> tuple[Tensor, Tensor]:
    """Return an input and a gate of small whole numbers, whose sums need no rounding."""
    generator = torch.Generator().manual_seed(case.seed)
    x = torch.randint(-3, 4, case.shape, generator=generator).to(DTYPES[case.dtype])
    gate = torch.randint(1, 4, (*case.shape[:2], 1, 1), generator=generator)
    return x, gate.to(DTYPES[case.gate_dtype or case.dtype])


def compare_layouts(
    baseline: Scale, candidate: Scale, sizes: Sequence[Sizes], seed: int
) -> Iterator[TensorAgreement]:
    """Compare two scales' gradients over every input, gate and upstream layout, at every size."""
    generator = torch.Generator().manual_seed(seed)
    for size, (input_layout, make_x), (gate_layout, make_gate) in product(
        sizes, INPUTS.items(), GATES.items()
    ):
        x, gate = make_x(size, generator), make_gate(size, generator)
        for name, lay_out in UPSTREAM.items():
            upstream = lay_out(torch.randn(size, generator=generator))
            yield from agreements(
                f"{size}: input {input_layout}, gate {gate_layout}, upstream {name}",
                scale_gradients(baseline, x, gate, upstream),
                scale_gradients(candidate, x, gate, upstream),
            )


# What torch both multiplies and sums: complex32 it cannot sum, float8 it cannot multiply.
DIFFERENTIABLE = ("bfloat16", "float16", "float32", "float64", "complex64", "complex128")


@dataclass(frozen=True)
class DtypeGradients:
    """One pair of dtypes, and which tensors of a forward and backward pass differ in it."""

    input_dtype: str
    gate_dtype: str
    output_dtype: str
    differing: tuple[str, ...]

    @property
    def narrower_gate(self) -> bool:
        """Whether the gate's dtype is less precise than the product's."""
        gate, output = DTYPES[self.gate_dtype], DTYPES[self.output_dtype]
        return torch.finfo(gate).eps > torch.finfo(output).eps


def compare_dtypes(
    baseline: Scale, candidate: Scale, pairs: Iterable[tuple[str, str]], seed: int
) -> list[DtypeGradients]:
    """Compare two scales' gradients for each pair of input and gate dtype.

    Each pair is tried at every one of `equality.SHAPES`, contiguous and channels_last.
    """
    generator = torch.Generator().manual_seed(seed)
    return [_compare_pair(baseline, candidate, pair, generator) for pair in pairs]


def _compare_pair(
    baseline: Scale, candidate: Scale, pair: tuple[str, str], generator: torch.Generator
) -> DtypeGradients:
    differing: set[str] = set()
    for shape, memory_format in product(SHAPES, FORMATS.values()):
        x, gate, upstream = _operands(shape, pair, generator)
        x = x.contiguous(memory_format=memory_format)
        expected = scale_gradients(baseline, x, gate, upstream)
        actual = scale_gradients(candidate, x, gate, upstream)
        differing |= {
            agreement.tensor
            for agreement in agreements("", expected, actual)
            if not agreement.alike
        }
    return DtypeGradients(*pair, dtype_name(expected["output"]), tuple(sorted(differing)))


def _operands(
    shape: Sizes, pair: tuple[str, str], generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Return ordinary numbers: with NaN among them a sum would be NaN in both forms."""
    x = torch.randn(shape, generator=generator).to(DTYPES[pair[0]])
    gate = torch.rand((*shape[:2], 1, 1), generator=generator).to(DTYPES[pair[1]])
    return x, gate, torch.randn(shape, generator=generator)


def second_agreements(
    setting: str, scales: tuple[Scale, Scale], x: Tensor, gate: Tensor
) -> list[TensorAgreement]:
    """Compare the second gradients of two scales over the same operands."""
    expected, actual = (second_gradients(scale, x, gate) for scale in scales)
    return list(agreements(setting, expected, actual))


def gate_gradient_errors(
    scales: Mapping[str, Scale], case: Case, sizes: Sequence[float]
) -> dict[str, list[float]]:
    """Return `gate_gradient_error` of each scale, one a size of the gradient from above."""
    return {
        form: [gate_gradient_error(scale, case, size) for size in sizes]
        for form, scale in scales.items()
    }


def gate_gradient_error(scale: Scale, case: Case, size: float) -> float:
    """Return the relative error of the gate's gradient, root mean square, against float64.

    `size` is the standard deviation of the gradient that comes from above. The exact gradient
    is the sum of gradient times input over each plane, of the same rounded operands.
    """
    x, gate = case.tensors()
    generator = torch.Generator().manual_seed(case.seed + 1)
    upstream = size * torch.randn(case.shape, generator=generator)
    exact = (upstream.double() * x.double()).sum((2, 3), keepdim=True)
    got = scale_gradients(scale, x, gate, upstream)[GATE].double()
    return float((got - exact).norm() / exact.norm())
