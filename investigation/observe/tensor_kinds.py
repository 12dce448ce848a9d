"""Tensors of other kinds than a dense one, and gates of other ranks: which form accepts them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from investigation.evidence.observation import Form
from investigation.observe.acceptance import GATES, outcome
from investigation.observe.equality import alike
from investigation.subject.variants import Scale, broadcast, expand_as

Operands = tuple[Tensor, Tensor]
FORMS: Mapping[Form, Scale] = {"expand_as": expand_as, "broadcast": broadcast}


def _dense(generator: torch.Generator) -> Operands:
    return (
        torch.randn(2, 3, 4, 5, generator=generator),
        torch.rand(2, 3, 1, 1, generator=generator),
    )


def _complex(generator: torch.Generator) -> Operands:
    return (
        torch.randn(2, 3, 4, 5, generator=generator, dtype=torch.complex64),
        torch.randn(2, 3, 1, 1, generator=generator, dtype=torch.complex64),
    )


def _jagged(generator: torch.Generator) -> Operands:
    """Return two images of different size, an element a row, and a gate for each channel."""
    images = [torch.randn(size, 3, generator=generator) for size in (20, 10)]
    gate = torch.rand(2, 1, 3, generator=generator)
    return torch.nested.nested_tensor(images, layout=torch.jagged), gate


def _nested(generator: torch.Generator) -> Operands:
    images = [torch.randn(3, 4, size, generator=generator) for size in (5, 2)]
    gates = [torch.rand(3, 1, 1, generator=generator) for _ in images]
    return torch.nested.nested_tensor(images), torch.nested.nested_tensor(gates)


def _sparse(generator: torch.Generator) -> Operands:
    x, gate = _dense(generator)
    return torch.where(x > 0, x, 0).to_sparse(), gate


def _sparse_rows(generator: torch.Generator) -> Operands:
    x, _ = _dense(generator)
    return torch.where(x > 0, x, 0)[0, 0].to_sparse_csr(), torch.rand(4, 1, generator=generator)


def _mkldnn(generator: torch.Generator) -> Operands:
    x, gate = _dense(generator)
    return x.to_mkldnn(), gate.to_mkldnn()


# A kind of tensor, its operands, and what maps the form over a dimension, if anything does.
KINDS: Mapping[str, tuple[Callable[[torch.Generator], Operands], Callable[[Scale], Scale]]] = {
    "complex": (_complex, lambda scale: scale),
    "mapped by vmap": (_dense, torch.func.vmap),
    "sparse, dense gate": (_sparse, lambda scale: scale),
    "sparse rows (CSR), a gate a row": (_sparse_rows, lambda scale: scale),
    "nested, jagged": (_jagged, lambda scale: scale),
    "nested, strided": (_nested, lambda scale: scale),
    "mkldnn": (_mkldnn, lambda scale: scale),
}


@dataclass(frozen=True)
class KindResult:
    """What became of one kind of tensor in each form: a refusal's first line, None if it ran.

    `same` is whether both results are alike in bits and strides, None if a form refused.
    """

    refusals: Mapping[Form, str | None]
    same: bool | None


def compare_kind(kind: str, seed: int) -> KindResult:
    """Scale one of `KINDS` in both forms."""
    make, mapped = KINDS[kind]
    x, gate = make(torch.Generator().manual_seed(seed))
    outputs: dict[Form, Tensor] = {}
    refusals: dict[Form, str | None] = {}
    for form, scale in FORMS.items():
        try:
            outputs[form] = mapped(scale)(x, gate)
            refusals[form] = None
        except (RuntimeError, TypeError) as refusal:
            refusals[form] = (str(refusal).splitlines() or [type(refusal).__name__])[0]
    both = outputs.values() if len(outputs) == len(FORMS) else None
    return KindResult(refusals, None if both is None else _alike(*map(_parts, both)))


def _parts(tensor: Tensor) -> tuple[Tensor, ...]:
    """Return the dense tensors that a tensor of any kind consists of."""
    if tensor.is_nested:
        return tuple(tensor.unbind())
    return (tensor if tensor.layout == torch.strided else tensor.to_dense(),)


def _alike(tensors: tuple[Tensor, ...], other: tuple[Tensor, ...]) -> bool:
    return len(tensors) == len(other) and all(map(alike, tensors, other))


def compare_ranks(seed: int) -> dict[tuple[int, ...], bool]:
    """Compare the bits and strides of both forms for each gate shape that both accept.

    The shapes are those of `acceptance`, as NumPy's rules broadcast them; each is tried with one
    dtype and with a `bfloat16` gate. True if both are alike.
    """
    generator = torch.Generator().manual_seed(seed)
    alike_by_shape: dict[tuple[int, ...], bool] = {}
    for x_shape, gate_shape, _ in GATES:
        if all(outcome(scale, x_shape, gate_shape).accepted for scale in FORMS.values()):
            x, gate = (torch.randn(shape, generator=generator) for shape in (x_shape, gate_shape))
            pairs = (
                (expand_as(x, gate_of_dtype), broadcast(x, gate_of_dtype))
                for gate_of_dtype in (gate, gate.bfloat16())
            )
            alike_by_shape[gate_shape] = all(alike(*pair) for pair in pairs)
    return alike_by_shape
