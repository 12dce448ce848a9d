"""The results of a short real training run, and the step at which two runs part."""

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from investigation.observe.equality import bits
from investigation.subject.training import (
    Data,
    Images,
    TrainingSetting,
    batches,
    host,
    loss_of,
    optimizer_of,
    step,
)
from investigation.subject.variants import Scale, SEBlock


@dataclass(frozen=True)
class TrainedNetwork:
    """The loss of every step, the accuracy on unseen images, and a digest of what was learnt."""

    losses: tuple[float, ...]
    accuracy: float
    weights_sha256: str


def train(
    scale: Scale, setting: TrainingSetting, data: Data, epochs: int, seed: int
) -> TrainedNetwork:
    """Train a host network of seeded weights on the data, in a seeded order."""
    network = host(scale, setting, seed)
    optimizer = optimizer_of(network)
    losses = tuple(
        float(step(network, optimizer, batch, setting))
        for batch in batches(data.training, setting, epochs, seed)
    )
    return TrainedNetwork(losses, accuracy(network, data.test), weights_sha256(network))


def accuracy(network: nn.Module, test: Images) -> float:
    """Return the share of test images whose class the network names."""
    network.eval()
    with torch.no_grad():
        named = network(test.images).argmax(1)
    return float((named == test.classes).float().mean())


def weights_sha256(network: nn.Module) -> str:
    """Return a digest of the bits of every weight and every running statistic."""
    digest = hashlib.sha256()
    for tensor in network.state_dict().values():
        digest.update(bits(tensor).numpy().tobytes())
    return digest.hexdigest()


def parted(network: TrainedNetwork, other: TrainedNetwork) -> int | None:
    """Return the first step, counted from 1, at which two runs' losses differ; None if at none.

    Two numbers that compare equal have the same bits, but for the two zeros; NaN never does.
    """
    steps = enumerate(zip(network.losses, other.losses, strict=True), start=1)
    return next((number for number, (mine, yours) in steps if mine != yours), None)


def same_run(network: TrainedNetwork, other: TrainedNetwork) -> bool:
    """Return whether two runs had the same losses and learnt the same bits."""
    return parted(network, other) is None and network.weights_sha256 == other.weights_sha256


def furthest_apart(network: TrainedNetwork, other: TrainedNetwork) -> float:
    """Return the largest difference between two runs' losses at any step."""
    return max(abs(mine - yours) for mine, yours in zip(network.losses, other.losses, strict=True))


def upstream_sizes(network: nn.Module, batch: Images, setting: TrainingSetting) -> list[float]:
    """Return the root mean square of the gradient that reaches each SE block from above."""
    sizes: list[float] = []

    def note(_module: nn.Module, _below: object, above: tuple[Tensor, ...]) -> None:
        sizes.append(float(above[0].square().mean().sqrt()))

    blocks = [module for module in network.modules() if isinstance(module, SEBlock)]
    handles = [block.register_full_backward_hook(note) for block in blocks]
    loss_of(network, batch, setting).backward()
    for handle in handles:
        handle.remove()
    return sizes
