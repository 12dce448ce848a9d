"""What torch's own tools capture of the line: the roads of chapter 06 under another torch."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from torch import Tensor

from investigation.compiled import captures, codegen
from investigation.evidence.kinds.programs import CudaGraphObstacles, Survival
from investigation.evidence.kinds.resources import Memory
from investigation.evidence.observation import Form, Observation
from investigation.evidence.parameters import Parameters
from investigation.observe import memory
from investigation.subject.variants import Scale
from investigation.versions.reader import reader

FORMS: tuple[Form, ...] = ("expand_as", "broadcast", "materialized")


def _survival(program: str, settings: Parameters, runs_more: bool) -> Survival:
    says = f"what runs has an operation more with expand_as: {program}"
    return Survival(program=program, says=says, runs_more=runs_more, case=reader(settings))


def listed(
    program: str, form: Callable[[Scale, Tensor, Tensor], captures.Operations], settings: Parameters
) -> Iterator[Observation]:
    """Tell whether a captured graph has an operation more with `expand_as`."""
    operands = reader(settings).tensors()
    made = [form(codegen.VARIANTS[one], *operands) for one in ("expand_as", "broadcast")]
    yield _survival(program, settings, len(made[0]) > len(made[1]))


def compiled(settings: Parameters) -> Iterator[Observation]:
    """Tell whether a compiled program runs a kernel more."""
    made = [codegen.generate(one, reader(settings)).kernels for one in ("expand_as", "broadcast")]
    yield _survival("torch.compile", settings, made[0] > made[1])


def ahead_of_time(settings: Parameters) -> Iterator[Observation]:
    """Tell whether AOTInductor's C++ is another."""
    operands = reader(settings).tensors()
    made = [captures.aot_source(one, *operands) for one in ("expand_as", "broadcast")]
    yield _survival("AOTInductor", settings, made[0] != made[1])


def without_views(settings: Parameters) -> Iterator[Observation]:
    """Count what the graph without views asks for beside its output."""
    case = reader(settings)
    x, gate = case.tensors()
    graph = captures.without_views(codegen.VARIANTS["expand_as"], x, gate)
    asked = memory.bytes_allocated(lambda: graph(x, gate))
    yield Memory(
        phase="without_views",
        form="expand_as",
        says="bytes beside the output when the graph without views is run",
        bytes=asked - x.numel() * x.element_size(),
        case=case,
    )


def cuda_graphs(settings: Parameters) -> Iterator[Observation]:
    """Name what keeps each form from being captured as a CUDA graph."""
    operands = reader(settings).tensors()
    obstacles = {
        form: captures.cudagraph_obstacle(codegen.VARIANTS[form], *operands) for form in FORMS
    }
    says = "operations unfit for a CUDA graph in the forms of the line"
    yield CudaGraphObstacles(says=says, obstacles=obstacles)


# Of the captures, those that can be run as they are.
RUN = ("torch.export", "TorchScript")
OBSERVATIONS: Mapping[str, Callable[[Parameters], Iterator[Observation]]] = {
    "torch.compile": compiled,
    "AOTInductor": ahead_of_time,
    **{name: partial(listed, name, captures.CAPTURES[name]) for name in RUN},
    "the graph without views": without_views,
    "CUDA graphs": cuda_graphs,
}
