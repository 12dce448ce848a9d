"""PyTorch as it is written."""

from copy import deepcopy
from pathlib import Path

from torch import Tensor, nn

from investigation.runtimes import traces
from investigation.runtimes.modules import first
from investigation.runtimes.program import Program, Run


def prepare(module: nn.Module, x: Tensor, _folder: Path, _threads: int) -> Program:
    """Run the module call by call."""

    def run() -> object:
        return module(x)

    def load() -> Run:
        again, moved = deepcopy(module), x.clone()
        return lambda: again(moved)

    return Program(run, lambda: first(run()), traces.steps(run), load=load)
