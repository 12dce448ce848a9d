"""Records of strides and memory formats."""

from typing import ClassVar, Literal

from investigation.evidence.observation import Count, Dtypes, Observation
from investigation.subject.memory_formats import MemoryFormat


class View(Observation):
    """What `gate.expand_as(x)` returns: a view or not, over whose storage, at what cost."""

    type: Literal["view"] = "view"
    is_view: bool
    shares_storage: bool
    stride: tuple[int, ...]
    bytes_allocated: Count

    unit: ClassVar[str | None] = "bytes"
    shows: ClassVar[str] = "bytes_allocated"

    @property
    def is_zero_copy(self) -> bool:
        """Whether it reads the gate's own memory and allocates none."""
        return self.is_view and self.shares_storage and self.bytes_allocated == 0


class Layouts(Observation):
    """Pairings of input and gate layouts whose outputs differ between the forms.

    `channels_last` counts those of the first three groups that have a channels_last input. A
    `narrow_gate` has a dtype of lower precision than its input. `convolved` is how many of those
    that differ leave a 3×3 convolution in another layout, and `in_the_block` how many have input
    and gate laid out as in the ticket's block; both are None where it was not tried.
    """

    type: Literal["layouts"] = "layouts"
    group: Literal["ordinary", "ambiguous", "volumes", "empty", "channels_last", "narrow_gate"]
    tried: Count
    differing: Count
    convolved: Count | None = None
    in_the_block: Count | None = None

    about: ClassVar[tuple[str, ...]] = ("group",)
    unit: ClassVar[str | None] = "pairings"
    shows: ClassVar[str] = "differing"

    @property
    def dtypes(self) -> Dtypes:
        """Whether input and gate share a dtype."""
        return "mixed" if self.group == "narrow_gate" else "same"


class BlockLayouts(Observation):
    """Tensors of the SE block's forward and backward that differ, in bits or strides."""

    type: Literal["block_layouts"] = "block_layouts"
    memory_format: MemoryFormat
    detached: bool
    tried: Count
    differing: Count

    about: ClassVar[tuple[str, ...]] = ("memory_format", "detached")
    unit: ClassVar[str | None] = "tensors"
    shows: ClassVar[str] = "differing"
