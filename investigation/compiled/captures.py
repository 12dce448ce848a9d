"""How torch's own tools capture the line, and the operations that each capture keeps."""

import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn
from torch.func import functionalize
from torch.fx.experimental.proxy_tensor import make_fx
from torch.jit._fuser import last_executed_optimized_graph

from investigation.compiled.codegen import VARIANTS
from investigation.compiled.kernel_source import renumbered
from investigation.compiled.lowering import operations
from investigation.subject import torch_features
from investigation.subject.variants import Scale

Operations = tuple[str, ...]
KERNEL = re.compile(r"\bkernel_\d+\b")
LISTED = re.compile(r"^\s*void\* kernel_\d+\{nullptr\};$")


class Multiply(nn.Module):
    """The scale step as a module, which is what the exporting tools take."""

    def __init__(self, scale: Scale) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor, gate: Tensor) -> Tensor:
        """Return `x` `(B, C, H, W)` scaled by `gate` `(B, C, 1, 1)`."""
        return self.scale(x, gate)


def functionalized(scale: Scale, x: Tensor, gate: Tensor) -> Operations:
    """Trace it with mutations replaced by copies, as compilers of graphs need it."""
    return operations(make_fx(functionalize(scale))(x, gate).graph)


def functionalized_views(scale: Scale, x: Tensor, gate: Tensor) -> Operations:
    """Trace it with mutations and views replaced by copies."""
    return operations(without_views(scale, x, gate).graph)


def without_views(scale: Scale, x: Tensor, gate: Tensor) -> torch.fx.GraphModule:
    """Return the graph in which every view became a copy; it can be run."""
    return make_fx(functionalize(scale, remove="mutations_and_views"))(x, gate)


def exported(scale: Scale, x: Tensor, gate: Tensor) -> Operations:
    """Export it, for training: views and in-place operations as they were written."""
    return operations(_program(scale, x, gate).graph)


def decomposed(scale: Scale, x: Tensor, gate: Tensor) -> Operations:
    """Export it and break it down to the core operations, as an inference runtime takes them."""
    with _without_news():
        return operations(_program(scale, x, gate).run_decompositions().graph)


def _program(scale: Scale, x: Tensor, gate: Tensor) -> torch.export.ExportedProgram:
    return torch.export.export(Multiply(scale), (x, gate))


def frozen(scale: Scale, x: Tensor, gate: Tensor) -> Operations:
    """Trace it to TorchScript and freeze it."""
    return _nodes(_script(scale, x, gate).graph)


def executed_script(scale: Scale, x: Tensor, gate: Tensor) -> Operations:
    """Trace, freeze and run it until TorchScript's own optimiser is done; what then runs."""
    script = _script(scale, x, gate)
    for _ in range(3):  # two runs are profiled, the third is optimised
        script(x, gate)
    return _nodes(last_executed_optimized_graph())


def _script(scale: Scale, x: Tensor, gate: Tensor) -> torch.jit.ScriptModule:
    with _without_news():
        frozen: torch.jit.ScriptModule = torch.jit.freeze(
            torch.jit.trace(Multiply(scale).eval(), (x, gate))
        )
        return frozen


def _nodes(graph: torch.Graph) -> Operations:
    kinds = (node.kind() for node in graph.nodes())
    return tuple(kind for kind in kinds if not kind.startswith("prim::"))


@contextmanager
def _without_news() -> Iterator[None]:
    """Keep torch's notes on its own future off the page; none can be acted on here.

    They announce that TorchScript is deprecated, and that a class inside the exporter will go.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        yield


CAPTURES: Mapping[str, Callable[[Scale, Tensor, Tensor], Operations]] = {
    "torch.func.functionalize": functionalized,
    "torch.func.functionalize, views removed": functionalized_views,
    "torch.export": exported,
    "torch.export, decomposed": decomposed,
    "TorchScript, frozen": frozen,
    "TorchScript": executed_script,
}


# Headers would be compiled for a build that does not come.
WITHOUT_BUILDING = {"aot_inductor.package_cpp_only": True} | torch_features.existing_settings(
    "torch._inductor.config", **{"aot_inductor.precompile_headers": False}
)


def aot_source(variant: str, x: Tensor, gate: Tensor) -> str:
    """Return the C++ that AOTInductor makes of a variant, normalised, without building it.

    Taken out are the kernels' names, comments, and the order of the list that declares the
    kernels, which is the alphabet's.
    """
    program = _program(VARIANTS[variant], x, gate)
    with TemporaryDirectory() as folder, _without_news():
        package = torch_features.named("torch._inductor.aoti_compile_and_package")(
            program,
            package_path=str(Path(folder, "line.pt2")),
            inductor_configs=WITHOUT_BUILDING,
        )
        with zipfile.ZipFile(package) as archive:
            (name,) = (name for name in archive.namelist() if name.endswith(".cpp"))
            return normalised_library(archive.read(name).decode())


def normalised_library(text: str) -> str:
    """Return AOTInductor's C++ without the kernels' names, comments and alphabetical order."""
    code = (line for line in text.splitlines() if not line.lstrip().startswith("//"))
    lines = renumbered("\n".join(code)).splitlines()
    listed = [line for line in lines if LISTED.match(line)]
    rest = [line for line in lines if not LISTED.match(line)]
    return "\n".join([*sorted(listed), *rest])


def kernels_in(library: str) -> int:
    """Count the kernels of a library, by the names that `normalised_library` gives them."""
    return len(set(KERNEL.findall(library)))


def cudagraph_obstacle(scale: Scale, x: Tensor, gate: Tensor) -> str | None:
    """Return the first operation that torch considers unfit for a CUDA graph, or None.

    An operation is unfit if the host waits in it for the device, or if it gives a tensor a size
    that is known on the device only.
    """
    traced = make_fx(scale, tracing_mode="symbolic")(x, gate)
    first = torch_features.named("torch._inductor.utils.get_first_incompatible_cudagraph_node")
    node = first(traced)
    return None if node is None else str(node.target)
