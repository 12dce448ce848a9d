"""Records of what is used beside time: memory, calls, launches, instructions, graph nodes."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from investigation.evidence.observation import Count, Device, Dtypes, Form, Number, Observation

Phase = Literal[
    "line",  # the multiply as written: what it allocates beside its output
    "saved",  # for the backward pass
    "forward",
    "backward",
    "training_step",  # of the host network: the most that is held at once
    "without_views",  # the graph that some exporters make, run operation by operation
]


class Memory(Observation):
    """Bytes that a form requests from the allocator, or holds, in one phase."""

    type: Literal["memory"] = "memory"
    phase: Phase
    form: Form
    dtypes: Dtypes = "same"
    device: Device = "cpu"
    bytes: Count
    peak_bytes: Count | None = None
    saved_bytes: Count | None = None
    batch: Count | None = None

    about: ClassVar[tuple[str, ...]] = ("phase", "form", "dtypes")
    unit: ClassVar[str | None] = "bytes"
    shows: ClassVar[str] = "bytes"


class Calls(Observation):
    """The ATen calls of the line, in order."""

    type: Literal["calls"] = "calls"
    form: Form
    calls: tuple[str, ...]

    about: ClassVar[tuple[str, ...]] = ("form",)
    unit: ClassVar[str | None] = "calls"

    @property
    def value(self) -> int:
        """How many calls."""
        return len(self.calls)


class DistributedCalls(Observation):
    """The operations that the line dispatches to DTensor, in order."""

    type: Literal["distributed_calls"] = "distributed_calls"
    form: Form
    calls: tuple[str, ...]

    about: ClassVar[tuple[str, ...]] = ("form",)
    unit: ClassVar[str | None] = "operations"

    @property
    def value(self) -> int:
        """How many operations."""
        return len(self.calls)


class WayOfWriting(Observation):
    """What one way of writing the product requests from the allocator, and its number of calls."""

    type: Literal["way_of_writing"] = "way_of_writing"
    way: str
    dtypes: Dtypes = "same"
    bytes: Count
    calls: Count

    about: ClassVar[tuple[str, ...]] = ("way", "dtypes")
    unit: ClassVar[str | None] = "bytes"
    shows: ClassVar[str] = "bytes"


class BackwardCalls(Observation):
    """The calls of a narrower gate's gradient, in order."""

    type: Literal["backward_calls"] = "backward_calls"
    form: Form
    calls: tuple[str, ...]
    rounds_before_sum: bool

    about: ClassVar[tuple[str, ...]] = ("form",)
    shows: ClassVar[str] = "rounds_before_sum"


class MixedMultiplies(Observation):
    """The host network's multiplies of two dtypes under autocast."""

    type: Literal["mixed_multiplies"] = "mixed_multiplies"
    tried: Count
    mixed: Count

    unit: ClassVar[str | None] = "multiplies"
    shows: ClassVar[str] = "mixed"


LaunchLevel = Literal["multiply", "block", "gradients"]


class Launches(Observation):
    """Kernels that eager mode launches on a GPU, counted from the calls that it makes.

    `calls` are the calls that launch them, each with its arguments, shapes, strides and dtypes.
    """

    type: Literal["launches"] = "launches"
    level: LaunchLevel
    form: Form
    launches: Count
    calls: tuple[str, ...] = ()

    about: ClassVar[tuple[str, ...]] = ("level", "form")
    unit: ClassVar[str | None] = "launches"
    shows: ClassVar[str] = "launches"


class Instructions(Observation):
    """Processor instructions that `expand_as` adds to a call, in all and by group of functions."""

    type: Literal["instructions"] = "instructions"
    added: Number
    by_group: Mapping[str, float]
    recorded_elsewhere: bool
    counted_on: Mapping[str, str | int | float | None]

    unit: ClassVar[str | None] = "instructions"
    shows: ClassVar[str] = "added"


class GraphNodes(Observation):
    """Nodes of the backward graph: of the scale step, and of the whole host network."""

    type: Literal["graph_nodes"] = "graph_nodes"
    form: Form
    nodes: Count
    in_network: Count

    about: ClassVar[tuple[str, ...]] = ("form",)
    unit: ClassVar[str | None] = "nodes"
    shows: ClassVar[str] = "nodes"


class Traffic(Observation):
    """Bytes that the compiled scale kernel reads and writes on a GPU."""

    type: Literal["traffic"] = "traffic"
    form: Form
    bytes: Count

    about: ClassVar[tuple[str, ...]] = ("form",)
    unit: ClassVar[str | None] = "bytes"
    shows: ClassVar[str] = "bytes"
