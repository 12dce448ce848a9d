"""Records of GPUs: what a device is, and what is predicted from datasheets."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from investigation.evidence.observation import Count, Dtypes, Form, Number, Observation

# What eager mode computes with its launches, and over which settings they were compared.
LaunchOperation = Literal["multiply", "gradient_of_input", "gradient_of_gate"]
LaunchFamily = Literal[
    "ordinary", "ambiguous", "narrow_gate", "volumes", "empty", "large", "dtypes"
]


class DeviceFacts(Observation):
    """What torch reports about a device, and its clocks if they can be read."""

    type: Literal["device_facts"] = "device_facts"
    device_name: str
    total_memory: Count | None = None
    multi_processor_count: Count | None = None
    architecture: str | None = None  # of AMD's GPUs
    major: Count | None = None
    minor: Count | None = None
    cache_bytes: Count | None = None
    cuda: str | None = None
    hip: str | None = None
    clock_mhz: Number | None = None
    memory_mhz: Number | None = None
    temperature_c: Number | None = None
    power_w: Number | None = None
    shows: ClassVar[str] = "device_name"


class PredictedTime(Observation):
    """The scale step's device time from memory, by a card's stated bandwidth; not measured."""

    type: Literal["predicted_time"] = "predicted_time"
    card: str
    device_s: Number
    bound: Literal["launch", "bandwidth"] | None  # None if the host's cost is not known

    about: ClassVar[tuple[str, ...]] = ("card",)
    unit: ClassVar[str | None] = "seconds"
    shows: ClassVar[str] = "device_s"


class HiddenFrom(Observation):
    """The float32 elements from which a card is predicted to hide what the host pays."""

    type: Literal["hidden_from"] = "hidden_from"
    card: str
    elements: Count

    about: ClassVar[tuple[str, ...]] = ("card",)
    unit: ClassVar[str | None] = "elements"
    shows: ClassVar[str] = "elements"


class Launch(Observation):
    """One launch of eager CUDA: torch's iterator, and the kernel that its source makes of it.

    The first fields are computed by torch on this machine; `kernel` and what follows were read in
    the source, for one chip, and are None if nothing was read. `place` counts the launches of
    an operation from 0. `shape` and the strides, in bytes, are those of the iterator, the fastest
    dimension first; operands come with the output first.
    """

    type: Literal["launch"] = "launch"
    operation: LaunchOperation
    form: Form
    place: Count
    calculates: str  # mul, sum or copy
    shape: tuple[int, ...]
    stride_bytes: tuple[tuple[int, ...], ...]
    dtypes: tuple[str, ...]
    contiguous: bool
    fits_32_bits: bool
    chip: str
    kernel: str | None = None
    vector: Count | None = None
    casts: bool | None = None
    walked: Count | None = None  # dimensions of the offset calculator, None if there is none
    grid: tuple[int, ...] | None = None
    block: tuple[int, ...] | None = None

    about: ClassVar[tuple[str, ...]] = ("operation", "form", "place")
    shows: ClassVar[str] = "kernel"


class SameLaunches(Observation):
    """In how many settings the two forms' launches differ, in any field of any iterator.

    `differing_by` counts how: other kernels, another order, other arguments. `where` names the
    pairs of dtypes that differ, `example` the first setting.
    """

    type: Literal["same_launches"] = "same_launches"
    operation: LaunchOperation
    family: LaunchFamily
    dtypes: Dtypes
    tried: Count
    differing: Count
    differing_by: Mapping[str, int] = {}
    where: tuple[str, ...] = ()
    example: str | None = None

    about: ClassVar[tuple[str, ...]] = ("operation", "family", "dtypes")
    unit: ClassVar[str | None] = "settings"
    shows: ClassVar[str] = "differing"

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return self.differing == 0

    @property
    def of_a_gradient(self) -> bool:
        """Whether what is computed belongs to the backward pass."""
        return self.operation != "multiply"
