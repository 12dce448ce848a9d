"""Squeeze and excitation: a gate a channel, from the channel's mean."""

from torch import Tensor, nn


class SqueezeExcitation(nn.Module):
    """Scale `(B, C, H, W)` by a gate `(B, C, 1, 1)` that a bottleneck makes of the means."""

    def __init__(self, channels: int, reduction: int = 4) -> None:
        super().__init__()
        hidden = max(1, channels // reduction)
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        self.excite = nn.Sequential(
            nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` scaled, same shape."""
        b, c, _, _ = x.size()
        y = self.excite(self.squeeze(x).view(b, c)).view(b, c, 1, 1)
        return x * y.expand_as(x)
