"""Rules about memory: the view, the copy, and what the line allocates."""

from collections.abc import Sequence

from investigation.claims.claim import Row, Verdict, qualified, refuted, supported, untested
from investigation.claims.rules.runtimes import of_runtimes, program_rows, writers
from investigation.evidence.kinds.deployments import RuntimeProgram
from investigation.evidence.kinds.layouts import View
from investigation.evidence.kinds.resources import Memory
from investigation.evidence.observation import Dtypes
from investigation.evidence.words import kib, listed

UNCOUNTED = "PyTorch does not count what is requested from this device's allocator."
DTYPES: dict[Dtypes, str] = {"same": "one dtype", "mixed": "two dtypes"}


def bytes_asked(memory: Sequence[Memory], dtypes: Dtypes, form: str) -> int:
    """Return the bytes that a form allocates beside its output."""
    return next(record.bytes for record in memory if (record.dtypes, record.form) == (dtypes, form))


def copies(memory: Sequence[Memory], dtypes: Dtypes) -> bool:
    """Return whether the line allocates more memory with `expand_as` than without."""
    return bytes_asked(memory, dtypes, "expand_as") > bytes_asked(memory, dtypes, "broadcast")


def memory_row(memory: Sequence[Memory], dtypes: Dtypes) -> Row:
    """Return a row of what each form allocates beside its output, and for which size of input."""
    case = next((record.case for record in memory if record.case), None)
    at = f", {'×'.join(map(str, case.shape))}" if case else ""
    with_it, without = (bytes_asked(memory, dtypes, form) for form in ("expand_as", "broadcast"))
    return (
        f"memory besides the output, {DTYPES[dtypes]}{at}",
        f"{kib(with_it)} with `expand_as`, {kib(without)} without",
    )


def intermediate(
    same_memory: Sequence[Memory],
    mixed_memory: Sequence[Memory],
    view: Sequence[View] = (),
    exported: Sequence[RuntimeProgram] = (),
) -> Verdict:
    """T1: is there an intermediate tensor, and does it own memory?

    On a GPU only the line's memory is known, and only if torch's allocator counts it.
    """
    if not (same_memory and mixed_memory):
        return untested(UNCOUNTED)
    table = [
        memory_row(same_memory, "same"),
        memory_row(mixed_memory, "mixed"),
        *program_rows(exported),
    ]
    same, mixed = copies(same_memory, "same"), copies(mixed_memory, "mixed")
    writing = writers(exported)
    if same and mixed and len(writing) == len(exported):
        return supported("The line requests memory of its own in every setting tried.", table)
    owns = [words for words, held in (("with one dtype", same), ("with two dtypes", mixed)) if held]
    owns += [
        f"in {len(writing)} of {len(exported)} exported programs ({of_runtimes(exported)})"
    ] * bool(writing)
    if owns:
        start = "" if same else "In eager mode with one dtype it is a view without memory. "
        return qualified(f"{start}It owns memory {listed(owns)}.", table)
    if view and view[0].is_view:
        return qualified("It creates a tensor object that owns no memory: a view.", table)
    return refuted("The line requests no more memory with `expand_as` than without.", table)


def zero_copy_view(view: Sequence[View]) -> Verdict:
    """C2: is what `expand_as` returns a strided view that copies nothing?"""
    table = _view_rows(view)
    if not view[0].is_zero_copy:
        return refuted("`expand_as` does not return a view without memory of its own.", table)
    return supported("It is a view of the gate's own memory, and allocates nothing.", table)


def no_allocation(
    same_memory: Sequence[Memory], mixed_memory: Sequence[Memory], view: Sequence[View] = ()
) -> Verdict:
    """P2: a strided view, and no memory allocated for it in the line?

    On a GPU only the line's memory is known, and only if torch's allocator counts it.
    """
    if not (same_memory and mixed_memory):
        return untested(UNCOUNTED)
    table = [
        *_view_rows(view),
        memory_row(same_memory, "same"),
        memory_row(mixed_memory, "mixed"),
    ]
    if view and not view[0].is_zero_copy:
        return refuted("`expand_as` does not return a view without memory of its own.", table)
    copied = [
        words
        for words, records in ((DTYPES["same"], same_memory), (DTYPES["mixed"], mixed_memory))
        if copies(records, records[0].dtypes)
    ]
    if copied:
        return qualified(
            f"{'True for the view itself. ' if view else ''}With {' and '.join(copied)} the line "
            "requests memory that `x * y` does not: the multiply writes the gate to memory at full "
            "size.",
            table,
        )
    of_the_view = "It is a view, and the" if view else "The"
    return supported(f"{of_the_view} line requests no more memory with it.", table)


def _view_rows(view: Sequence[View]) -> list[Row]:
    if not view:
        return []
    first = view[0]
    return [
        ("what `expand_as` returns", "a view" if first.is_view else "no view"),
        ("its memory", "the gate's own" if first.shares_storage else "its own"),
        ("its strides", f"{first.stride}"),
        ("bytes allocated for it", str(first.bytes_allocated)),
    ]
