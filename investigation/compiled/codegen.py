"""What torch.compile makes of a variant: graphs and generated source, without running any of it.

`generate` sends one variant through Dynamo, AOTAutograd and Inductor and keeps what each of
them makes. Inductor's last step, which hands the source to a compiler, is left out, as
`torch._inductor.utils.get_code` does, so that a setting takes a fraction of a second.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from investigation.compiled import kernel_source, tensor_sizes
from investigation.compiled.compile_settings import Mode
from investigation.compiled.kernel_source import GeneratedProgram
from investigation.compiled.lowering import lowered
from investigation.compiled.toolchain import require_cpp_compiler
from investigation.evidence.kinds.programs import ProgramSummary
from investigation.subject import torch_features
from investigation.subject.cases import Case, Level
from investigation.subject.variants import SCALES, Scale, SEBlock


def _written_out(tensor: Tensor) -> Tensor:
    """Write a tensor out in full."""
    return tensor.clone(memory_format=torch.contiguous_format)


HAS_OPERATIONS = torch_features.has("torch.library.custom_op")
# The same behind a call that Inductor cannot look into, if torch allows such an operator.
copy: Callable[[Tensor], Tensor] = _written_out
if HAS_OPERATIONS:
    operation = torch.library.custom_op("investigation::copy", mutates_args=())(_written_out)
    operation.register_fake(
        lambda tensor: torch.empty(tensor.shape, dtype=tensor.dtype, device=tensor.device)
    )
    operation.register_autograd(lambda _, gradient: gradient)
    copy = operation


def opaque(x: Tensor, gate: Tensor) -> Tensor:
    """Scale by a gate that was written out behind Inductor's back: the positive control here.

    Inductor fuses away the copy of `materialized`, so that one cannot show whether a
    comparison of kernels sees a copy. This one can.
    """
    written_out: Tensor = copy(gate.expand_as(x))
    return x * written_out


# Before torch 2.4 nothing can be hidden from Inductor so simply, and there is no such control.
VARIANTS: Mapping[str, Scale] = MappingProxyType(
    {**SCALES, "opaque": opaque} if HAS_OPERATIONS else SCALES
)


@dataclass(frozen=True)
class Target:
    """What Inductor generates source for: a name, the device of the inputs, and two hooks.

    `require` raises an error if this machine lacks what the target needs; `active` is entered
    around the making of inputs and the lowering, and describes the target to Inductor.
    """

    name: str
    device: str
    require: Callable[[], object]
    active: Callable[[], AbstractContextManager[Any]] = nullcontext


CPU = Target("cpu", "cpu", require_cpp_compiler)


@dataclass(frozen=True)
class Generated:
    """What a compiler makes of one variant in one setting.

    `programs` is one for inference, forward and backward for training. `graphs` holds the
    operations of each graph on the way there: `dynamo`, what was traced; `aten`, what
    AOTAutograd made of it, forward and backward in one for training; `inductor forward` and
    `inductor backward`, after Inductor's passes.
    """

    variant: str
    case: Case
    level: Level
    mode: Mode
    dynamic: bool
    target: str
    programs: tuple[GeneratedProgram, ...]
    graphs: Mapping[str, tuple[str, ...]]

    @property
    def kernel_source(self) -> str:
        """The normalised source of all kernels, forward before backward."""
        return "\n\n".join(text for program in self.programs for text in program.kernels)

    @property
    def host_source(self) -> str:
        """The normalised source of the host programs that allocate, launch and free."""
        return "\n\n".join(program.host for program in self.programs)

    @property
    def source(self) -> str:
        """All of the normalised source."""
        return f"{self.kernel_source}\n\n{self.host_source}"

    @property
    def digest(self) -> str:
        """The sha256 of all of the normalised source."""
        return kernel_source.digest(self.source)

    @property
    def kernel_digest(self) -> str:
        """The sha256 of the kernels' normalised source."""
        return kernel_source.digest(self.kernel_source)

    @property
    def names(self) -> tuple[str, ...]:
        """The kernels' own names, which normalisation takes out."""
        return tuple(name for program in self.programs for name in program.names)

    @property
    def launches(self) -> int:
        """Number of launches of generated kernels."""
        return sum(program.launches for program in self.programs)

    @property
    def library_calls(self) -> tuple[str, ...]:
        """The calls to kernels that were not generated."""
        return tuple(call for program in self.programs for call in program.library_calls)

    @property
    def kernels(self) -> int:
        """Number of kernels that run, generated or from a library."""
        return self.launches + len(self.library_calls)

    @property
    def passes(self) -> int:
        """Number of outermost loops in the generated kernels."""
        return sum(program.passes for program in self.programs)

    @property
    def buffers(self) -> int:
        """Number of tensors that the host programs allocate, outputs among them."""
        return sum(program.buffers for program in self.programs)

    @property
    def full_size(self) -> int:
        """Number of tensors as large as the input that the host programs make."""
        return sum(tensor_sizes.full_size(program.host, self.case) for program in self.programs)

    def summary(self) -> ProgramSummary:
        """Return what a record keeps of it: digests, counts and names, not the source."""
        return ProgramSummary(
            sha256=self.digest,
            kernels_sha256=self.kernel_digest,
            kernels=self.kernels,
            of_a_library=len(self.library_calls),
            loops=self.passes,
            buffers=self.buffers,
            full_size=self.full_size,
            names=self.names,
        )


