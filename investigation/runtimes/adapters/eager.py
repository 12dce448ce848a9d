"""PyTorch as it is written."""

from pathlib import Path

from torch import Tensor, nn

from investigation.runtimes import traces
from investigation.runtimes.modules import first
from investigation.runtimes.program import Program


def prepare(module: nn.Module, x: Tensor, _folder: Path, _threads: int) -> Program:
    """Run the module call by call."""

    def run() -> object:
        return module(x)

    return Program(run, lambda: first(run()), traces.steps(run))
