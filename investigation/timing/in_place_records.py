"""From the line timed in place to its records and its controls."""

import math
from typing import Any, Literal

import numpy as np
from scipy import stats

from investigation.evidence.kinds.controls import Control
from investigation.evidence.kinds.in_place import Added, LineInPlace, OfProcess, OnClock, Slot
from investigation.evidence.kinds.timings import (
    CONTROL_CONFIDENCE,
    FAMILY_CONFIDENCE,
    Timed,
    Timing,
)
from investigation.evidence.recorder import Recorder
from investigation.evidence.words import change, rounded_up, signed_seconds
from investigation.timing import statistics
from investigation.timing.in_place import InPlace, LineSamples
from investigation.timing.replication import Replication
from investigation.timing.slots import CLOCKS
from investigation.timing.statistics import Estimate

StepLevel = Literal["network", "training_step"]
# How far a planted wait may be found from its size: clocks are read in steps.
PLANTED_WITHIN = 0.05


def line_in_place(in_place: InPlace, statement: str, level: StepLevel, **about: Any) -> LineInPlace:
    """Return the record of a line timed in place; `about` are further fields of `LineInPlace`."""
    first = in_place.slots[0]
    return LineInPlace(
        statement=statement,
        level=level,
        memory_format=first.memory_format,
        batch=first.shape[0],
        threads=in_place.threads,
        clock=in_place.clock,
        over=in_place.over,
        confidence=in_place.confidence,
        margin=in_place.margin,
        verdict=in_place.verdict,
        slots=tuple(_slot(in_place, index) for index in range(len(in_place.slots))),
        sums=tuple(
            OnClock(
                clock=clock,
                share=in_place.readings[clock].share.location,
                share_interval=_ends(in_place.readings[clock].share),
                step_s=in_place.readings[clock].step_s,
                **_added(in_place.readings[clock].total).model_dump(),
            )
            for clock in CLOCKS
        ),
        processes=tuple(_of_process(part, in_place) for part in in_place.parts),
        **{"baseline": in_place.baseline_name, "candidate": in_place.name} | about,
    )


def _slot(in_place: InPlace, index: int) -> Slot:
    reading = in_place.decisive
    forward, *backward = map(_added, reading.phases[index])
    return Slot(
        case=in_place.slots[index],
        line_s=reading.line_s[index],
        forward=forward,
        backward=backward[0] if backward else None,
        **_added(reading.slots[index]).model_dump(),
    )


def _added(estimate: Estimate) -> Added:
    return Added(difference_s=estimate.location, interval_s=_ends(estimate))


def _ends(estimate: Estimate) -> tuple[float, float]:
    return estimate.low, estimate.high


def _of_process(samples: LineSamples, in_place: InPlace) -> OfProcess:
    alone = _alone(samples, in_place, in_place.confidence)
    return OfProcess(
        pairs=samples.pairs,
        difference_s=alone.decisive.total.location,
        step_s=alone.decisive.step_s,
    )


def _alone(samples: LineSamples, in_place: InPlace, confidence: float) -> InPlace:
    """Return one process's own estimate, its interval over its pairs."""
    about = {key: getattr(in_place, key) for key in ("margin", "threads", "name", "baseline_name")}
    return InPlace.of(in_place.slots, [samples], over="pairs", confidence=confidence, **about)


def step_timing(in_place: InPlace, statement: str, level: StepLevel, **about: Any) -> Timing:
    """Return the step's ratio that follows from the line in place, as the record of a comparison.

    A rule reads it as any other timing of a step: the candidate's step over the baseline's, where
    they differ by the line alone. `about` are further fields of `Timing`.
    """
    return Timing(
        statement=statement,
        level=level,
        memory_format=in_place.slots[0].memory_format,
        threads=in_place.threads,
        ratio=in_place.ratio,
        interval=in_place.ratio_interval,
        confidence=in_place.confidence,
        margin=in_place.margin,
        verdict=in_place.verdict,
        processes=tuple(_timed(part, in_place) for part in in_place.parts),
        **{"baseline": in_place.baseline_name, "candidate": in_place.name} | about,
    )


