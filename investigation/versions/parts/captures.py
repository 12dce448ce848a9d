"""What torch's own tools capture of the line: the captures of chapter 06 under another torch."""

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
    statement = f"what runs has an operation more with expand_as: {program}"
    return Survival(
        program=program, statement=statement, runs_more=runs_more, case=reader(settings)
    )


def listed(
    program: str, form: Callable[[Scale, Tensor, Tensor], captures.Operations], settings: Parameters
) -> Iterator[Observation]:
    """Observe whether a captured graph has an operation more with `expand_as`."""
    operands = reader(settings).tensors()
    graphs = [form(codegen.VARIANTS[variant], *operands) for variant in ("expand_as", "broadcast")]
    yield _survival(program, settings, len(graphs[0]) > len(graphs[1]))


def compiled(settings: Parameters) -> Iterator[Observation]:
    """Observe whether a compiled program runs a kernel more."""
    kernels = [
        codegen.generate(variant, reader(settings)).kernels
        for variant in ("expand_as", "broadcast")
    ]
    yield _survival("torch.compile", settings, kernels[0] > kernels[1])


def ahead_of_time(settings: Parameters) -> Iterator[Observation]:
    """Observe whether AOTInductor's library has a kernel more."""
    operands = reader(settings).tensors()
    kernels = [
        captures.kernels_in(captures.aot_source(variant, *operands))
        for variant in ("expand_as", "broadcast")
    ]
    yield _survival("AOTInductor", settings, kernels[0] > kernels[1])


def without_views(settings: Parameters) -> Iterator[Observation]:
    """Count what the graph without views allocates beside its output."""
    case = reader(settings)
    x, gate = case.tensors()
    graph = captures.without_views(codegen.VARIANTS["expand_as"], x, gate)
    bytes_allocated = memory.bytes_allocated(lambda: graph(x, gate))
    yield Memory(
        phase="without_views",
        form="expand_as",
        statement="bytes beside the output when the graph without views is run",
        bytes=bytes_allocated - x.numel() * x.element_size(),
        case=case,
    )


def cuda_graphs(settings: Parameters) -> Iterator[Observation]:
    """Name what keeps each form from being captured as a CUDA graph."""
    operands = reader(settings).tensors()
    obstacles = {
        form: captures.cudagraph_obstacle(codegen.VARIANTS[form], *operands) for form in FORMS
    }
    statement = "operations unfit for a CUDA graph in the forms of the line"
    yield CudaGraphObstacles(statement=statement, obstacles=obstacles)


# Of the captures, those that can be run as they are.
RUN = ("torch.export", "TorchScript")
OBSERVATIONS: Mapping[str, Callable[[Parameters], Iterator[Observation]]] = {
    "torch.compile": compiled,
    "AOTInductor": ahead_of_time,
    **{name: partial(listed, name, captures.CAPTURES[name]) for name in RUN},
    "the graph without views": without_views,
    "CUDA graphs": cuda_graphs,
}
