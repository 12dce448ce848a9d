"""Exports with open sizes, and quantised ones: does the expansion survive, and what does it cost.

Each export has a process of its own, as every runtime has.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.export import ExportedProgram

from investigation.runtimes import workers
from investigation.runtimes.modules import block, exported
from investigation.runtimes.observe import timed_loads
from investigation.runtimes.program import Program, Step, Trace, loads_of
from investigation.subject.cases import Case
from investigation.timing.comparison import Comparison
from investigation.timing.processes import Reply

Kind = Literal["dynamic", "quantised"]
FORMS = ("expand_as", "broadcast")
LARGEST = 2  # times the size of the example: what a runtime that plans its memory has to know


@dataclass(frozen=True)
class Variation:
    """One way to export the block: for which runtime, of which kind, and what has to be here."""

    slug: str
    title: str
    kind: Kind
    packages: tuple[str, ...]

    @property
    def runtime(self) -> str:
        """The name that its timings have among the runtimes."""
        return f"{self.slug}, {self.kind}"


VARIATIONS = (
    Variation("openvino", "OpenVINO (torch.export)", "dynamic", ("openvino",)),
    Variation("executorch", "ExecuTorch (XNNPACK)", "dynamic", ("executorch",)),
    Variation("qdq", "ONNX Runtime, QDQ", "quantised", ("onnxruntime", "onnx", "onnxscript")),
    Variation("pt2e", "ExecuTorch (XNNPACK), PT2E", "quantised", ("executorch", "torchao")),
)


def openvino(module: nn.Module, x: Tensor, folder: Path) -> Program:
    """Convert a program whose batch, height and width are open."""
    import openvino as runtime

    from investigation.runtimes.adapters import openvino as adapter

    del folder
    return adapter.load(runtime.convert_model(exported(module, x, dynamic=True)), x, threads=1)


def executorch(module: nn.Module, x: Tensor, folder: Path) -> Program:
    """Lower a program whose batch, height and width are open up to twice the example's."""
    names = {0: "batch", 2: "height", 3: "width"}
    free = {
        axis: torch.export.Dim(name, max=LARGEST * x.shape[axis]) for axis, name in names.items()
    }
    return _lowered(torch.export.export(module, (x,), dynamic_shapes=(free,)), x, folder)


def pt2e(module: nn.Module, x: Tensor, folder: Path) -> Program:
    """Quantise by PT2E with XNNPACK's symmetric configuration, and lower."""
    from executorch.backends.xnnpack.quantizer import xnnpack_quantizer
    from torchao.quantization.pt2e import quantize_pt2e

    symmetric = xnnpack_quantizer.get_symmetric_quantization_config()
    quantizer = xnnpack_quantizer.XNNPACKQuantizer().set_global(symmetric)
    prepared = quantize_pt2e.prepare_pt2e(exported(module, x).module(), quantizer)
    prepared(x)  # calibrates it
    return _lowered(torch.export.export(quantize_pt2e.convert_pt2e(prepared), (x,)), x, folder)


def _lowered(program: ExportedProgram, x: Tensor, folder: Path) -> Program:
    from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
    from executorch.exir import to_edge_transform_and_lower

    from investigation.runtimes.adapters import executorch as adapter

    lowered = to_edge_transform_and_lower(program, partitioner=[XnnpackPartitioner()])
    return adapter.load(lowered.to_executorch(), x, folder, threads=1)


def qdq(module: nn.Module, x: Tensor, folder: Path) -> Program:
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
    return adapter.load(quantised, x, threads=1)


EXPORTERS: Mapping[str, Callable[[nn.Module, Tensor, Path], Program]] = {
    "openvino": openvino,
    "executorch": executorch,
    "qdq": qdq,
    "pt2e": pt2e,
}


def observe(
    slug: str, case: Mapping[str, Any], settings: Mapping[str, Any], folder: str
) -> Generator[None, None, dict[str, Any]]:
    """Export the block in both forms one way, yield once, then time them.

    `settings` are `budget_s`, `seed` and `margin`. The answer holds each form's `steps`, the
    `comparison` of the forms, and that of two `copies` of the plain one.
    """
    torch.set_grad_enabled(mode=False)
    workload = Case.model_validate(case)
    x, _ = workload.tensors()
    programs: dict[str, Program] = {}
    for form in FORMS:
        place = Path(folder, form)
        place.mkdir()
        programs[form] = EXPORTERS[slug](block(workload, form), x, place)
    steps = {form: Trace.of(program).to_dict()["steps"] for form, program in programs.items()}
    loads = loads_of(programs)
    del programs
    yield
    timed = partial(timed_loads, loads, {**settings, "threads": 1})
    return {
        "steps": steps,
        "comparison": timed("broadcast", "expand_as"),
        "copies": timed("broadcast", "broadcast"),
    }


def ask(variations: Sequence[Variation], case: Case, **settings: Any) -> dict[Variation, Reply]:
    """Return what became of each export whose packages are here, each in its own process.

    Exports to one runtime take about as long, so these are prepared side by side.
    """
    alike = sorted(variations, key=lambda variation: variation.packages)
    questions = [
        {
            "slug": variation.slug,
            "case": case.model_dump(mode="json"),
            "settings": settings,
        }
        for variation in alike
    ]
    replies = dict(zip(alike, workers.run(observe, questions), strict=True))
    return {variation: replies[variation] for variation in variations}


def steps_of(reply: Reply, form: str) -> tuple[Step, ...]:
    """Return the steps that one form runs."""
    return tuple(Step(**step) for step in reply.answer["steps"][form])


def compared(reply: Reply, name: Literal["comparison", "copies"]) -> Comparison:
    """Return what was timed: the forms, or two copies of the plain one."""
    return Comparison.from_samples(reply.answer[name])
