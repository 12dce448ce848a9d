"""The line under investigation, its rewrite, and the control that shows what a copy looks like."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

Scale = Callable[[Tensor, Tensor], Tensor]


def expand_as(x: Tensor, gate: Tensor) -> Tensor:
    """Scale as the code under investigation does: `x * gate.expand_as(x)`."""
    return x * gate.expand_as(x)


def broadcast(x: Tensor, gate: Tensor) -> Tensor:
    """Scale as the ticket proposes: `x * gate`."""
    return x * gate


def materialized(x: Tensor, gate: Tensor) -> Tensor:
    """Scale by a gate that was written out in full: the positive control.

    What the ticket's title would mean if it were true of memory. A check that cannot
    distinguish this from `expand_as` shows nothing.
    """
    return x * gate.expand_as(x).contiguous()


def dropped(x: Tensor, gate: Tensor) -> Tensor:
    """Expand the gate, drop the view and scale without it: the price of the call alone."""
    gate.expand_as(x)
    return x * gate


SCALES: Mapping[str, Scale] = MappingProxyType(
    {"expand_as": expand_as, "broadcast": broadcast, "materialized": materialized}
)


class SEBlock(nn.Module):
    """Squeeze-and-Excitation over `(B, C, H, W)`, its last line chosen by name.

    Squeeze to `(B, C)`, excite through a bottleneck of `max(1, C // reduction)` units to a
    gate `(B, C, 1, 1)`, scale. The second linear starts at zero weight and bias 3, so the
    gate starts at sigmoid(3), nearly open, as in the code under investigation.

    Raises `KeyError` for a scale that is not in `SCALES`.
    """

    def __init__(self, channels: int, reduction: int = 4, scale: str = "expand_as") -> None:
        super().__init__()
        self.scale = SCALES[scale]
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        hidden = max(1, channels // reduction)
        self.excitation = nn.Sequential(
            nn.Linear(channels, hidden, bias=False),
            nn.ReLU(),
            nn.Linear(hidden, channels),
            nn.Sigmoid(),
        )
        self._open_the_gate()

    def _open_the_gate(self) -> None:
        last = self.excitation[2]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        nn.init.constant_(last.bias, 3.0)

    def gate(self, x: Tensor) -> Tensor:
        """Return the gate `(B, C, 1, 1)` of `x` `(B, C, H, W)`."""
        batch, channels = x.shape[:2]
        squeezed = self.squeeze(x).reshape(batch, channels)
        return torch.as_tensor(self.excitation(squeezed)).reshape(batch, channels, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` scaled by its gate, same shape."""
        return self.scale(x, self.gate(x))
