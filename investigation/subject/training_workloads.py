"""What is timed of training, as pairs of callables: a network's step, and the scale step alone."""

from collections.abc import Callable
from functools import partial

import torch

from investigation.subject import workloads
from investigation.subject.cases import Case
from investigation.subject.memory_formats import MemoryFormat
from investigation.subject.training import SETTINGS, Images, host, optimizer_of, step
from investigation.subject.variants import SCALES
from investigation.subject.workloads import (
    Arms,
    Makers,
    Recipe,
    Step,
    made_with,
    recipes_by_format,
    sharing,
    slots,
)


def training_arms(
    batch: int, memory_format: MemoryFormat, baseline: str, candidate: str, seed: int = 0
) -> Arms:
    """Return two callables that run a training step of one host network on the same images.

    A step is forward, loss, backward and optimizer; each call trains the network on.
    """
    trained = training_step(batch, memory_format, seed)
    return sharing(trained.network, baseline, candidate, trained.run)


def training_step(batch: int, memory_format: MemoryFormat, seed: int = 0) -> Step:
    """Return the host network's training step, with the plain product in its SE blocks."""
    data, setting = random_images(batch, memory_format, seed), SETTINGS[memory_format]
    network = host(SCALES["broadcast"], setting, seed)
    run = partial(step, network, optimizer_of(network), data, setting)
    return Step(network, run, slots(batch, memory_format))


def random_images(
    batch: int, memory_format: MemoryFormat, seed: int, device: str = "cpu"
) -> Images:
    """Return images `(batch, 3, 32, 32)` of the host network's own size, and classes for them."""
    images = workloads.random_images(batch, memory_format, seed, device)
    generator = torch.Generator().manual_seed(seed)
    return Images(images, torch.randint(10, (batch,), generator=generator).to(device))


def replicated_training(batch: int, memory_format: MemoryFormat, seed: int) -> Arms:
    """Return `training_arms`, broadcast as the baseline, for a fresh process."""
    return training_arms(batch, memory_format, "broadcast", "expand_as", seed)


def training_recipes(batch: int, seed: int) -> dict[str, Recipe]:
    """Return `replicated_training` and its arguments as JSON, by memory format."""
    return recipes_by_format(replicated_training, batch, seed)


def scale_step_makers(case: Case, baseline: str, candidate: str) -> Makers:
    """Return makers of two callables that run the scale step alone, forward and backward."""
    x, gate = (tensor.requires_grad_() for tensor in case.tensors())
    upstream = torch.ones_like(x, requires_grad=False)

    def step_of(scale: str) -> Callable[..., object]:
        def run(x: torch.Tensor, gate: torch.Tensor, upstream: torch.Tensor) -> object:
            return torch.autograd.grad(SCALES[scale](x, gate), (x, gate), upstream)

        return run

    return Makers(*(made_with(step_of(form), x, gate, upstream) for form in (baseline, candidate)))
