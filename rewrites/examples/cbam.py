"""Convolutional block attention: a gate a channel, then a gate a pixel."""

import torch
from torch import Tensor, nn


class ChannelGate(nn.Module):
    """Scale `(B, C, H, W)` by a gate a channel, from its mean and its maximum."""

    def __init__(self, channels: int, reduction: int = 4) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.mlp = nn.Sequential(
            nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` scaled, same shape."""
        summed = self.mlp(x.mean((2, 3))) + self.mlp(x.amax((2, 3)))
        scale = torch.sigmoid(summed).unsqueeze(2).unsqueeze(3).expand_as(x)
        return x * scale


class PixelGate(nn.Module):
    """Scale `(B, C, H, W)` by a gate a pixel, from the mean and the maximum over channels."""

    def __init__(self, width: int = 7) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, width, padding=width // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` scaled, same shape."""
        b, c, h, w = x.size()
        squeezed = torch.stack((x.mean(1), x.amax(1)), dim=1)
        gate = torch.sigmoid(self.conv(squeezed))
        return torch.mul(x, gate.expand(b, c, h, w))


class BlockAttention(nn.Module):
    """A channel gate and a pixel gate, one after the other, around a residual of half weight."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channel, self.pixel = ChannelGate(channels), PixelGate()
        self.strength = nn.Parameter(torch.full((channels, 1, 1), 0.5))

    def forward(self, x: Tensor) -> Tensor:
        """Return the attended map mixed with `x`, same shape."""
        attended = self.pixel(self.channel(x))
        attended *= self.strength.expand_as(attended)
        return x + attended
