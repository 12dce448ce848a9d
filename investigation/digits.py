"""Real images that come with a package: handwritten digits, small enough to train on in seconds."""

from dataclasses import dataclass
from functools import cache

import torch
from sklearn.datasets import load_digits
from torch import Tensor

# scikit-learn's order keeps the writers apart: who wrote the last fifth wrote none of the rest.
TRAINING_SHARE = 0.8


@dataclass(frozen=True)
class Images:
    """Images `(N, 3, 8, 8)` between 0 and 1, and their classes `(N,)`."""

    images: Tensor
    classes: Tensor

    def __len__(self) -> int:
        return len(self.classes)


@cache
def digits() -> tuple[Images, Images]:
    """Return the digits to train on and those to test with, grey in three equal channels.

    Source: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, 1998, as shipped
    with scikit-learn.
    """
    loaded = load_digits()
    images = torch.tensor(loaded.images, dtype=torch.float32) / 16
    images = images[:, None].repeat(1, 3, 1, 1)
    classes = torch.tensor(loaded.target)
    cut = int(TRAINING_SHARE * len(classes))
    return Images(images[:cut], classes[:cut]), Images(images[cut:], classes[cut:])
