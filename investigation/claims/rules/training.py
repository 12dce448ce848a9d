"""The rule of the claim about training."""

from collections.abc import Sequence

from investigation.claims.claim import Row, Verdict, qualified, refuted, supported, untested
from investigation.claims.rules.judging import Sorted, Timings, step_rows
from investigation.claims.rules.time import TRAINING
from investigation.evidence.kinds.correctness import TrainingRun
from investigation.evidence.words import rounded_up


def minimal_in_training(training: Timings, runs: Sequence[TrainingRun] = ()) -> Verdict:
    """D1: is the impact on training minimal? On a GPU no runs are compared, and time decides."""
    table = [*step_rows(TRAINING, training), *map(_run_row, runs)]
    step, parted = (
        Sorted.of(training).together,
        [run for run in runs if not run.same],
    )
    if step in ("slower", "faster"):
        return refuted(f"A training step is {step} with `expand_as`, by more than 1 %.", table)
    if runs and len(parted) == len(runs):
        return refuted("The losses differ in every run tried.", table)
    losses = (
        f"the losses differ in {len(parted)} of {len(runs)} runs" if runs else "no runs compared"
    )
    if step == "inconclusive":
        return untested(f"Whether a training step takes longer is undecided; {losses}.", table)
    if not parted:
        return supported(f"A training step takes the same time; {losses}.", table)
    settings = "; ".join(run.setting for run in parted)
    furthest = rounded_up(max(run.apart for run in parted))
    return qualified(
        f"A training step takes the same time; {losses} ({settings}), by up to {furthest}.",
        table,
    )


def _run_row(run: TrainingRun) -> Row:
    if run.same:
        return f"losses: {run.setting}", f"the same bits in {run.steps} steps"
    seed = run.another_seed_apart
    against = f"; another seed: {rounded_up(seed)}" if seed is not None else ""
    return (
        f"losses: {run.setting}",
        f"differ from step {run.parted} of {run.steps} on, "
        f"by up to {rounded_up(run.apart)}{against}",
    )
