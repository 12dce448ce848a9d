"""PyTorch as it is written."""

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from pathlib import Path

from torch import Tensor, nn

from investigation.runtimes import traces
from investigation.runtimes.modules import first
from investigation.runtimes.program import Program


def prepare(module: nn.Module, x: Tensor, _folder: Path, _threads: int) -> Program:
    """Run the module call by call."""

    def again() -> Callable[[], object]:
        return partial(deepcopy(module), x.clone())

    run = again()
    return Program(again, lambda: first(run()), traces.steps(run))
