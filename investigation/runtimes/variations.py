"""Exports with open sizes, and quantised ones: whether the expansion is still a step of its own.

Nothing is timed. Each export has a process of its own, as every runtime has.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from investigation.runtimes import workers
from investigation.runtimes.modules import block, exported
from investigation.runtimes.program import Step
from investigation.subject.cases import Case
from investigation.timing.processes import Reply

Kind = Literal["dynamic", "quantised"]
Steps = tuple[Step, ...]
FORMS = ("expand_as", "broadcast")
LARGEST = 2  # times the size of the example: what a runtime that plans its memory has to know


@dataclass(frozen=True)
class Variation:
    """One way to export the block: for which runtime, of which kind, and what has to be here."""

    slug: str
    title: str
    kind: Kind
    packages: tuple[str, ...]


VARIATIONS = (
    Variation("openvino", "OpenVINO (torch.export)", "dynamic", ("openvino",)),
    Variation("executorch", "ExecuTorch (XNNPACK)", "dynamic", ("executorch",)),
    Variation("qdq", "ONNX Runtime, QDQ", "quantised", ("onnxruntime", "onnx", "onnxscript")),
    Variation("pt2e", "ExecuTorch (XNNPACK), PT2E", "quantised", ("executorch", "torchao")),
)


def openvino(module: nn.Module, x: Tensor, folder: Path) -> Steps:
    """Convert a program whose batch, height and width are open."""
    import openvino as runtime

    from investigation.runtimes.adapters import openvino as adapter

    del folder
    model = runtime.convert_model(exported(module, x, dynamic=True))
    precision = {"INFERENCE_PRECISION_HINT": "f32"}
    return adapter.steps(runtime.Core().compile_model(model, "CPU", precision))


def executorch(module: nn.Module, x: Tensor, folder: Path) -> Steps:
    """Lower a program whose batch, height and width are open up to twice the example's."""
    del folder
    names = {0: "batch", 2: "height", 3: "width"}
    free = {
        axis: torch.export.Dim(name, max=LARGEST * x.shape[axis]) for axis, name in names.items()
    }
    return _lowered(torch.export.export(module, (x,), dynamic_shapes=(free,)))


def pt2e(module: nn.Module, x: Tensor, folder: Path) -> Steps:
    """Quantise by PT2E with XNNPACK's symmetric configuration, and lower."""
    from executorch.backends.xnnpack.quantizer import xnnpack_quantizer
    from torchao.quantization.pt2e import quantize_pt2e

    del folder
    symmetric = xnnpack_quantizer.get_symmetric_quantization_config()
    quantizer = xnnpack_quantizer.XNNPACKQuantizer().set_global(symmetric)
    prepared = quantize_pt2e.prepare_pt2e(exported(module, x).module(), quantizer)
    prepared(x)  # calibrates it
    return _lowered(torch.export.export(quantize_pt2e.convert_pt2e(prepared), (x,)))


def _lowered(program: ExportedProgram) -> Steps:
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    from investigation.runtimes.adapters import executorch as adapter

    lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
    return adapter.steps(lowered.to_executorch())


def qdq(module: nn.Module, x: Tensor, folder: Path) -> Steps:
    """Quantise an ONNX model with pairs of QuantizeLinear and DequantizeLinear, and load it."""
    from onnxruntime import quantization

    from investigation.runtimes.adapters import onnxruntime as adapter

    class Example(quantization.CalibrationDataReader):  # type: ignore[misc]  # it ships no types
        def __init__(self) -> None:
            self.left = [{"x": x.numpy()}]

        def get_next(self) -> dict[str, Any] | None:
            return self.left.pop() if self.left else None

    plain, quantised = folder / "plain.onnx", folder / "quantised.onnx"
    adapter.export(module, x, plain)
    form = quantization.QuantFormat.QDQ
    quantization.quantize_static(str(plain), str(quantised), Example(), quant_format=form)
    return adapter.load(quantised, x, threads=1).steps


EXPORTERS: Mapping[str, Callable[[nn.Module, Tensor, Path], Steps]] = {
    "openvino": openvino,
    "executorch": executorch,
    "qdq": qdq,
    "pt2e": pt2e,
}


def observe(
    slug: str, case: Mapping[str, Any], folder: str
) -> Generator[None, None, dict[str, Any]]:
    """Export the block in both forms one way; the answer holds each form's `steps`."""
    torch.set_grad_enabled(mode=False)
    given = Case.model_validate(case)
    x, _ = given.tensors()
    steps = {}
    for form in FORMS:
        place = Path(folder, form)
        place.mkdir()
        exported = EXPORTERS[slug](block(given, form), x, place)
        steps[form] = [[step.op, step.bytes_written, step.expands] for step in exported]
    yield
    return {"steps": steps}


def ask(variations: Sequence[Variation], case: Case) -> dict[Variation, Reply]:
    """Return what became of each export whose packages are here, each in its own process."""
    questions = [
        {"slug": variation.slug, "case": case.model_dump(mode="json")} for variation in variations
    ]
    return dict(zip(variations, workers.run(observe, questions), strict=True))


def steps_of(reply: Reply, form: str) -> Steps:
    """Return the steps that one form runs."""
    return tuple(Step(*step) for step in reply.answer["steps"][form])
