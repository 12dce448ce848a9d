"""What both exporters write to ONNX, and ONNX Runtime makes of it: chapter 08, without a clock."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from investigation.evidence.kinds import versions
from investigation.evidence.observation import Observation
from investigation.evidence.parameters import Parameters
from investigation.runtimes import onnx_grid
from investigation.runtimes.adapters import onnxruntime
from investigation.runtimes.modules import block
from investigation.subject.cases import host_workloads


def exported(form: onnx_grid.OnnxExport, settings: Parameters) -> Iterator[Observation]:
    """Export the block one way, and count ONNX Runtime's levels at which an `Expand` writes."""
    case = host_workloads(settings.batch)[0]
    x, _ = case.tensors()
    with TemporaryDirectory() as folder, torch.no_grad():
        model = Path(folder, "block.onnx")
        onnxruntime.export(
            block(case, "expand_as"),
            x,
            model,
            exporter=form.exporter,
            dynamic=form.dynamic,
            optimize=form.optimize,
        )
        expected = block(case, "broadcast")(x)
        exports = [
            onnx_grid.ran(form, level, False, model, x, settings.threads, expected)
            for level in onnx_grid.LEVELS
        ]
    yield versions.OnnxExport(
        statement=f"levels of ONNX Runtime at which an Expand writes the gate out: {form.name}",
        form=form.name,
        tried=len(exports),
        writing=sum(export.expansions > 0 and export.bytes_written > 0 for export in exports),
        case=case,
    )


OBSERVATIONS: Mapping[str, Callable[[Parameters], Iterator[Observation]]] = {
    form.name: partial(exported, form) for form in onnx_grid.EXPORTS
}
