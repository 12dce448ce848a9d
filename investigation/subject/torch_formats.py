"""The memory formats as torch names them; apart from the cases, which need no torch."""

from collections.abc import Mapping

import torch

from investigation.subject.cases import MemoryFormat

FORMATS: Mapping[MemoryFormat, torch.memory_format] = {
    "contiguous": torch.contiguous_format,
    "channels_last": torch.channels_last,
}
