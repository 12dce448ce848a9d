"""Every dtype that torch has, by its name."""

from collections.abc import Mapping

import torch

DTYPES: Mapping[str, torch.dtype] = {
    name: value
    for name, value in sorted(vars(torch).items())
    if isinstance(value, torch.dtype) and str(value) == f"torch.{name}"
}