def generate(
    variant: str,
    case: Case,
    level: Level = "multiply",
    mode: Mode = "inference",
    *,
    dynamic: bool = False,
    target: Target = CPU,
) -> Generated:
    """Return what Inductor generates for one variant in one setting, without building it.

    `variant` is a key of `VARIANTS`. A block whose case has another gate dtype runs under
    autocast to that dtype. Raises what `target.require` raises, such as `NoCompilerError`.
    """
    target.require()
    with target.active():
        run, inputs = step(variant, case, level, mode, target.device)
        programs, graphs = lowered(run, inputs, dynamic, training=mode == "training")
    return Generated(variant, case, level, mode, dynamic, target.name, programs, graphs)


def residual(generated: Generated, other: Generated, context: int = 0) -> str:
    """Return what still differs between two normalised sources; empty if nothing does."""
    names = (generated.variant, other.variant)
    return kernel_source.residual(generated.source, other.source, names, context)


def step(
    variant: str, case: Case, level: Level, mode: Mode, device: str = "cpu"
) -> tuple[Callable[..., Tensor], tuple[Tensor, ...]]:
    """Return what is compiled, and its inputs: the multiply's are input and gate."""
    x, gate = case.tensors(device)
    training = mode == "training"
    if level == "multiply":
        inputs = (x.requires_grad_(training), gate.requires_grad_(training))
        return in_order(VARIANTS[variant]), inputs
    return _block(variant, case, training, device), (x.requires_grad_(training),)


def in_order(scale: Scale) -> Scale:
    """Return the scale, called by a function that uses the input before the gate.

    Dynamo numbers the inputs of a graph in the order in which they are first used. Inside a
    block the input comes first in both forms, since it is pooled; alone, `x * y.expand_as(x)`
    uses `y` first, and all that follows would be the same with its arguments swapped.
    """

    def scaled(x: Tensor, gate: Tensor) -> Tensor:
        x.dim(), gate.dim()
        return scale(x, gate)

    return scaled


def _block(variant: str, case: Case, training: bool, device: str) -> Callable[..., Tensor]:
    torch.manual_seed(case.seed)
    block = SEBlock(case.shape[1], case.reduction)
    block.scale = VARIANTS[variant]
    block.to(device, getattr(torch, case.dtype)).train(training).requires_grad_(training)
    if case.gate_dtype in (None, case.dtype):
        return block
    return partial(_under_autocast, block, device, getattr(torch, str(case.gate_dtype)))


def _under_autocast(block: nn.Module, device: str, dtype: torch.dtype, x: Tensor) -> Tensor:
    with torch.autocast(torch.device(device).type, dtype):
        return torch.as_tensor(block(x))
