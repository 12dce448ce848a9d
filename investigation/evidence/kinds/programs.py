"""Records of programs: what a compiler or an exporter makes of the two forms."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from investigation.evidence.observation import Count, Form, Observation

Layer = Literal["kernels", "elided", "fused", "source", "binary"]
ShapeMode = Literal["static", "dynamic"]


class ProgramSummary(BaseModel):
    """What is kept of one generated program: digests, counts, names of kernels.

    `buffers` are all tensors that it allocates, `full_size` those that it makes as large as the
    input; None if their sizes were not read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    kernels_sha256: str
    kernels: Count
    of_a_library: Count
    loops: Count
    buffers: Count
    full_size: Count | None = None
    names: tuple[str, ...]


class CompiledPair(Observation):
    """Both forms compiled in one setting."""

    type: Literal["compiled_pair"] = "compiled_pair"
    level: Literal["multiply", "block"]
    mode: Literal["inference", "training"]
    shapes: ShapeMode
    same_kernels: bool
    same_source: bool
    baseline: ProgramSummary
    candidate: ProgramSummary

    about: ClassVar[tuple[str, ...]] = ("level", "mode", "shapes")
    shows: ClassVar[str] = "same_kernels"


class Agreement(Observation):
    """In how many of the settings tried both forms agree, for one target and one layer.

    `elided` agrees if `expand_as` has no kernel more, and no more of the tensors that `tensors`
    names: those as large as the input, or all that are allocated if it is None. `fused` agrees if
    as many kernels run and a block's scale step has none of its own.
    `differ` names the settings that do not agree.
    """

    type: Literal["agreement"] = "agreement"
    layer: Layer
    target: str  # "cpu", or the slug of a chip
    target_name: str
    tried: Count
    agreeing: Count
    differ: tuple[str, ...] = ()
    tensors: Literal["full_size"] | None = None

    about: ClassVar[tuple[str, ...]] = ("layer", "target")
    unit: ClassVar[str | None] = "settings"
    shows: ClassVar[str] = "agreeing"


class FusedAway(Observation):
    """Programs of `materialized` in which the compiler made no copy although the source has it."""

    type: Literal["fused_away"] = "fused_away"
    target: Literal["cpu", "gpu"]
    tried: Count
    fused_away: Count

    about: ClassVar[tuple[str, ...]] = ("target",)
    unit: ClassVar[str | None] = "programs"
    shows: ClassVar[str] = "fused_away"


class Guards(Observation):
    """The conditions on inputs under which a compiled program is used again."""

    type: Literal["guards"] = "guards"
    shapes: ShapeMode
    same: bool
    guards: tuple[str, ...]

    about: ClassVar[tuple[str, ...]] = ("shapes",)
    shows: ClassVar[str] = "same"


class Recompilations(Observation):
    """Series of changing sizes over which both forms are compiled equally often."""

    type: Literal["recompilations"] = "recompilations"
    tried: Count
    equal: Count

    unit: ClassVar[str | None] = "series"
    shows: ClassVar[str] = "equal"


class LibrariesBuilt(Observation):
    """Libraries that Inductor built for each form, in the order in which they were compiled."""

    type: Literal["libraries_built"] = "libraries_built"
    built: Mapping[Form, int]

    unit: ClassVar[str | None] = "libraries"

    @property
    def value(self) -> int:
        """How many for `expand_as`."""
        return self.built["expand_as"]


class FullSizeTensors(Observation):
    """Tensors of the input's full size that a compiled program allocates or names."""

    type: Literal["full_size_tensors"] = "full_size_tensors"
    program: Literal["multiply_of_two_dtypes", "block_on_a_gpu"]
    count: Count
    names: tuple[str, ...] = ()

    about: ClassVar[tuple[str, ...]] = ("program",)
    unit: ClassVar[str | None] = "tensors"
    shows: ClassVar[str] = "count"


class MachineCode(Observation):
    """One form's scale kernel as machine code, in the first configuration that could be chosen.

    `lines` are those of its generated source that read, compute or write, and `words` explain what
    each does.
    """

    type: Literal["machine_code"] = "machine_code"
    form: Form
    target: str
    target_name: str
    lines: tuple[str, ...]
    words: tuple[str, ...]
    binary_sha256: str
    binary_bytes: Count

    about: ClassVar[tuple[str, ...]] = ("form", "target")
    unit: ClassVar[str | None] = "bytes"
    shows: ClassVar[str] = "binary_bytes"


class Survival(Observation):
    """Whether a compiled or exported program runs an operation more with `expand_as`."""

    type: Literal["survival"] = "survival"
    program: str
    runs_more: bool

    about: ClassVar[tuple[str, ...]] = ("program",)
    shows: ClassVar[str] = "runs_more"


class CudaGraphObstacles(Observation):
    """What keeps each form from being captured as a CUDA graph, None if nothing does."""

    type: Literal["cuda_graph_obstacles"] = "cuda_graph_obstacles"
    obstacles: Mapping[Form, str | None]

    unit: ClassVar[str | None] = "operations"

    @property
    def value(self) -> int:
        """How many obstacles there are."""
        return sum(obstacle is not None for obstacle in self.obstacles.values())
