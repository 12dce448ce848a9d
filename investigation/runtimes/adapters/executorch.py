"""ExecuTorch: its portable kernels alone, or what XNNPACK takes handed over to it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import ExecutorchProgramManager, memory, to_edge_transform_and_lower
from executorch.extension.pybindings._portable_lib import _unsafe_reset_threadpool
from executorch.runtime import Runtime
from torch import Tensor, nn
from torch.fx import Node

from investigation.runtimes.graph_pass import without_expansions
from investigation.runtimes.modules import exported, first
from investigation.runtimes.program import Program, Step


def prepare(
    module: nn.Module,
    x: Tensor,
    folder: Path,
    threads: int,
    delegate: Literal["xnnpack"] | None = None,
    remedy: Literal["pass"] | None = None,
) -> Program:
    """Lower the exported module, plan its memory, and load it."""
    program = exported(module, x)
    lowered = to_edge_transform_and_lower(
        without_expansions(program) if remedy else program,
        partitioner=[XnnpackPartitioner()] if delegate else None,
    ).to_executorch()
    return load(lowered, x, folder, threads)


def load(lowered: ExecutorchProgramManager, x: Tensor, folder: Path, threads: int) -> Program:
    """Store a lowered program in `folder` and load it."""
    file = folder / "block.pte"
    lowered.save(str(file))
    _unsafe_reset_threadpool(threads)

    def again() -> Callable[[], object]:
        method = Runtime.get().load_program(file).load_method("forward")
        assert method is not None
        return partial(method.execute, [x.clone()])

    run = again()
    return Program(again, lambda: first(run()).clone(), steps(lowered), _arena(lowered))


def _arena(lowered: ExecutorchProgramManager) -> int:
    """Return the bytes that the memory plan sets aside: all that is not constant."""
    plan = lowered.executorch_program.execution_plan[0]
    return int(sum(plan.non_const_buffer_sizes))


def steps(lowered: ExecutorchProgramManager) -> tuple[Step, ...]:
    """Return the kernels and delegates that are called, with the bytes planned for each result."""
    graph = lowered.exported_program().graph
    steps_or_none = (_step(node) for node in graph.nodes if node.op == "call_function")
    return tuple(step for step in steps_or_none if step is not None)


def _step(node: Node) -> Step | None:
    name = str(getattr(node.target, "__name__", node.target))
    if name == "executorch_call_delegate":
        return Step("XNNPACK", sum(_bytes(user.meta["val"]) for user in node.users))
    out = node.kwargs.get("out")
    if not isinstance(out, Node) or out.target is not memory.alloc:
        return None  # a view, or a piece of memory: nothing is computed
    return Step(name.removesuffix(".out"), _bytes(node.meta["val"]), expands="expand" in name)


def _bytes(value: Any) -> int:
    """Return the bytes of a tensor, or of all that an operation returns."""
    if isinstance(value, list | tuple):
        return sum(_bytes(part) for part in value)
    return int(value.numel() * value.element_size()) if isinstance(value, Tensor) else 0
