"""Records of GPUs: what a device is, and what is predicted from datasheets."""

from typing import ClassVar, Literal

from investigation.evidence.observation import Count, Number, Observation


class DeviceFacts(Observation):
    """What torch tells of a device, and its clocks where they can be read."""

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
    """The least device time of the scale step by a card's stated bandwidth; not measured."""

    type: Literal["predicted_time"] = "predicted_time"
    card: str
    device_s: Number
    bound: Literal["launch", "bandwidth"] | None  # None where the host's cost is not known

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
