"""TorchScript: the module traced once, its weights frozen into the graph, stored in a file."""

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


def prepare(module: nn.Module, x: Tensor, folder: Path, _threads: int) -> Program:
    """Trace, freeze and store; load it, and let TorchScript settle on its optimised graph.

    Each comparison loads it anew, as one that is deployed is. Tracing it anew would take many times
    as long, and a trace is no part of what is compared.
    """
    stored = str(folder / "block.ts")
    torch.jit.save(torch.jit.freeze(torch.jit.trace(module, x)), stored)

    def again() -> Callable[[], object]:
        run = partial(torch.jit.load(stored), x.clone())
        for _ in range(SETTLING_RUNS):
            run()
        return run

    run = again()
    return Program(again, lambda: first(run()), traces.steps(run))
