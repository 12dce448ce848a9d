"""Inductor's and Triton's output for a GPU, on a machine that has none.

Nothing here pretends that a device is present. Inductor reads a device's properties before it
lowers a graph for it; here they come from the catalogue. Three steps replace what only a device
could do, and each is stated beside the results:

1. a graph is traced, differentiated and partitioned for the CPU, since autograd refuses tensors
   on a device that torch cannot reach, and is then moved to `cuda`: its fake tensors take that
   device, its shapes, strides and dtypes stay;
2. Inductor and Triton get the chip's properties, and Triton's driver only names its target;
3. nothing is launched, so the configuration that autotuning would choose is not known, and
   every candidate is compiled.

What is done here patches this process. Use a fresh one: `investigation.compiled.triton.proof` does.
"""

import copy
import hashlib
import importlib.util
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch
from pydantic import BaseModel, ConfigDict
from torch._dynamo import device_interface
from torch._guards import TracingContext
from torch._inductor import compile_fx
from torch._inductor.runtime.hints import DeviceProperties
from torch._subclasses.fake_tensor import FakeTensor, unset_fake_temporarily
from torch.fx import GraphModule
from torch.utils import _pytree as pytree
from torch.utils._triton import has_triton

from investigation.compiled.codegen import Generated, Target
from investigation.compiled.triton.installed import require_triton
from investigation.observe.deviceless import PastTheBindings
from investigation.subject import torch_features
from investigation.subject.gpu_catalog import Chip

DEVICE = torch.device("cuda:0")
LOWERING = "torch._inductor.compile_fx._compile_fx_inner"
KERNEL_TEXT = re.compile(r"'''(.*?)'''", re.DOTALL)
KERNEL_NAME = re.compile(r"^def (kernel_\d+)\(", re.MULTILINE)


def target(*chips: Chip) -> Target:
    """Return what `codegen.generate` needs to generate source for chips that are not here.

    Several chips share one trace; `apart` then separates their programs.
    """
    names = " and ".join(chip.name for chip in chips)
    return Target(names, "cpu", require_triton, partial(lowering_for, chips))


def apart(generated: Generated, chips: Sequence[Chip]) -> list[Generated]:
    """Return what was generated for several chips, one by one."""
    return [
        replace(generated, target=chip.name, programs=generated.programs[index :: len(chips)])
        for index, chip in enumerate(chips)
    ]


@contextmanager
def lowering_for(chips: Sequence[Chip]) -> Iterator[None]:
    """Have Inductor lower each graph for every chip in turn, moved to `cuda`."""
    lower = moving(torch_features.named(LOWERING), chips)
    with mock.patch.object(compile_fx, "_compile_fx_inner", lower):
        yield


@contextmanager
def described(chip: Chip) -> Iterator[None]:
    """Describe a chip to Inductor and Triton."""
    import triton

    interface, driver = _interface(chip), triton.runtime.driver
    active = "_active" if hasattr(driver, "_active") else "active"  # before Triton 3.4
    interfaces = {"cuda": interface, "cuda:0": interface}
    device_interface.get_interface_for_device("cuda")  # registers those that torch has
    _forget()
    with (
        mock.patch.dict(device_interface.device_interfaces, interfaces),
        mock.patch.object(torch.cuda, "get_device_properties", interface.get_device_properties),
        mock.patch.object(torch.version, "hip", "0.0" if chip.backend == "hip" else None),
        mock.patch.object(driver, active, _Named(chip)),
    ):
        yield
    _forget()


def _forget() -> None:
    """Forget what is cached about devices: torch keeps both answers as long as the process runs."""
    has_triton.cache_clear()
    DeviceProperties.create.cache_clear()


def _properties(chip: Chip) -> SimpleNamespace:
    """Return what Inductor reads of a device, from the catalogue."""
    major, minor = chip.capability
    return SimpleNamespace(
        name=chip.name,
        major=major,
        minor=minor,
        gcnArchName=str(chip.architecture),
        multi_processor_count=chip.multiprocessors,
        warp_size=chip.warp_size,
        max_threads_per_block=1024,
        max_threads_per_multi_processor=chip.threads_per_multiprocessor,
        regs_per_multiprocessor=chip.registers_per_multiprocessor,
    )


def _interface(chip: Chip) -> type[device_interface.CudaInterface]:
    """Return the catalogue's answers in the form that Inductor expects."""
    properties = _properties(chip)

    class Described(device_interface.CudaInterface):
        class Worker:
            get_device_properties = staticmethod(lambda _=None: properties)
            current_device = staticmethod(lambda: 0)

        get_device_properties = staticmethod(lambda _=None: properties)  # type: ignore[assignment]
        current_device = staticmethod(lambda: 0)
        device_count = staticmethod(lambda: 1)
        is_available = staticmethod(lambda: True)

        @staticmethod
        def get_compute_capability(device: torch.types.Device = None) -> int | str:
            del device
            return chip.architecture

        @staticmethod
        def is_bf16_supported(including_emulation: bool = False) -> bool:
            del including_emulation  # every chip of the catalogue computes in bfloat16
            return True

        @staticmethod
        def is_triton_capable(device: torch.types.Device = None) -> bool:
            del device
            return True

        @staticmethod
        def raise_if_triton_unavailable(device: torch.types.Device = None) -> None:
            del device

    return Described


