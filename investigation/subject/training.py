"""How the host network is trained, with a scale step of choice."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from investigation.subject.dtypes import DTYPES
from investigation.subject.host import HostNetwork
from investigation.subject.memory_formats import MemoryFormat
from investigation.subject.torch_formats import FORMATS
from investigation.subject.variants import Scale, SEBlock

BATCH = 64
LEARNING_RATE = 0.05
MOMENTUM = 0.9


@dataclass(frozen=True)
class Images:
    """Images `(N, 3, H, W)` and their classes `(N,)`."""

    images: Tensor
    classes: Tensor

    def __len__(self) -> int:
        return len(self.classes)


@dataclass(frozen=True)
class Data:
    """Images to train on, and others to test with."""

    training: Images
    test: Images


@dataclass(frozen=True)
class TrainingSetting:
    """How a network is trained.

    `autocast` is the dtype of the forward pass if it is not float32; `gate_dtype` that of
    the gate alone, as a block under autocast computes it; `penalty` weighs the squared gradient
    of the loss by the images, which takes a second backward pass.
    """

    name: str
    memory_format: MemoryFormat = "contiguous"
    autocast: str | None = None
    gate_dtype: str | None = None
    penalty: float = 0.0


SETTINGS = {
    "contiguous": TrainingSetting("float32, contiguous"),
    "channels_last": TrainingSetting("float32, channels_last", memory_format="channels_last"),
    "autocast": TrainingSetting("autocast to bfloat16", autocast="bfloat16"),
    "penalty": TrainingSetting("float32, gradient penalty", penalty=1.0),
    "gate_bfloat16": TrainingSetting("float32, bfloat16 gate", gate_dtype="bfloat16"),
    "gate_float16": TrainingSetting("float32, float16 gate", gate_dtype="float16"),
}


def one_ulp_more(x: Tensor, gate: Tensor) -> Tensor:
    """Scale and move every product to the next larger number: the least that can be wrong.

    Zeros stay: what comes next to them is so small that a processor computes it slowly.
    """
    product = x * gate
    larger = torch.nextafter(product, torch.full_like(product, torch.inf))
    more = torch.where(product == 0, product, larger - product)
    return product + more.detach()  # exact, and as differentiable as the product


def with_scale(network: nn.Module, scale: Scale) -> nn.Module:
    """Give every SE block of a network another scale step, in place."""
    for module in network.modules():
        if isinstance(module, SEBlock):
            module.scale = scale
    return network


def host(scale: Scale, setting: TrainingSetting, seed: int) -> nn.Module:
    """Return a host network of seeded weights, set up by `setting`."""
    torch.manual_seed(seed)
    network = HostNetwork("broadcast")
    # The stub of `to` has no memory format; the method has.
    network.to(memory_format=FORMATS[setting.memory_format])  # type: ignore[call-overload]
    return with_scale(network, _with_gate(scale, setting.gate_dtype))


def _with_gate(scale: Scale, dtype: str | None) -> Scale:
    if dtype is None:
        return scale
    return lambda x, gate: scale(x, gate.to(DTYPES[dtype]))


def step(
    network: nn.Module, optimizer: torch.optim.Optimizer, batch: Images, setting: TrainingSetting
) -> Tensor:
    """Run forward, loss, backward and optimizer; return the loss, a scalar."""
    optimizer.zero_grad()
    loss = loss_of(network, batch, setting)
    loss.backward()
    optimizer.step()
    return loss.detach()


def phases(
    network: nn.Module, optimizer: torch.optim.Optimizer, batch: Images, setting: TrainingSetting
) -> dict[str, Callable[[], object]]:
    """Return a training step in its phases, to be run in order, once."""
    losses: list[Tensor] = []
    return {
        "forward": lambda: losses.append(loss_of(network, batch, setting)),
        "backward": lambda: losses[0].backward(),
        "optimizer": optimizer.step,
    }


def loss_of(network: nn.Module, batch: Images, setting: TrainingSetting) -> Tensor:
    """Return the cross-entropy over a batch, with the penalty if the setting has one."""
    images = batch.images.requires_grad_(setting.penalty > 0)
    with _autocast(images.device.type, setting.autocast):
        loss = functional.cross_entropy(network(images), batch.classes)
    if setting.penalty:
        (gradient,) = torch.autograd.grad(loss, images, create_graph=True)
        loss = loss + setting.penalty * gradient.square().sum()
    return loss


def optimizer_of(network: nn.Module) -> torch.optim.Optimizer:
    """Return plain stochastic gradient descent with momentum."""
    return torch.optim.SGD(network.parameters(), lr=LEARNING_RATE, momentum=MOMENTUM)


def _autocast(device: str, dtype: str | None) -> AbstractContextManager[object]:
    """Return autocast to a dtype; without one nothing, since some devices have no autocast."""
    return torch.autocast(device, dtype=DTYPES[dtype]) if dtype else nullcontext()


def batches(images: Images, setting: TrainingSetting, epochs: int, seed: int) -> Iterator[Images]:
    """Yield the training images batch by batch, in an order drawn anew for each epoch."""
    generator = torch.Generator().manual_seed(seed)
    layout = FORMATS[setting.memory_format]
    for _ in range(epochs):
        for chosen in torch.randperm(len(images), generator=generator).split(BATCH):
            taken = images.images[chosen].contiguous(memory_format=layout)
            yield Images(taken, images.classes[chosen])
