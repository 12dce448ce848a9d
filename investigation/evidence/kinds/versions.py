"""Records of one version of torch: what its exporters write, and what was left out under it."""

from typing import ClassVar, Literal

from investigation.evidence.observation import Count, Observation


class OnnxExport(Observation):
    """One way to write the block to ONNX: at how many of ONNX Runtime's levels an Expand writes."""

    type: Literal["onnx_export"] = "onnx_export"
    form: str
    tried: Count
    writing: Count

    about: ClassVar[tuple[str, ...]] = ("form",)
    unit: ClassVar[str | None] = "levels"
    shows: ClassVar[str] = "writing"


class LeftOut(Observation):
    """An observation that one version of torch does not allow, and the reason in one line.

    `lacks` is true if this torch has no such thing, yet or any more; else it was tried and failed.
    """

    type: Literal["left_out"] = "left_out"
    part: str
    observation: str
    lacks: bool
    reason: str

    about: ClassVar[tuple[str, ...]] = ("part", "observation")
    shows: ClassVar[str] = "reason"
