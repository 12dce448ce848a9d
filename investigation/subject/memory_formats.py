"""The memory formats by name; naming them needs no torch."""

from typing import Literal

MemoryFormat = Literal["contiguous", "channels_last"]
MEMORY_FORMATS: tuple[MemoryFormat, ...] = ("contiguous", "channels_last")