class _Named:
    """A driver of Triton's that names its target and can do nothing else."""

    def __init__(self, chip: Chip) -> None:
        from triton.backends.compiler import GPUTarget

        self._target = GPUTarget(chip.backend, chip.architecture, chip.warp_size)

    def get_current_target(self) -> Any:
        return self._target

    def get_active_torch_device(self) -> torch.device:
        return DEVICE


def moving(lower: Any, chips: Sequence[Chip]) -> Any:
    """Return Inductor's entry point, for every chip, with what it is given moved to `cuda`."""

    def lower_moved(graph: GraphModule, inputs: Sequence[Any], **settings: Any) -> Any:
        given, lowered = [moved(input_) for input_ in inputs], None
        for chip in chips:
            own = copy.deepcopy(graph)  # Inductor rewrites the graph that it is given
            move_nodes(own)
            _forget_output_strides()
            with described(chip), PastTheBindings():
                lowered = lower(own, given, **settings)
        return lowered

    return lower_moved


def _forget_output_strides() -> None:
    """Empty the list into which a lowering notes its outputs' strides; it must find it empty."""
    context = TracingContext.try_get()
    if context is not None and context.output_strides:
        context.output_strides.clear()


def move_nodes(graph: GraphModule) -> None:
    """Move a graph's own fake tensors and device arguments to `cuda`."""
    for node in graph.graph.nodes:
        if "val" in node.meta:
            node.meta["val"] = pytree.tree_map(moved, node.meta["val"])
        if "device" in node.kwargs:
            node.kwargs = {**node.kwargs, "device": DEVICE}


def moved(value: Any) -> Any:
    """Return a fake tensor on `cuda` of the same shape, strides and dtype; the rest as it is."""
    if not isinstance(value, FakeTensor):
        return value
    size, stride = value.size(), value.stride()
    with unset_fake_temporarily():
        inner = torch.empty_strided(size, stride, dtype=value.dtype, device="meta")
    return FakeTensor(value.fake_mode, inner, DEVICE)


# Before torch 2.9 no function of Inductor's returns a kernel's options, and none is compiled here.
OPTIONS = "torch._inductor.runtime.triton_heuristics.CachingAutotuner._create_compile_meta"
COMPILES = torch_features.has(OPTIONS)


class Compiled(BaseModel):
    """One kernel in one configuration as machine code; digests are sha256."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kernel: str
    configuration: str
    assembly_sha256: str
    binary_sha256: str
    binary_bytes: int
    assembly: str


def compiled(kernel: str, chip: Chip) -> list[Compiled]:
    """Compile a kernel's definition in each candidate configuration, Triton's cache set aside.

    `kernel` is a normalised definition, as in `GeneratedProgram.kernels`. Line information is
    switched off, which would put this machine's paths into the code; nothing else is left out.
    Raises `ValueError` if the text holds no kernel of Triton's.
    """
    import triton

    definition = KERNEL_TEXT.search(kernel)
    name = KERNEL_NAME.search(definition[1]) if definition else None
    if definition is None or name is None:
        raise ValueError(f"no Triton kernel in this text: {kernel[:60]!r}")
    with described(chip), mock.patch.object(triton.knobs.compilation, "disable_line_info", True):
        tuner = getattr(_imported(definition[1]), name[1])
        return [_compiled(tuner, config, chip) for config in tuner.configs]


@cache
def compiled_once(kernel: str, chip: Chip) -> tuple[Compiled, ...]:
    """Do as `compiled`, once for each text in this process, which has one form only."""
    return tuple(compiled(kernel, chip))


def _imported(text: str) -> Any:
    """Import a kernel's text from a file, since Triton reads its source from there."""
    from torch._inductor.runtime import triton_helpers

    digest = hashlib.sha256(text.encode()).hexdigest()
    path = Path(tempfile.gettempdir(), f"kernel_{digest[:16]}.py")
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with mock.patch.object(triton_helpers, "set_driver_to_gpu"):
        spec.loader.exec_module(module)
    return module


def _compiled(tuner: Any, configuration: Any, chip: Chip) -> Compiled:
    """Do as `CachingAutotuner._precompile_config`, up to the binary."""
    import triton
    from triton.compiler import ASTSource

    meta = tuner._create_compile_meta(configuration)
    source = ASTSource(tuner.fn, meta["signature"], meta["constants"], meta["configs"][0])
    compiled_files = triton.compile(
        source,
        target=_Named(chip).get_current_target(),
        options=tuner._create_compile_options(configuration, meta),
    ).asm
    assembly, binary = compiled_files[chip.assembly], compiled_files[chip.binary]
    return Compiled(
        kernel=tuner.fn.__name__,
        configuration=str(configuration),
        assembly_sha256=hashlib.sha256(assembly.encode()).hexdigest(),
        binary_sha256=hashlib.sha256(binary).hexdigest(),
        binary_bytes=len(binary),
        assembly=assembly,
    )
