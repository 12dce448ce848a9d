"""Sentences of the chapter on training, computed from what was compared."""

from collections.abc import Mapping, Sequence

from investigation.evidence.kinds.correctness import Equality, TrainingRun
from investigation.evidence.kinds.in_place import LineInPlace
from investigation.evidence.words import listed


def noticed_told(runs: Sequence[TrainingRun], steps: Mapping[str, LineInPlace]) -> str:
    """Say by the chapter's rule whether training notices, and in what."""
    parted = [run.setting for run in runs if not run.same]
    told = [f"the losses differ in {len(parted)} of {len(runs)} runs ({'; '.join(parted)})"]
    notices = told if parted else []
    for verdict in ("slower", "faster"):
        formats = _formats(steps, verdict)
        notices += [f"a step is {verdict} in {listed(formats)}"] if formats else []
    if notices:
        return f"By the rule, **training notices**: {listed(notices)}."
    undecided = _formats(steps, "inconclusive")
    if undecided:
        return (
            "By the rule it is **not decided whether training notices**: the losses are the same "
            f"in all runs, but the time of a step is undecided in {listed(undecided)}."
        )
    return (
        "By the rule, **training does not notice**: the losses are the same in all runs, and so is "
        "the time of a step."
    )


def _formats(steps: Mapping[str, LineInPlace], verdict: str) -> list[str]:
    return [name for name, step in steps.items() if step.verdict == verdict]


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
