"""The memory formats as torch has them."""

from collections.abc import Mapping

import torch

from investigation.subject.memory_formats import MemoryFormat

FORMATS: Mapping[MemoryFormat, torch.memory_format] = {
    "contiguous": torch.contiguous_format,
    "channels_last": torch.channels_last,
}
