"""The runtimes of the book: each with its adapter, and what was tried and left out, with why."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# What runs the program: PyTorch itself, or a runtime that gets it from PyTorch.
Family = Literal["pytorch", "exported", "remedy"]


@dataclass(frozen=True)
class Runtime:
    """One way of running a module; `options` go to the adapter's function `prepare`.

    `packages` are the modules that have to be importable, the runtime's own first. A remedy is
    the runtime that it is applied to, with the expansion taken out of the program instead of
    the source. `most_cases` keeps one that takes long to prepare to the first workloads.
    """

    slug: str
    title: str
    family: Family
    adapter: str
    packages: tuple[str, ...] = ("torch",)
    options: Mapping[str, str] = field(default_factory=dict)
    function: str = "prepare"
    most_cases: int | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """Return the packages that this platform does not have."""
        return tuple(
            package for package in self.packages if importlib.util.find_spec(package) is None
        )


ONNX = ("onnxruntime", "onnx", "onnxscript")
# Two at a time are prepared in this order; the two of a pair take about equally long.
RUNTIMES: tuple[Runtime, ...] = (
    Runtime("eager", "PyTorch eager", "pytorch", "eager"),
    Runtime("torchscript", "TorchScript", "exported", "torchscript"),
    Runtime("compile", "torch.compile", "pytorch", "inductor"),
    Runtime("aoti", "AOTInductor", "exported", "inductor", function="prepare_ahead", most_cases=1),
    Runtime("onnxruntime", "ONNX Runtime (dynamo)", "exported", "onnxruntime", ONNX),
    Runtime(
        "onnxruntime_ts",
        "ONNX Runtime (TorchScript)",
        "exported",
        "onnxruntime",
        ONNX,
        {"exporter": "torchscript"},
    ),
    Runtime("openvino", "OpenVINO (torch.export)", "exported", "openvino", ("openvino",)),
    Runtime(
        "openvino_trace",
        "OpenVINO (trace)",
        "exported",
        "openvino",
        ("openvino",),
        {"reads": "trace"},
    ),
    Runtime("executorch", "ExecuTorch (portable)", "exported", "executorch", ("executorch",)),
    Runtime(
        "executorch_xnnpack",
        "ExecuTorch (XNNPACK)",
        "exported",
        "executorch",
        ("executorch",),
        {"delegate": "xnnpack"},
    ),
    Runtime("tvm", "TVM", "exported", "tvm", ("tvm",)),
    Runtime("mnn", "MNN", "exported", "mnn", ("MNN", *ONNX)),
    Runtime("ncnn", "ncnn", "exported", "ncnn", ("ncnn", "pnnx")),
)
REMEDIES: tuple[Runtime, ...] = (
    Runtime(
        "onnxruntime_rule",
        "onnxscript's rule: ONNX Runtime (dynamo)",
        "remedy",
        "onnxruntime",
        ONNX,
        {"remedy": "rule"},
        most_cases=1,
    ),
    Runtime(
        "onnxruntime_ts_rule",
        "onnxscript's rule: ONNX Runtime (TorchScript)",
        "remedy",
        "onnxruntime",
        ONNX,
        {"remedy": "rule", "exporter": "torchscript"},
        most_cases=1,
    ),
    Runtime(
        "onnxruntime_pass",
        "graph pass: ONNX Runtime (dynamo)",
        "remedy",
        "onnxruntime",
        ONNX,
        {"remedy": "pass"},
        most_cases=1,
    ),
    Runtime(
        "openvino_pass",
        "graph pass: OpenVINO (torch.export)",
        "remedy",
        "openvino",
        ("openvino",),
        {"remedy": "pass"},
        most_cases=1,
    ),
    Runtime(
        "executorch_pass",
        "graph pass: ExecuTorch (XNNPACK)",
        "remedy",
        "executorch",
        ("executorch",),
        {"delegate": "xnnpack", "remedy": "pass"},
        most_cases=1,
    ),
)
SLUGS = tuple(runtime.slug for runtime in RUNTIMES)
BY_SLUG: Mapping[str, Runtime] = {runtime.slug: runtime for runtime in (*RUNTIMES, *REMEDIES)}


@dataclass(frozen=True)
class LeftOut:
    """A way of running the block that was tried, or is known, and is not part of this chapter."""

    name: str
    version: str
    why: str


LEFT_OUT: tuple[LeftOut, ...] = (
    LeftOut(
        "LiteRT, by litert-torch",
        "0.10.0",
        "cannot be installed beside this book: through xdsl it asks for a typing-extensions older "
        "than 4.13, and pydantic asks for 4.16 or newer",
    ),
    LeftOut(
        "LiteRT, by onnx2tf",
        "2.6.9",
        "cannot be installed beside this book: it would take numpy, onnx, onnxruntime and protobuf "
        "back to older versions",
    ),
    LeftOut(
        "XLA, by torchax",
        "0.0.13",
        "does not import with this torch: it asks for the overload aten.prod.dim_Dimname, which is "
        "gone",
    ),
    LeftOut("XLA, by torch-xla", "2.9.0", "does not import with this torch: undefined symbol"),
    LeftOut(
        "Core ML, by coremltools",
        "9.0",
        "converts on Linux, with a tile in the program, and runs on Apple's systems only",
    ),
    LeftOut(
        "IREE, by iree-turbine",
        "3.9.0",
        "converts and runs; left out for the size of its compiler",
    ),
    LeftOut(
        "tract",
        "0.23.9",
        "reads the ONNX file and runs; left out because its Python binding tells neither the graph "
        "nor the memory, and has no build for ARM",
    ),
    LeftOut("TensorRT", "", "needs an NVIDIA GPU; not tried"),
)
