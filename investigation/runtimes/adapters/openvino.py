"""OpenVINO on a CPU, in float32, fed in both ways that it has of reading a PyTorch module."""

from pathlib import Path
from typing import Any, Literal

import openvino
import torch
from torch import Tensor, nn

from investigation.runtimes.graph_pass import without_expansions
from investigation.runtimes.modules import exported
from investigation.runtimes.program import Program, Step

Reads = Literal["export", "trace"]
# What OpenVINO's executable graph lists beside the work: inputs, outputs and weights.
NO_WORK = ("Input", "Output", "Const")


def prepare(
    module: nn.Module,
    x: Tensor,
    _folder: Path,
    threads: int,
    reads: Reads = "export",
    remedy: Literal["pass"] | None = None,
) -> Program:
    """Convert a `torch.export` program or a trace, and compile it for the CPU."""
    return load(_converted(module, x, reads, remedy), x, threads)


def load(model: openvino.Model, x: Tensor, threads: int) -> Program:
    """Compile a model for the CPU."""
    settings = {"INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    core = openvino.Core()

    def requested() -> openvino.InferRequest:
        request = core.compile_model(model, "CPU", settings).create_infer_request()
        request.set_input_tensor(openvino.Tensor(x.numpy()))  # a copy: no arm copies its input
        request.infer()
        return request

    request = requested()

    def result() -> Tensor:
        request.infer()
        return torch.from_numpy(request.get_output_tensor(0).data.copy())

    return Program(lambda: requested().infer, result, steps(request.get_compiled_model()))


def _converted(module: nn.Module, x: Tensor, reads: Reads, remedy: str | None) -> openvino.Model:
    if reads == "trace":
        return openvino.convert_model(module, example_input=x, input=[list(x.shape)])
    program = exported(module, x)
    return openvino.convert_model(without_expansions(program) if remedy else program)


def steps(compiled: openvino.CompiledModel) -> tuple[Step, ...]:
    """Return the nodes of the graph that runs, with the bytes of their outputs."""
    nodes = [(_kind(node), node) for node in compiled.get_runtime_model().get_ordered_ops()]
    return tuple(
        Step(kind, _bytes(node), expands=kind == "Broadcast")
        for kind, node in nodes
        if kind not in NO_WORK
    )


def _kind(node: Any) -> str:
    return str(node.get_rt_info()["layerType"].astype(str))


def _bytes(node: Any) -> int:
    outputs = [output for output in node.outputs() if output.get_partial_shape().is_static]
    return sum(output.get_element_type().size * _elements(output) for output in outputs)


def _elements(output: Any) -> int:
    count = 1
    for size in output.get_shape():
        count *= size
    return count
