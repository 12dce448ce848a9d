"""The rule of the claim that the change is only a matter of style."""

from collections.abc import Iterator, Mapping, Sequence

from investigation.claims.claim import Row, Verdict, qualified, refuted, supported, untested
from investigation.claims.rules.correctness import IN_THE_BLOCK
from investigation.claims.rules.judging import Sorted, Timings, step_rows
from investigation.claims.rules.memory import UNCOUNTED, copies, memory_row
from investigation.claims.rules.time import NETWORK
from investigation.evidence.kinds.correctness import Acceptance, Equality
from investigation.evidence.kinds.resources import Memory
from investigation.evidence.words import listed


def stylistic(
    network: Timings,
    same_memory: Sequence[Memory],
    mixed_memory: Sequence[Memory],
    accepted: Sequence[Acceptance] = (),
    same_dtype: Sequence[Equality] = (),
    mixed_dtypes: Sequence[Equality] = (),
) -> Verdict:
    """P5: does the change do nothing but tidy up?

    On a GPU only time and memory are known, the latter only if torch's allocator counts it.
    """
    if not (same_memory and mixed_memory):
        return untested(UNCOUNTED)
    bits = {"dtypes": same_dtype, "pairs of two dtypes": mixed_dtypes}
    table = [
        *step_rows(NETWORK, network),
        memory_row(same_memory, "same"),
        memory_row(mixed_memory, "mixed"),
        *_other_rows(accepted, bits),
    ]
    step = Sorted.of(network).together
    if step in ("slower", "faster"):
        return refuted(f"The network's forward step is {step} with `expand_as`.", table)
    if step == "inconclusive":
        return untested("Whether the network's forward step takes longer is undecided.", table)
    changed = [*_changed_memory(same_memory, mixed_memory), *_changed_else(accepted, bits)]
    if changed:
        return qualified(
            "The network's forward step takes the same time. The change is more than style: it "
            f"changes {listed(changed)}.",
            table,
        )
    same = "Time, memory, outputs and accepted shapes" if accepted else "Time and memory"
    return supported(f"{same} stay the same.", table)


def _other_rows(
    accepted: Sequence[Acceptance], bits: Mapping[str, Sequence[Equality]]
) -> Iterator[Row]:
    for acceptance in accepted:
        grown = f"{len(acceptance.grown)} of {acceptance.tried}"
        yield "gate shapes that only `expand_as` refuses", grown
        yield IN_THE_BLOCK
    for of, equalities in bits.items():
        for equality in equalities:
            yield f"{of} with other bits", f"{equality.differing} of {equality.tried}"


def _changed_else(
    accepted: Sequence[Acceptance], bits: Mapping[str, Sequence[Equality]]
) -> Iterator[str]:
    for acceptance in accepted:
        if acceptance.grown:
            yield f"a shape check ({len(acceptance.grown)} of {acceptance.tried} gate shapes)"
    for of, equalities in bits.items():
        for equality in equalities:
            if not equality.same:
                yield f"bits ({equality.differing} of {equality.tried} {of})"


def _changed_memory(same: Sequence[Memory], mixed: Sequence[Memory]) -> list[str]:
    """Name the dtypes with which the line's memory changes, as one change."""
    held = {"with one dtype": copies(same, "same"), "with two dtypes": copies(mixed, "mixed")}
    where = [words for words, copied in held.items() if copied]
    return [f"memory {listed(where)}"] if where else []
