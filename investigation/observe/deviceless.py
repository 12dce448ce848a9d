"""Work with tensors that carry a device which this machine does not have."""

from collections.abc import Mapping
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

# Python's bindings of these visit the tensor's device before they call the operator.
BELOW: Mapping[Any, Any] = {
    torch.Tensor.copy_: torch.ops.aten.copy_.default,
    torch.Tensor.contiguous: torch.ops.aten.contiguous.default,
}


class PastTheBindings(TorchFunctionMode):
    """Call the operator itself if Python's binding of it would visit the device first.

    The operator is the same, and on a fake tensor it needs no device.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> object:
        return BELOW.get(func, func)(*args, **(kwargs or {}))
