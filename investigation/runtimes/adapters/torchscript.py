"""TorchScript: the module traced once, its weights frozen into the graph."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from investigation.runtimes import traces
from investigation.runtimes.modules import first
from investigation.runtimes.program import Program

# The first runs profile and specialise the graph; the steps are read after them.
SETTLING_RUNS = 3


def prepare(module: nn.Module, x: Tensor, _folder: Path, _threads: int) -> Program:
    """Trace, freeze, and let TorchScript settle on its optimised graph."""

    def again() -> Callable[[], object]:
        run = partial(torch.jit.freeze(torch.jit.trace(module, x)), x.clone())
        for _ in range(SETTLING_RUNS):
            run()
        return run

    run = again()
    return Program(again, lambda: first(run()), traces.steps(run))
