"""Apache TVM, compiled as it comes: no fusing pipeline, no tuning."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import tvm
from torch import Tensor, nn
from tvm import relax
from tvm.relax.frontend.torch import from_exported_program

from investigation.runtimes.modules import exported
from investigation.runtimes.program import Program, Step

TARGET = "llvm"


def prepare(module: nn.Module, x: Tensor, _folder: Path, _threads: int) -> Program:
    """Import the exported module, compile it and load it into TVM's virtual machine."""
    imported = from_exported_program(exported(module, x))
    built = tvm.compile(imported, target=TARGET)

    def again() -> Callable[[], Any]:
        main = relax.VirtualMachine(built, tvm.cpu())["main"]
        return partial(main, tvm.runtime.tensor(x.numpy()))

    run = again()
    traced = _traced(relax.VirtualMachine(built, tvm.cpu()), tvm.runtime.tensor(x.numpy()))
    return Program(again, lambda: torch.from_numpy(run()[0].numpy()), traced)


def _traced(machine: Any, given: Any) -> tuple[Step, ...]:
    """Return the kernels that the virtual machine calls; a kernel's last tensor is its output."""
    traced: list[Step] = []

    def note(_function: Any, name: str, before: bool, _result: Any, *arguments: Any) -> None:
        tensors = [argument for argument in arguments if isinstance(argument, tvm.runtime.Tensor)]
        if before and tensors and not name.startswith("vm."):
            out = tensors[-1].numpy()
            traced.append(Step(name, out.nbytes, expands=name == "broadcast_to"))

    machine.set_instrument(note)
    machine["main"](given)
    return tuple(traced)
