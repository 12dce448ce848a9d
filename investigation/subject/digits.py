"""Real images that come with a package: handwritten digits, small enough to train on in seconds."""

import torch
from sklearn.datasets import load_digits

from investigation.subject.training import Data, Images

# In the package's own order, not shuffled: digits by the same hand may be neighbours.
TRAINING_SHARE = 0.8


def digits() -> Data:
    """Return the digits to train on and those to test with, grey in three equal channels.

    Images are `(N, 3, 8, 8)`, between 0 and 1. Source: Alpaydin and Kaynak, Optical
    Recognition of Handwritten Digits, 1998, as shipped with scikit-learn.
    """
    loaded = load_digits()
    images = torch.tensor(loaded.images, dtype=torch.float32) / 16
    images = images[:, None].repeat(1, 3, 1, 1)
    classes = torch.tensor(loaded.target)
    cut = int(TRAINING_SHARE * len(classes))
    return Data(Images(images[:cut], classes[:cut]), Images(images[cut:], classes[cut:]))
