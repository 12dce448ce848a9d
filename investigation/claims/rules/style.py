"""The rule of the claim that the change is only a matter of style."""

from collections.abc import Sequence

from investigation.claims.claim import Verdict, qualified, refuted, supported, untested
from investigation.claims.rules.correctness import IN_THE_BLOCK
from investigation.claims.rules.judging import Sorted, Timings, step_rows
from investigation.claims.rules.memory import copies, memory_row
from investigation.claims.rules.time import NETWORK
from investigation.evidence.kinds.correctness import Acceptance, Equality
from investigation.evidence.kinds.resources import Memory
from investigation.evidence.words import listed


def stylistic(
    network: Timings,
    same_memory: Sequence[Memory],
    mixed_memory: Sequence[Memory],
    accepted: Sequence[Acceptance],
    same_dtype: Sequence[Equality],
    mixed_dtypes: Sequence[Equality],
) -> Verdict:
    """P5: does the change do nothing but tidy up?"""
    grown, same, mixed = len(accepted[0].grown), same_dtype[0], mixed_dtypes[0]
    table = [
        *step_rows(NETWORK, network),
        memory_row(same_memory, "same"),
        memory_row(mixed_memory, "mixed"),
        ("gate shapes that only `expand_as` refuses", f"{grown} of {accepted[0].tried}"),
        IN_THE_BLOCK,
        ("dtypes with other bits", f"{same.differing} of {same.tried}"),
        ("pairs of two dtypes with other bits", f"{mixed.differing} of {mixed.tried}"),
    ]
    step = Sorted.of(network).together
    if step in ("slower", "faster"):
        return refuted(f"The network's forward step is {step} with `expand_as`.", table)
    if step == "inconclusive":
        return untested("Whether the network's forward step takes longer is undecided.", table)
    beside = {
        "memory, with one dtype": copies(same_memory, "same"),
        "memory, where the dtypes differ": copies(mixed_memory, "mixed"),
        f"a shape check ({grown} of {accepted[0].tried} gate shapes)": bool(grown),
        f"bits, in {same.differing} of {same.tried} dtypes": not same.same,
        f"bits, in {mixed.differing} of {mixed.tried} pairs of dtypes": not mixed.same,
    }
    changed = [words for words, held in beside.items() if held]
    if changed:
        return qualified(
            "The network's forward step takes the same time. The change is more than style: it "
            f"changes {listed(changed)}.",
            table,
        )
    return supported("Time, memory, outputs and accepted shapes stay the same.", table)
