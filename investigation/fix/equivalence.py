"""Whether two texts of one program compute the same: outputs, strides, gradients, inputs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from investigation.observe.equality import alike
from investigation.subject.torch_formats import FORMATS

Tensors = Mapping[str, Tensor]


def execute(text: str) -> dict[str, Any]:
    """Run a program's text and return the names that it defines."""
    names: dict[str, Any] = {"__name__": "program"}
    exec(compile(text, "<program>", "exec"), names)
    return names


def trace(
    run: Callable[..., object], inputs: Tensors, weights: Tensors, seed: int = 0
) -> dict[str, Tensor]:
    """Return all that a call leaves behind: outputs, inputs afterwards, and every gradient.

    `run` gets the inputs by name, each as a copy that is no leaf, so that it may write to it.
    Gradients are those of the outputs, weighted at random, to inputs and `weights`.
    """
    leaves = {name: _leaf(input_) for name, input_ in inputs.items()}
    given = {name: leaf.clone() for name, leaf in leaves.items()}
    outputs = dict(_tensors("output", run(**given)))
    afterwards = {f"{name} afterwards": tensor for name, tensor in given.items()}
    gradients = _gradients(outputs, {**leaves, **weights}, seed)
    return {
        name: tensor.detach() for name, tensor in {**outputs, **afterwards, **gradients}.items()
    }


def _leaf(tensor: Tensor) -> Tensor:
    return tensor.detach().requires_grad_(tensor.is_floating_point())


def _tensors(name: str, result: object) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors in what a call returned, with a name each."""
    if isinstance(result, Tensor):
        yield name, result
    elif isinstance(result, Sequence):
        for index, part in enumerate(result):
            yield from _tensors(f"{name} {index}", part)
    else:
        raise TypeError(f"{name}: a tensor or a sequence of them was expected, not {result!r}")


def _gradients(outputs: Tensors, leaves: Tensors, seed: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    ends = [output for output in outputs.values() if output.requires_grad]
    starts = {name: leaf for name, leaf in leaves.items() if leaf.requires_grad}
    if not (ends and starts):
        return {}
    upstream = [torch.randn(end.shape, generator=generator).to(end.dtype) for end in ends]
    gradients = torch.autograd.grad(ends, list(starts.values()), upstream, allow_unused=True)
    pairs = zip(starts, gradients, strict=True)
    return {f"gradient of {name}": gradient for name, gradient in pairs if gradient is not None}


def differing(expected: Tensors, actual: Tensors) -> list[str]:
    """Return the names of what differs in shape, dtype, bits or strides, or is missing."""
    return [
        name
        for name in dict.fromkeys((*expected, *actual))
        if name not in expected or name not in actual or not alike(expected[name], actual[name])
    ]


def module_differences(before: str, after: str, name: str, sizes: Sequence[int]) -> dict[str, int]:
    """Compare two texts of the module `name` on an input `(B, C, H, W)` in each memory format.

    Both are made with `C` channels and the same weights. Returns for each tensor that differs
    in how many memory formats it does, and under "tensors" how many were compared.
    """
    counts = {"tensors": 0}
    for memory_format in FORMATS.values():
        x = torch.randn(*sizes, generator=torch.Generator().manual_seed(0))
        x = x.contiguous(memory_format=memory_format)
        expected, actual = (_module_trace(text, name, x) for text in (before, after))
        counts["tensors"] += len(expected)
        for difference in differing(expected, actual):
            counts[difference] = counts.get(difference, 0) + 1
    return counts


def _module_trace(text: str, name: str, x: Tensor) -> Tensors:
    torch.manual_seed(0)
    module: nn.Module = execute(text)[name](x.shape[1])
    return trace(lambda x: module(x), {"x": x}, dict(module.named_parameters()))
