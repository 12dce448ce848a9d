"""Every dtype that torch has, by its name."""

from collections.abc import Mapping

import torch
from torch import Tensor

DTYPES: Mapping[str, torch.dtype] = {
    name: value
    for name, value in sorted(vars(torch).items())
    if isinstance(value, torch.dtype) and str(value) == f"torch.{name}"
}


def dtype_name(tensor: Tensor) -> str:
    """Return the name of a tensor's dtype, as in `DTYPES`."""
    return str(tensor.dtype).removeprefix("torch.")