def _timed(samples: LineSamples, in_place: InPlace) -> Timed:
    alone = _alone(samples, in_place, in_place.confidence)
    total, step_s = alone.decisive.total, alone.decisive.step_s
    shares = samples.added_s(in_place.clock).sum(axis=(1, 2)) / samples.step(in_place.clock)
    return Timed(
        ratio=alone.ratio,
        ratio_interval=alone.ratio_interval,
        margin=in_place.margin,
        verdict_in_family=_alone(samples, in_place, FAMILY_CONFIDENCE).verdict,
        difference_s=total.location,
        difference_interval_s=_ends(total),
        baseline_s=step_s,
        candidate_s=step_s + total.location,
        # A disturbed pair may lose more than a whole step, which has no logarithm.
        equivalence_p=statistics.equivalence_p(
            np.log1p(np.maximum(shares, -0.99)), in_place.margin
        ),
        pairs=samples.pairs,
        calls_per_block=1,
    )


def keep(recorder: Recorder, in_place: InPlace, statement: str, level: StepLevel) -> LineInPlace:
    """Keep a line timed in place, and the step's ratio that follows from it."""
    recorder.keep(step_timing(in_place, statement, level))
    return recorder.keep(line_in_place(in_place, f"the line in place in {statement}", level))


def itself_control(recorder: Recorder, in_place: InPlace, level: StepLevel) -> Control:
    """Keep a form timed in place against itself: its interval must cover 0."""
    total = in_place.decisive.total
    statement = "the same form at every draw adds nothing to the line in place"
    recorder.keep(line_in_place(in_place, statement, level, role="control"))
    passed = total.low <= 0 <= total.high
    seen = (
        f"{in_place!r}; with such an interval, {signed_seconds(total.location - total.low)} or "
        f"{signed_seconds(total.location - total.high)} in sum would have failed"
    )
    return recorder.control("in_place_itself", statement, seen, passed=passed, of=level)


def planted_control(
    recorder: Recorder, in_place: InPlace, planted_s: float, level: StepLevel
) -> Control:
    """Keep a wait of known size that was planted in the line: it must be found with its size.

    An interval that contains 0 s is too wide to find anything. The control then says so, and passes
    only if the interval also contains the planted time.
    """
    total, within = in_place.decisive.total, PLANTED_WITHIN * planted_s
    covered = total.low <= planted_s + within and total.high >= planted_s - within
    passed = covered and in_place.verdict in ("slower", "inconclusive")
    blind = total.low <= 0 <= total.high
    wait = f"a wait of {signed_seconds(planted_s)} planted in the line"
    statement = (
        f"{wait} could not be tried: the interval is too wide"
        if blind and passed
        else f"{wait} is found with its size"
    )
    recorder.keep(line_in_place(in_place, statement, level, role="control", planted_s=planted_s))
    tried = not (blind and passed)
    return recorder.control(
        "in_place_planted", statement, repr(in_place), passed=passed, tried=tried, of=level
    )


def agreement_control(
    recorder: Recorder, in_place: InPlace, whole: Replication, of: str = ""
) -> Control:
    """Keep the check of the line in place by whole steps: they must not contradict it.

    Each has one estimate a process; Welch's test says whether the two differ, at the confidence
    of a control (Welch, Biometrika 34, 1947). So few processes see only a large contradiction, and
    the control says from which size on.
    """
    ours = [math.log(_alone(part, in_place, in_place.confidence).ratio) for part in in_place.parts]
    theirs = [math.log(comparison.ratio) for comparison in whole.comparisons]
    test = stats.ttest_ind(ours, theirs, equal_var=False)
    low, high = test.confidence_interval(CONTROL_CONFIDENCE)
    seen = (
        f"{change(in_place.ratio)} in place, {change(whole.ratio)} by whole steps "
        f"(p = {test.pvalue:.2g}); a difference of {rounded_up(100 * (high - low) / 2)} percentage "
        "points would have failed"
    )
    statement = "whole steps do not contradict the share that is found in place"
    passed = bool(test.pvalue >= 1 - CONTROL_CONFIDENCE)
    return recorder.control("in_place_agrees", statement, seen, passed=passed, of=of)
