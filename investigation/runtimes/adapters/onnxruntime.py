"""ONNX Runtime, fed by either of PyTorch's exporters."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import onnx
import onnxruntime
import torch
from onnxscript import rewriter
from onnxscript.rewriter.rules.common import expand_before_binary_op_rules
from torch import Tensor, nn

from investigation.runtimes.graph_pass import without_expansions
from investigation.runtimes.modules import exported
from investigation.runtimes.program import Program, Step
from investigation.subject import torch_features

Exporter = Literal["dynamo", "torchscript"]
Remedy = Literal["rule", "pass"]
LEVELS = {
    "none": onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "basic": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "layout": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_LAYOUT,
    "all": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
}
FATAL = 4


def prepare(
    module: nn.Module,
    x: Tensor,
    folder: Path,
    threads: int,
    exporter: Exporter = "dynamo",
    remedy: Remedy | None = None,
) -> Program:
    """Export with static shapes and the exporter's own optimisation, and load at level `all`."""
    model = folder / "block.onnx"
    export(module, x, model, exporter=exporter, remedy=remedy)
    return load(model, x, threads)


def export(
    module: nn.Module,
    x: Tensor,
    model: Path,
    *,
    exporter: Exporter = "dynamo",
    dynamic: bool = False,
    optimize: bool = True,
    remedy: Remedy | None = None,
) -> None:
    """Write `module` to `model`; `optimize` is the dynamo exporter's own optimisation.

    `remedy` takes the expansion out: "rule" by onnxscript's rewrite rule on the ONNX graph,
    "pass" before the export, on torch's exported program.
    """
    if exporter == "torchscript":
        _export_traced(module, x, model, dynamic=dynamic)
    else:
        torch_features.require_parameter("torch.onnx.export", "optimize")
        program = exported(module, x, dynamic=dynamic)
        if remedy == "pass":
            program = without_expansions(program)
        written = torch.onnx.export(program, input_names=["x"], verbose=False, optimize=optimize)
        assert written is not None
        written.save(str(model))
    if remedy == "rule":
        apply_rule(model, model)


def _export_traced(module: nn.Module, x: Tensor, model: Path, *, dynamic: bool) -> None:
    free = {"x": {0: "B", 2: "H", 3: "W"}} if dynamic else None
    # Before torch 2.5 there is one exporter, and no parameter to choose it by.
    chosen: dict[str, Any] = (
        {"dynamo": False} if torch_features.takes("torch.onnx.export", "dynamo") else {}
    )
    torch.onnx.export(module, (x,), str(model), input_names=["x"], dynamic_axes=free, **chosen)


def apply_rule(source: Path, target: Path) -> None:
    """Write `source` anew, without an `Expand` that a broadcasting operator reads: by onnxscript.

    The rule needs shapes. The TorchScript exporter leaves them out, and takes the target shape
    from a `Shape` node, which only inference that propagates data sees through.
    """
    model = onnx.shape_inference.infer_shapes(onnx.load(str(source)), data_prop=True)
    mended = rewriter.rewrite(model, pattern_rewrite_rules=expand_before_binary_op_rules)
    onnx.save(mended, str(target))


def load(model: Path, x: Tensor, threads: int, level: str = "all") -> Program:
    """Load `model` at one of ONNX Runtime's `LEVELS`."""

    def again() -> Callable[[], list[Any]]:
        session = _session(model, threads, level, profile=None)
        return partial(session.run, None, {"x": x.clone().numpy()})

    run = again()
    return Program(again, lambda: torch.from_numpy(run()[0]), _profiled(model, x, threads, level))


def _session(
    model: Path, threads: int, level: str, profile: Path | None
) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = LEVELS[level]
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = FATAL
    if profile is not None:
        options.enable_profiling = True
        options.profile_file_prefix = str(profile)
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _profiled(model: Path, x: Tensor, threads: int, level: str) -> tuple[Step, ...]:
    """Return what ONNX Runtime's profiler recorded of one inference."""
    session = _session(model, threads, level, profile=model.with_name("profile"))
    session.run(None, {"x": x.numpy()})
    events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    return steps(events)


def steps(events: list[dict[str, object]]) -> tuple[Step, ...]:
    """Return the kernels of a profile, each with the bytes of its outputs."""
    kernels = [event for event in events if str(event["name"]).endswith("_kernel_time")]
    return tuple(_step(kernel["args"]) for kernel in kernels)


def _step(arguments: object) -> Step:
    assert isinstance(arguments, dict)
    name = str(arguments["op_name"])
    return Step(name, int(arguments["output_size"]), expands=name == "Expand")
