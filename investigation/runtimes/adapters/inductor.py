"""Inductor: `torch.compile`, and the same compiler ahead of time."""

import math
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn
from torch._inductor import aoti_compile_and_package, aoti_load_package, config
from torch._inductor.utils import run_and_get_code

from investigation.compiled.toolchain import require_cpp_compiler
from investigation.runtimes import traces
from investigation.runtimes.modules import exported, first
from investigation.runtimes.program import Program, Step

# In the code that Inductor writes around its kernels: `buf3 = empty_strided_cpu((8, 4), ...,
# torch.float32)` allocates memory, `cpp_fused_mul_2(...)` and `extern_kernels.mm(...)` work.
ALLOCATES = re.compile(r"= empty_strided_cpu\(\((?P<shape>[\d, ]*)\),.*torch\.(?P<dtype>\w+)\)")
WORKS = re.compile(r"^\s*(?P<kernel>cpp_fused\w*|extern_kernels\.\w+)\(")


def prepare(module: nn.Module, x: Tensor, _folder: Path, _threads: int) -> Program:
    """Compile when first called, as `torch.compile` does."""
    require_cpp_compiler()
    # Modules of one class share their code, and would count as recompilations of each other.
    compiled = torch.compile(  # type: ignore[call-overload]  # the stub does not know the last one
        module, fullgraph=True, isolate_recompiles=True
    )
    # A graph found in the cache comes without its source; its kernels stay cached.
    with config.patch(fx_graph_cache=False):
        _, (code, *_) = run_and_get_code(compiled, x)

    def again() -> Callable[[], object]:
        # A copy of the module would be compiled again, to the same kernels; its weights move.
        for parameter in (*module.parameters(), *module.buffers()):
            parameter.data = parameter.data.clone()
        return partial(compiled, x.clone())

    run = again()
    return Program(again, lambda: first(run()), tuple(steps(code)))


def steps(code: str) -> Iterator[Step]:
    """Yield the kernels that generated code calls, with the bytes allocated before each."""
    bytes_allocated = 0
    for line in code.splitlines():
        if match := ALLOCATES.search(line):
            sizes = [int(size) for size in match["shape"].split(",") if size.strip()]
            bytes_allocated += math.prod(sizes) * getattr(torch, match["dtype"]).itemsize
        elif match := WORKS.match(line):
            yield Step(match["kernel"].removeprefix("extern_kernels."), bytes_allocated)
            bytes_allocated = 0


def prepare_ahead(module: nn.Module, x: Tensor, folder: Path, _threads: int) -> Program:
    """Compile into a package and load it, as AOTInductor does."""
    require_cpp_compiler()
    package = str(folder / "block.pt2")
    aoti_compile_and_package(exported(module, x), package_path=package)

    def again() -> Callable[[], object]:
        return partial(aoti_load_package(package), x.clone())

    run = again()
    run()
    return Program(again, lambda: first(run()), traces.steps(run))
