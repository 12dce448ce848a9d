"""Sentences of the chapter on training, computed from what was compared."""

from collections.abc import Sequence

from investigation.evidence.kinds.correctness import Equality


def second_gradients_told(block: Equality, random: Sequence[bool], whole: Equality) -> str:
    """Say whether second gradients have the same bits, and whether rounding is the reason.

    `block` counts tensors of the block. `random` and `whole` are the scale step's: whether each
    is alike for random numbers, and how many differ for whole numbers, whose sums are exact.
    """
    differing = random.count(False)
    if block.same and whole.same and not differing:
        return "Second gradients have the same bits: the prediction holds."
    return (
        f"**The prediction was wrong: {block.differing} of {block.tried} tensors of the block "
        f"differ**, and {differing} of {len(random)} of the scale step with random numbers. "
        + _reason(differing, whole)
    )


def _reason(differing: int, whole: Equality) -> str:
    if not whole.same:
        return "They differ with whole numbers too, so rounding is not the only reason."
    if differing:
        return "With whole numbers none differs, so the difference is one of rounding."
    return "The scale step alone does not show why the block differs."
