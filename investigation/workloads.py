"""The three levels that are timed, as pairs of callables over the same tensors."""

from collections.abc import Callable
from functools import partial

import torch

from investigation.cases import Case, MemoryFormat
from investigation.formats import FORMATS
from investigation.host import HostNetwork
from investigation.variants import SCALES, SEBlock

Arms = tuple[Callable[[], object], Callable[[], object]]


def multiply_arms(case: Case, baseline: str, candidate: str, device: str = "cpu") -> Arms:
    """Return two callables that scale the same input by the same gate."""
    x, gate = case.tensors(device)
    return partial(SCALES[baseline], x, gate), partial(SCALES[candidate], x, gate)


def block_arms(case: Case, baseline: str, candidate: str, device: str = "cpu") -> Arms:
    """Return two callables that run an SE block of the same weights on the same input."""
    x, _ = case.tensors(device)

    def arm(scale: str) -> Callable[[], object]:
        torch.manual_seed(case.seed)
        return partial(SEBlock(case.shape[1], case.reduction, scale).to(device).eval(), x)

    return arm(baseline), arm(candidate)


def network_arms(
    batch: int,
    memory_format: MemoryFormat,
    baseline: str | None,
    candidate: str | None,
    seed: int = 0,
    device: str = "cpu",
) -> Arms:
    """Return two callables that run the host network's forward step on the same images.

    None for a scale leaves the SE blocks out.
    """
    layout = FORMATS[memory_format]
    torch.manual_seed(seed)
    images = torch.randn(batch, 3, 32, 32, device=device).contiguous(memory_format=layout)

    def arm(scale: str | None) -> Callable[[], object]:
        torch.manual_seed(seed)
        network = HostNetwork(scale).to(device).eval()
        # The stub of `to` knows no memory format; the method does.
        return partial(network.to(memory_format=layout), images)  # type: ignore[call-overload]

    return arm(baseline), arm(candidate)


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
