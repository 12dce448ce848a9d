"""Rules about memory: the view, the copy, and what the line asks for."""

from collections.abc import Sequence

from investigation.claims.claim import Verdict, qualified, refuted, supported
from investigation.claims.rules import runtimes
from investigation.evidence.kinds.deployments import RuntimeProgram
from investigation.evidence.kinds.layouts import View
from investigation.evidence.kinds.resources import Memory
from investigation.evidence.observation import Dtypes
from investigation.evidence.words import kib

READS_THE_GATE = "a tensor object that reads the gate's own memory and allocates nothing"


def asked(memory: Sequence[Memory], dtypes: Dtypes, form: str) -> int:
    """Return the bytes that a form asks for beside its output."""
    return next(one.bytes for one in memory if (one.dtypes, one.form) == (dtypes, form))


def copies(memory: Sequence[Memory], dtypes: Dtypes) -> bool:
    """Tell whether the line asks for more memory with `expand_as` than without."""
    return asked(memory, dtypes, "expand_as") > asked(memory, dtypes, "broadcast")


def mixed_copy(memory: Sequence[Memory]) -> str:
    """Tell what the copy is that a multiply of two dtypes makes."""
    return (
        "where input and gate differ in dtype, the multiply on a CPU converts the expanded gate "
        f"element by element and writes it out: {kib(asked(memory, 'mixed', 'expand_as'))} beside "
        f"the output, against {kib(asked(memory, 'mixed', 'broadcast'))} without `expand_as`"
    )


def intermediate(
    view: Sequence[View],
    same_memory: Sequence[Memory],
    mixed_memory: Sequence[Memory],
    exported: Sequence[RuntimeProgram],
) -> Verdict:
    """T1: is there an intermediate tensor, and does it own memory?"""
    same, mixed = copies(same_memory, "same"), copies(mixed_memory, "mixed")
    writing = runtimes.writers(exported)
    if same and mixed and len(writing) == len(exported):
        return supported("`expand_as` asks for memory of its own in every setting tried.")
    real = [mixed_copy(mixed_memory)] if mixed else []
    real += ["where the dtypes are the same it asks for memory of its own"] if same else []
    real += [runtimes.where_written(exported)] if writing else []
    if real:
        start = (
            "In eager mode, "
            if same
            else f"In eager mode with one dtype it is {READS_THE_GATE}; but "
        )
        return qualified(f"{start}{'; '.join(real)}.")
    if view[0].is_view:
        return qualified(f"It creates {READS_THE_GATE}, in every setting tried.")
    return refuted("`expand_as` creates neither a view nor a copy.")


def zero_copy_view(view: Sequence[View]) -> Verdict:
    """C2: is what `expand_as` returns a strided view that copies nothing?"""
    if not view[0].is_zero_copy:
        return refuted("`expand_as` does not return a view with strides of 0 and no memory.")
    return supported(f"Strides {view[0].stride} over the gate's own memory, 0 bytes allocated.")


def no_allocation(view: Sequence[View], mixed_memory: Sequence[Memory]) -> Verdict:
    """P2: a strided view, and no memory allocated for it in the line?"""
    if not view[0].is_zero_copy:
        return refuted("`expand_as` does not return a view without memory of its own.")
    if copies(mixed_memory, "mixed"):
        return qualified(f"True of the view itself; but {mixed_copy(mixed_memory)}.")
    return supported("A view, and the line asks for no more memory than without it.")
