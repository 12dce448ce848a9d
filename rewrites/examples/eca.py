"""Efficient channel attention: a gate a channel, from the means of the channel's neighbours."""

import torch
from torch import Tensor, nn


class ChannelNeighbours(nn.Module):
    """Scale `(B, C, H, W)` by gates that one short convolution over the channels makes."""

    def __init__(self, channels: int, width: int = 3) -> None:
        super().__init__()
        self.channels = channels
        self.mix = nn.Conv1d(1, 1, width, padding=width // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` scaled, same shape."""
        means = x.mean((2, 3)).unsqueeze(1)
        return (
            torch.sigmoid(self.mix(means))  # (B, 1, C)
            .view(-1, self.channels, 1, 1)
            .expand_as(x)
            * x
        )
