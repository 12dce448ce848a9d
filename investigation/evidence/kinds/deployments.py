"""Records of runtimes that people deploy the block on."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from investigation.evidence.observation import Count, Number, Observation
from investigation.subject.runtimes import Family


class RuntimesTried(Observation):
    """Which runtimes ran, and what became of the others; `states` and `logs` by title."""

    type: Literal["runtimes_tried"] = "runtimes_tried"
    exported: Count  # exported runtimes that ran
    states: Mapping[str, str]
    logs: Mapping[str, str] = {}

    unit: ClassVar[str | None] = "runtimes"
    shows: ClassVar[str] = "exported"


class RuntimeProgram(Observation):
    """The block's program in one runtime: what it does more with `expand_as` than without.

    `bytes_more` are written in one inference, `planned_more` are set aside for it, None if the
    runtime does not report it. For a remedy, the comparison is with the changed source.
    """

    type: Literal["runtime_program"] = "runtime_program"
    runtime: str
    title: str
    family: Family
    version: str
    survives: bool
    same_steps: bool
    bytes_more: int
    planned_more: int | None
    equal: bool  # the result is eager mode's, within the chapter's tolerance
    furthest: Number | None
    steps: tuple[str, ...]

    about: ClassVar[tuple[str, ...]] = ("runtime",)
    unit: ClassVar[str | None] = "bytes"
    shows: ClassVar[str] = "bytes_more"


class VariedExport(Observation):
    """The block exported with open sizes, or quantised: the steps that expand, in each form.

    `steps` and `plain_steps` are what runs with `expand_as` and without. `bytes_expanded` is what
    the expansions write, 0 if a size is not known before it runs.
    """

    type: Literal["varied_export"] = "varied_export"
    variation: Literal["dynamic", "quantised"]
    runtime: str
    survives: bool
    bytes_expanded: Count
    steps: tuple[str, ...]
    plain_steps: tuple[str, ...]

    about: ClassVar[tuple[str, ...]] = ("variation", "runtime")
    shows: ClassVar[str] = "survives"


class ExporterCombination(BaseModel):
    """One way around ONNX Runtime: exporter, shapes, optimisations, and what then runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: str
    level: str
    ruled: bool  # onnxscript's rule has taken the Expand out
    expansions: Count
    bytes_written: Count
    equal: bool


class ExporterGrid(Observation):
    """In how many combinations of exporter and optimisation an Expand runs and writes."""

    type: Literal["exporter_grid"] = "exporter_grid"
    tried: Count
    writing: Count
    combinations: tuple[ExporterCombination, ...] = ()

    unit: ClassVar[str | None] = "combinations"
    shows: ClassVar[str] = "writing"
