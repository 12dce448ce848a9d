"""The rule of the claim about training."""

from collections.abc import Sequence

from investigation.claims.claim import Verdict, qualified, refuted, supported, untested
from investigation.claims.rules.time import training_words
from investigation.evidence.kinds.correctness import TrainingRun
from investigation.evidence.kinds.timings import Timing


def minimal_in_training(training: Sequence[Timing], runs: Sequence[TrainingRun]) -> Verdict:
    """D1: is the impact on training minimal?"""
    words = training_words(training)
    if any(_outside(one) for one in training):
        return refuted(f"A step differs by more than 1 %: {words}.")
    if not any(one.same for one in runs):
        return refuted(f"The losses part in every run tried; {words}.")
    if any(one.verdict != "equivalent" for one in training):
        return untested(f"This machine cannot tell: {words}. {_run_words(runs)}")
    if all(one.same for one in runs):
        return supported(f"Minimal: {words}. {_run_words(runs)}")
    return qualified(f"Minimal in time, not in every bit: {words}. {_run_words(runs)}")


def minimal_in_time(training: Sequence[Timing]) -> Verdict:
    """D1 on a GPU: does a training step take as long? No training runs were compared there."""
    words = training_words(training)
    if any(_outside(one) for one in training):
        return refuted(f"A step differs by more than 1 %: {words}.")
    if any(one.verdict != "equivalent" for one in training):
        return untested(f"This machine cannot tell: {words}.")
    return supported(f"Minimal in time: {words}.")


def _outside(step: Timing) -> bool:
    """Tell whether a whole interval of candidate over baseline lies outside the margin."""
    low, high = step.interval
    return low > 1 + step.margin or high < 1 / (1 + step.margin)


def _run_words(runs: Sequence[TrainingRun]) -> str:
    parted = [one for one in runs if not one.same]
    same = f"In {len(runs) - len(parted)} of {len(runs)} training runs the losses are the same"
    where = "; ".join(map(_parting, parted))
    return f"{same} bit for bit; they part in: {where}." if parted else f"{same} bit for bit."


def _parting(run: TrainingRun) -> str:
    step = f"from step {run.parted} of {run.steps}"
    return f"{run.setting} ({step}, by up to {run.apart:.1g})"
