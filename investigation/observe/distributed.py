"""The operations that the line dispatches to DTensor, on one process."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import distributed
from torch.utils._python_dispatch import TorchDispatchMode

from investigation.evidence.observation import Form
from investigation.subject.cases import Case
from investigation.subject.variants import SCALES

FORMS: tuple[Form, ...] = ("expand_as", "broadcast")


class _Operations(TorchDispatchMode):
    """Keep the name of every operation that is dispatched inside."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch annotates this one in part
        self.names: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        self.names.append(str(func).removeprefix("aten.").removesuffix(".default"))
        return func(*args, **(kwargs or {}))


def dispatched(case: Case) -> dict[Form, tuple[str, ...]]:
    """Return what each form dispatches to DTensor, with input and gate sharded over the batch.

    Each operation costs DTensor its own propagation of placements.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Shard, distribute_tensor

    with _alone():
        mesh = init_device_mesh("cpu", (1,))
        x, gate = (distribute_tensor(tensor, mesh, [Shard(0)]) for tensor in case.tensors())
        return {form: _listed(form, x, gate) for form in FORMS}


def _listed(form: Form, x: torch.Tensor, gate: torch.Tensor) -> tuple[str, ...]:
    with _Operations() as operations:
        SCALES[form](x, gate)
    return tuple(operations.names)


@contextmanager
def _alone() -> Iterator[None]:
    """Make this process a group of its own; nothing listens anywhere."""
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    try:
        yield
    finally:
        distributed.destroy_process_group()
