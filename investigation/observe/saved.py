"""What a forward pass keeps for its backward pass."""

from collections.abc import Callable, Iterable

from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks


def saved_tensors(run: Callable[[], object]) -> list[Tensor]:
    """Return the tensors that autograd saves while `run` runs, in order, repeats included.

    They are held here, so no storage among them can be freed and handed out a second time.
    """
    saved: list[Tensor] = []

    def pack(tensor: Tensor) -> Tensor:
        saved.append(tensor)
        return tensor

    with saved_tensors_hooks(pack, _unchanged):
        run()
    return saved


def _unchanged(tensor: Tensor) -> Tensor:
    return tensor


def storage_bytes(tensors: Iterable[Tensor]) -> int:
    """Return the bytes of the storages behind `tensors`, each storage once."""
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage() for tensor in tensors}
    return sum(storage.nbytes() for storage in storages.values())
