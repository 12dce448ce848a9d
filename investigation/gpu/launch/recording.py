"""What was found as records of evidence."""

from collections.abc import Iterator
from typing import Any

from investigation.evidence.kinds.gpus import Launch, SameLaunches
from investigation.gpu.launch.comparison import Group
from investigation.gpu.launch.proof import Proof, Shown

WORDS = {
    "multiply": "the multiply",
    "gradient_of_input": "the input's gradient",
    "gradient_of_gate": "the gate's gradient",
}


def records(proof: Proof) -> Iterator[SameLaunches | Launch]:
    """Iterate over the records of a proof: each group, then each launch that is shown."""
    yield from (_same(group) for group in proof.groups)
    yield from (_launch(launch, proof.chip) for launch in proof.shown)


def _same(group: Group) -> SameLaunches:
    return SameLaunches(
        statement=f"settings in which eager CUDA launches differ for {WORDS[group.operation]}: "
        f"{group.family}, {group.dtypes} dtypes",
        differing=group.differing,
        **group.model_dump(),
    )


def _launch(shown: Shown, chip: str) -> Launch:
    iterator, kernel = shown.iterator, shown.kernel
    read: dict[str, Any] = {}
    if kernel is not None:
        read = kernel.model_dump(include={"vector", "casts", "walked", "grid", "block"})
        read["kernel"] = str(kernel)
    return Launch(
        statement=f"launch {shown.place + 1} of {WORDS[shown.operation]} on CUDA, {shown.form}",
        case=shown.case,
        operation=shown.operation,
        form=shown.form,
        place=shown.place,
        calculates=iterator.operation,
        shape=iterator.shape,
        stride_bytes=tuple(operand.stride_bytes for operand in iterator.operands),
        dtypes=tuple(operand.dtype for operand in iterator.operands),
        contiguous=iterator.contiguous,
        fits_32_bits=iterator.fits_32_bits,
        chip=chip,
        **read,
    )
