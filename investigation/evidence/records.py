"""Every kind of record, and all that one run of one notebook observed."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from investigation.evidence.environment import Environment
from investigation.evidence.kinds import (
    controls,
    correctness,
    deployments,
    gpus,
    in_place,
    layouts,
    programs,
    released,
    resources,
    timings,
    versions,
    wild,
)
from investigation.evidence.observation import Observation

SCHEMA_VERSION: Literal[4] = 4

Record = Annotated[
    correctness.Equality
    | correctness.GradientError
    | correctness.TrainingRun
    | correctness.Acceptance
    | correctness.ShapeCheck
    | correctness.Rewrite
    | correctness.ScalarGate
    | correctness.Support
    | layouts.View
    | layouts.Layouts
    | layouts.BlockLayouts
    | resources.Memory
    | resources.Calls
    | resources.DistributedCalls
    | resources.WayOfWriting
    | resources.BackwardCalls
    | resources.MixedMultiplies
    | resources.Launches
    | resources.Instructions
    | resources.GraphNodes
    | resources.Traffic
    | timings.Timing
    | timings.Bandwidth
    | in_place.LineInPlace
    | timings.PlantedDifferences
    | programs.CompiledPair
    | programs.Agreement
    | programs.FusedAway
    | programs.Guards
    | programs.Recompilations
    | programs.LibrariesBuilt
    | programs.FullSizeTensors
    | programs.MachineCode
    | programs.Survival
    | programs.CudaGraphObstacles
    | deployments.RuntimesTried
    | deployments.RuntimeProgram
    | deployments.VariedExport
    | deployments.ExporterGrid
    | gpus.DeviceFacts
    | gpus.PredictedTime
    | gpus.HiddenFrom
    | gpus.Launch
    | gpus.SameLaunches
    | versions.OnnxExport
    | versions.LeftOut
    | wild.Survey
    | wild.SurveyedPackage
    | released.ReleasedEquality
    | released.ReleasedProgram
    | controls.Control,
    Field(discriminator="type"),
]

# Each type by its name in a file, which pages use.
TYPES: Mapping[str, type[Observation]] = {
    get_args(member.model_fields["type"].annotation)[0]: member
    for member in get_args(get_args(Record)[0])
}


class Evidence(BaseModel):
    """All that one run of one notebook observed, and where.

    `package_sha256` is the digest of the modules that the notebook imports.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[4] = SCHEMA_VERSION
    notebook: str
    source_sha256: str
    package_sha256: str
    parameters: dict[str, Any]
    environment: Environment
    started: datetime
    finished: datetime
    records: tuple[Record, ...]

    @model_validator(mode="after")
    def _each_identity_once(self) -> Self:
        repeated = repeated_names(self.records)
        if repeated:
            raise ValueError(f"recorded twice: {', '.join(repeated)}")
        return self

    @property
    def failed_controls(self) -> tuple[controls.Control, ...]:
        """The controls that did not hold: with one of these the numbers mean nothing."""
        return tuple(
            record
            for record in self.records
            if isinstance(record, controls.Control) and not record.passed
        )


def repeated_names(records: Iterable[Record]) -> list[str]:
    """Return the names of the records whose identity occurs more than once."""
    listed = list(records)
    count = Counter(record.identity for record in listed)
    if len(count) == len(listed):  # as nearly always
        return []
    return list(dict.fromkeys(record.name for record in listed if count[record.identity] > 1))
