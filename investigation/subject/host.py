"""The network that the line runs in: a small CNN with SE blocks around its pools."""

from torch import Tensor, nn

from investigation.subject.variants import SEBlock


def stage(channels_in: int, channels_out: int) -> nn.Sequential:
    """One convolution, batch norm, ReLU: `(B, C_in, H, W)` to `(B, C_out, H, W)`."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    )


class HostNetwork(nn.Module):
    """A CIFAR-sized host, `(B, 3, 32, 32)` to `(B, 10)`, with an SE block at every slot.

    Conv-BN-ReLU stages whose channels double, a 2×2 max pool after each, and an SE block
    before and after each pool: the six slots that the code under investigation offers at
    three stages. `scale=None` leaves the SE blocks out, to show what they cost at all.
    """

    def __init__(
        self, scale: str | None, base_channels: int = 32, stages: int = 3, reduction: int = 4
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels_in = 3
        for index in range(stages):
            channels = base_channels * 2**index
            layers += [stage(channels_in, channels), self._slot(channels, reduction, scale)]
            layers += [nn.MaxPool2d(2), self._slot(channels, reduction, scale)]
            channels_in = channels
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(channels_in, 10)

    @staticmethod
    def _slot(channels: int, reduction: int, scale: str | None) -> nn.Module:
        return nn.Identity() if scale is None else SEBlock(channels, reduction, scale)

    def forward(self, images: Tensor) -> Tensor:
        """Return the class scores `(B, 10)`."""
        scores: Tensor = self.head(self.features(images).mean((2, 3)))
        return scores
