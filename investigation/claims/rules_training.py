"""The rule of the claim about training: evidence in, verdict out."""

from investigation.claims.claim import Verdict, qualified, refuted, supported, untested
from investigation.claims.rules import TRAINING, training_words
from investigation.evidence.records import Findings, Record

# Where two times count as equal, as a share.
MARGIN = 0.01
# A rule that asks whether *any* of two steps lies outside the margin gives each half the error.
STEP_CONFIDENCE = 1 - 0.05 / len(TRAINING)

# Training runs that are followed in both forms, by the names of `subject.training`.
RUNS = ("contiguous", "channels_last", "autocast", "penalty", "gate_bfloat16", "gate_float16")
CURVES = tuple(f"equality.curve.{name}" for name in RUNS)


def minimal_in_training(findings: Findings) -> Verdict:
    """D1: is the impact on training minimal?"""
    steps, curves = ([findings[key] for key in keys] for keys in (TRAINING, CURVES))
    words = training_words(findings)
    if any(_outside(one) for one in steps):
        return refuted(f"A step differs by more than 1 %: {words}.")
    if not any(one.value for one in curves):
        return refuted(f"The losses part in every run tried; {words}.")
    if any(one.verdict != "equivalent" for one in steps):
        return untested(f"This machine cannot tell: {words}. {_curve_words(curves)}")
    if all(one.value for one in curves):
        return supported(f"Minimal: {words}. {_curve_words(curves)}")
    return qualified(f"Minimal in time, not in every bit: {words}. {_curve_words(curves)}")


def _outside(step: Record) -> bool:
    """Tell whether a whole interval of candidate over baseline lies outside the margin."""
    assert step.interval is not None
    low, high = step.interval
    return low > 1 + MARGIN or high < 1 / (1 + MARGIN)


def _curve_words(curves: list[Record]) -> str:
    parted = [one for one in curves if not one.value]
    same = f"In {len(curves) - len(parted)} of {len(curves)} training runs the losses are the same"
    where = "; ".join(map(_parting, parted))
    return f"{same} bit for bit; they part in: {where}." if parted else f"{same} bit for bit."


def _parting(curve: Record) -> str:
    known = curve.details
    step = f"from step {known['parted']} of {known['steps']}"
    return f"{known['setting']} ({step}, by up to {known['apart']:.1g})"
