"""The levels that are timed: two callables over the same operands, or two that are made anew.

Makers are for comparing two programs (`timing.preparations`): each call returns the program over
operands of its own. Arms share what they can and differ in the line alone; a whole network's are
made anew by fresh processes.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from investigation.subject.cases import Case, host_workloads
from investigation.subject.host import HostNetwork
from investigation.subject.memory_formats import MEMORY_FORMATS, MemoryFormat
from investigation.subject.torch_formats import FORMATS
from investigation.subject.variants import SCALES, Scale, SEBlock

IMAGE = (3, 32, 32)
Arms = tuple[Callable[[], object], Callable[[], object]]
Maker = Callable[[], Callable[[], object]]


class Makers(NamedTuple):
    """Two functions that make the arms anew, each call with operands of their own."""

    baseline: Maker
    candidate: Maker


def made_with(function: Callable[..., object], *operands: Tensor) -> Maker:
    """Return a maker of `function` over copies of `operands`, laid out alike."""

    def make() -> Callable[[], object]:
        copies = (
            operand.detach().clone().requires_grad_(operand.requires_grad) for operand in operands
        )
        return partial(function, *copies)

    return make


# What a fresh process makes: a function at the top of a module, and its arguments as JSON.
Recipe = tuple[Callable[..., Arms | Makers], dict[str, object]]


@dataclass(frozen=True)
class Step:
    """A network, a callable that runs a step of it, and the inputs of its SE blocks in order."""

    network: nn.Module
    run: Callable[[], object]
    slots: tuple[Case, ...]


def multiply_arms(case: Case, baseline: str, candidate: str, device: str = "cpu") -> Arms:
    """Return two callables that scale the same input by the same gate."""
    x, gate = case.tensors(device)
    return partial(SCALES[baseline], x, gate), partial(SCALES[candidate], x, gate)


def multiply_makers(case: Case, baseline: str, candidate: str, device: str = "cpu") -> Makers:
    """Return makers of two callables that scale an input of their own by a gate of their own."""
    operands = case.tensors(device)
    return Makers(*(made_with(SCALES[form], *operands) for form in (baseline, candidate)))


def block_makers(case: Case, baseline: str, candidate: str, device: str = "cpu") -> Makers:
    """Return makers of two callables that run an SE block of their own, with the same weights."""
    x, _ = case.tensors(device)
    torch.manual_seed(case.seed)
    block = SEBlock(case.shape[1], case.reduction).to(device).eval()

    def maker(scale: str) -> Maker:
        def make() -> Callable[[], object]:
            own = deepcopy(block)
            own.scale = SCALES[scale]
            return partial(own, x.clone())

        return make

    return Makers(maker(baseline), maker(candidate))


def network_arms(
    batch: int,
    memory_format: MemoryFormat,
    baseline: str,
    candidate: str,
    seed: int = 0,
    device: str = "cpu",
) -> Arms:
    """Return two callables that run one host network's forward step, each with its own line."""
    step = forward_step(batch, memory_format, seed, device)
    return sharing(step.network, baseline, candidate, step.run)


def forward_step(
    batch: int, memory_format: MemoryFormat, seed: int = 0, device: str = "cpu"
) -> Step:
    """Return the host network's forward step, with the plain product in its SE blocks."""
    images = random_images(batch, memory_format, seed, device)
    network = host_network("broadcast", memory_format, seed, device)
    return Step(network, partial(network, images), slots(batch, memory_format))


def slots(batch: int, memory_format: MemoryFormat) -> tuple[Case, ...]:
    """Return the inputs of the host network's SE blocks."""
    return tuple(case.with_format(memory_format) for case in host_workloads(batch))


def recalibration_makers(
    batch: int, memory_format: MemoryFormat, scale: str, seed: int = 0, device: str = "cpu"
) -> Makers:
    """Return makers: the host network's forward step without SE blocks, and with them."""
    images = random_images(batch, memory_format, seed, device)

    def maker(within: str | None) -> Maker:
        network = host_network(within, memory_format, seed, device)
        return lambda: partial(deepcopy(network), images.clone())

    return Makers(maker(None), maker(scale))


def random_images(
    batch: int, memory_format: MemoryFormat, seed: int, device: str = "cpu"
) -> Tensor:
    """Return images `(batch, 3, 32, 32)`, the host network's own size."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(batch, *IMAGE, generator=generator).to(device)
    return images.contiguous(memory_format=FORMATS[memory_format])


def host_network(
    scale: str | None, memory_format: MemoryFormat, seed: int, device: str = "cpu"
) -> nn.Module:
    """Return a host network of seeded weights for inference; None leaves the SE blocks out."""
    torch.manual_seed(seed)
    network = HostNetwork(scale).to(device).eval()
    # The stub of `to` has no memory format; the method has.
    return network.to(memory_format=FORMATS[memory_format])  # type: ignore[call-overload, no-any-return]


def sharing(module: nn.Module, baseline: str, candidate: str, run: Callable[[], object]) -> Arms:
    """Return `run` twice, each call with a scale step of its own in every SE block of `module`."""
    # A module's own assignment looks through its parameters first, which would be timed.
    blocks = [vars(submodule) for submodule in module.modules() if isinstance(submodule, SEBlock)]

    def with_scale(scale: Scale) -> object:
        for block in blocks:
            block["scale"] = scale
        return run()

    return partial(with_scale, SCALES[baseline]), partial(with_scale, SCALES[candidate])


def after_a_sweep(makers: Makers, elements: int = 2**22) -> Makers:
    """Return makers of the same two, each behind a pass over memory that fills the caches.

    `elements` of float32 are read and written once, as a large multiply would.
    """
    memory = torch.zeros(elements)

    def behind(make: Maker) -> Maker:
        return lambda: partial(_swept, memory, make())

    return Makers(behind(makers.baseline), behind(makers.candidate))


def _swept(memory: Tensor, call: Callable[[], object]) -> object:
    memory.add_(1)
    return call()


def replicated_multiply(case: dict[str, object], baseline: str, candidate: str) -> Makers:
    """Return `multiply_makers` of a case given as JSON, for a fresh process."""
    return multiply_makers(Case.model_validate(case), baseline, candidate)


def multiply_recipe(case: Case, baseline: str, candidate: str) -> Recipe:
    """Return `replicated_multiply` and its arguments as JSON."""
    named = {"baseline": baseline, "candidate": candidate}
    return replicated_multiply, {"case": case.model_dump(mode="json"), **named}


def network_recipes(batch: int, seed: int) -> dict[str, Recipe]:
    """Return `replicated_network` and its arguments as JSON, by memory format."""
    return recipes_by_format(replicated_network, batch, seed)


def recipes_by_format(
    make: Callable[..., Arms | Makers], batch: int, seed: int
) -> dict[str, Recipe]:
    """Return what a fresh process is to make of each memory format, and its arguments as JSON."""
    return {
        memory_format: (make, {"batch": batch, "memory_format": memory_format, "seed": seed})
        for memory_format in MEMORY_FORMATS
    }


def replicated_network(batch: int, memory_format: MemoryFormat, seed: int) -> Arms:
    """Return the network's two arms, broadcast as the baseline, for a fresh process."""
    return network_arms(batch, memory_format, "broadcast", "expand_as", seed)
