"""The ways in which training runs a block: one function each, from a block to its gradients."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import product

import torch
from torch import Tensor
from torch.func import functional_call, grad, jvp, vmap
from torch.utils.checkpoint import checkpoint

from investigation.observe.gradients import NamedTensors, TensorAgreement, agreements
from investigation.subject.memory_formats import MEMORY_FORMATS
from investigation.subject.torch_formats import FORMATS
from investigation.subject.variants import Scale, SEBlock

Way = Callable[[SEBlock, Tensor], NamedTensors]


def backward(block: SEBlock, x: Tensor) -> NamedTensors:
    """Run forward and backward, the input a part of the graph."""
    x = x.requires_grad_()
    output = block(x)
    output.square().sum().backward()
    assert x.grad is not None
    return {"output": output.detach(), "gradient of the input": x.grad, **_of_parameters(block)}


def detached(block: SEBlock, x: Tensor) -> NamedTensors:
    """Feed the block a detached input, so that the host before it learns nothing from it."""
    output = block(x.detach())
    output.square().sum().backward()
    return {"output": output.detach(), **_of_parameters(block)}


def detached_contiguous(block: SEBlock, x: Tensor) -> NamedTensors:
    """Feed it a detached input forced contiguous, as the code under investigation does."""
    return detached(block, x.detach().contiguous())


def frozen(block: SEBlock, x: Tensor) -> NamedTensors:
    """Train what lies before a block that is not trained itself."""
    x = x.requires_grad_()
    output = block.requires_grad_(False)(x)
    output.square().sum().backward()
    assert x.grad is not None
    return {"output": output.detach(), "gradient of the input": x.grad}


def double_backward(block: SEBlock, x: Tensor) -> NamedTensors:
    """Differentiate the size of the input's gradient, as a gradient penalty does."""
    x = x.requires_grad_()
    (first,) = torch.autograd.grad(block(x).square().sum(), x, create_graph=True)
    first.square().sum().backward()
    assert x.grad is not None
    return {
        "first gradient": first.detach(),
        "gradient of the input": x.grad,
        **_of_parameters(block),
    }


def checkpointed(block: SEBlock, x: Tensor, *, reentrant: bool) -> NamedTensors:
    """Keep nothing of the forward pass and run it again in the backward pass."""
    x = x.requires_grad_()
    output = checkpoint(block, x, use_reentrant=reentrant)
    output.square().sum().backward()
    assert x.grad is not None
    return {"output": output.detach(), "gradient of the input": x.grad, **_of_parameters(block)}


def _loss(block: SEBlock, parameters: Mapping[str, Tensor], x: Tensor) -> Tensor:
    return torch.as_tensor(functional_call(block, dict(parameters), (x,)).square().sum())


def func_grad(block: SEBlock, x: Tensor) -> NamedTensors:
    """Take the gradient of a pure function, by `torch.func.grad`."""
    of_parameters, of_input = grad(partial(_loss, block), argnums=(0, 1))(_parameters(block), x)
    return {"gradient of the input": of_input, **of_parameters}


def per_sample(block: SEBlock, x: Tensor) -> NamedTensors:
    """Take a gradient for each image of the batch, by `torch.func.vmap` over `grad`."""

    def loss(parameters: Mapping[str, Tensor], image: Tensor) -> Tensor:
        return _loss(block, parameters, image[None])

    return dict(vmap(grad(loss), in_dims=(None, 0))(_parameters(block), x))


def forward_mode(block: SEBlock, x: Tensor) -> NamedTensors:
    """Push a tangent forward, by `torch.func.jvp`."""
    output, tangent, *_ = jvp(block, (x,), (torch.ones_like(x),))
    return {"output": output.detach(), "tangent": tangent.detach()}


def autocast(
    block: SEBlock, x: Tensor, *, dtype: torch.dtype, input_dtype: torch.dtype
) -> NamedTensors:
    """Run the block under autocast, on an input that what comes before left in `input_dtype`."""
    with torch.autocast(x.device.type, dtype=dtype):
        x = x.to(input_dtype).requires_grad_()
        output = block(x)
    output.float().square().sum().backward()
    assert x.grad is not None
    return {"output": output.detach(), "gradient of the input": x.grad, **_of_parameters(block)}


def _of_parameters(block: SEBlock) -> dict[str, Tensor]:
    parameters = block.named_parameters()
    return {
        f"gradient of {name}": parameter.grad
        for name, parameter in parameters
        if parameter.grad is not None
    }


def _parameters(block: SEBlock) -> dict[str, Tensor]:
    return {name: parameter.detach() for name, parameter in block.named_parameters()}


# Input and gate share a dtype, and gradients are taken once.
WAYS: dict[str, Way] = {
    "backward": backward,
    "detached input": detached,
    "detached input, forced contiguous": detached_contiguous,
    "frozen block": frozen,
    "checkpointed": partial(checkpointed, reentrant=False),
    "checkpointed, reentrant": partial(checkpointed, reentrant=True),
    "torch.func.grad": func_grad,
    "torch.func.vmap of grad": per_sample,
    "torch.func.jvp": forward_mode,
    "autocast bfloat16": partial(autocast, dtype=torch.bfloat16, input_dtype=torch.bfloat16),
    "autocast float16": partial(autocast, dtype=torch.float16, input_dtype=torch.float16),
}
SECOND_WAYS: dict[str, Way] = {"double backward": double_backward}
# Autocast hands these blocks a gate that is narrower than their input.
MIXED_WAYS: dict[str, Way] = {
    "autocast bfloat16, float32 input": partial(
        autocast, dtype=torch.bfloat16, input_dtype=torch.float32
    ),
    "autocast float16, float32 input": partial(
        autocast, dtype=torch.float16, input_dtype=torch.float32
    ),
}


def compare_ways(
    baseline: Scale,
    candidate: Scale,
    ways: Mapping[str, Way],
    seed: int,
    shape: tuple[int, int, int, int] = (4, 8, 6, 6),
) -> Iterator[TensorAgreement]:
    """Compare an SE block between two scales, in every way and both memory formats."""
    for (name, way), memory_format in product(ways.items(), MEMORY_FORMATS):
        generator = torch.Generator().manual_seed(seed)
        x = torch.randn(shape, generator=generator).contiguous(memory_format=FORMATS[memory_format])
        yield from agreements(
            f"{name}, {memory_format}",
            way(_block(shape[1], baseline, seed), x.detach()),
            way(_block(shape[1], candidate, seed), x.detach()),
        )


def _block(channels: int, scale: Scale, seed: int) -> SEBlock:
    """Return a block of random weights: a fresh one has zeros, which hide differences."""
    generator = torch.Generator().manual_seed(seed)
    block = SEBlock(channels)
    block.scale = scale
    for parameter in block.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    return block
