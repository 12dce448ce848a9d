"""The three levels that are timed, as pairs of callables over the same tensors and weights.

The arms share what they can, and differ in the line alone: two copies of one network differ by
some tenths of a per cent for where their weights happen to lie, always in favour of the same one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from investigation.subject.cases import Case, host_workloads
from investigation.subject.host import HostNetwork
from investigation.subject.memory_formats import MemoryFormat
from investigation.subject.torch_formats import FORMATS
from investigation.subject.variants import SCALES, Scale, SEBlock

IMAGE = (3, 32, 32)
Arms = tuple[Callable[[], object], Callable[[], object]]


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


def block_arms(case: Case, baseline: str, candidate: str, device: str = "cpu") -> Arms:
    """Return two callables that run one SE block on the same input, each with its own last line."""
    x, _ = case.tensors(device)
    torch.manual_seed(case.seed)
    block = SEBlock(case.shape[1], case.reduction).to(device).eval()
    return sharing(block, baseline, candidate, partial(block, x))


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
    return tuple(one.with_format(memory_format) for one in host_workloads(batch))


def recalibration_arms(
    batch: int, memory_format: MemoryFormat, scale: str, seed: int = 0, device: str = "cpu"
) -> Arms:
    """Return two callables: the host network's forward step without SE blocks, and with them."""
    images = random_images(batch, memory_format, seed, device)
    without, within = (host_network(one, memory_format, seed, device) for one in (None, scale))
    return partial(without, images), partial(within, images)


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
    # The stub of `to` knows no memory format; the method does.
    return network.to(memory_format=FORMATS[memory_format])  # type: ignore[call-overload, no-any-return]


def sharing(module: nn.Module, baseline: str, candidate: str, run: Callable[[], object]) -> Arms:
    """Return `run` twice, each call with a scale step of its own in every SE block of `module`."""
    # A module's own assignment looks through its parameters first, which would be timed.
    blocks = [vars(one) for one in module.modules() if isinstance(one, SEBlock)]

    def with_scale(scale: Scale) -> object:
        for block in blocks:
            block["scale"] = scale
        return run()

    return partial(with_scale, SCALES[baseline]), partial(with_scale, SCALES[candidate])


def after_a_sweep(arms: Arms, elements: int = 2**22) -> Arms:
    """Return the same two callables, each behind a pass over memory that fills the caches.

    `elements` of float32 are read and written once, as a large multiply would.
    """
    memory = torch.zeros(elements)

    def behind(arm: Callable[[], object]) -> Callable[[], object]:
        def run() -> object:
            memory.add_(1)
            return arm()

        return run

    return behind(arms[0]), behind(arms[1])


def replicated_multiply(case: dict[str, object], baseline: str, candidate: str) -> Arms:
    """Return `multiply_arms` of a case given as JSON, for a fresh process."""
    return multiply_arms(Case.model_validate(case), baseline, candidate)


def replicated_network(batch: int, memory_format: MemoryFormat, seed: int) -> Arms:
    """Return the network's two arms, broadcast as the baseline, for a fresh process."""
    return network_arms(batch, memory_format, "broadcast", "expand_as", seed)
