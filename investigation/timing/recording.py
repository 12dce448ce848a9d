"""From a comparison to its record, and the two controls that every timing chapter runs."""

import math
from dataclasses import asdict
from typing import Any

from investigation.evidence.kinds.controls import Control
from investigation.evidence.kinds.timings import (
    CONTROL_CONFIDENCE,
    FAMILY_CONFIDENCE,
    Timed,
    Timing,
    TimingLevel,
)
from investigation.evidence.recorder import Recorder
from investigation.evidence.words import rounded_up
from investigation.subject.cases import Case
from investigation.timing.comparison import Comparison
from investigation.timing.replication import Replication


def timing_of(
    comparison: Comparison | Replication,
    statement: str,
    level: TimingLevel,
    case: Case | None = None,
    **about: Any,
) -> Timing:
    """Return the record of a comparison; `about` are further fields of `Timing`.

    Both forms' names, device and threads are the comparison's own, and the memory format is the
    case's, unless `about` has others.
    """
    parts = comparison.comparisons if isinstance(comparison, Replication) else (comparison,)
    several = isinstance(comparison, Replication)
    fields: dict[str, Any] = {
        "baseline": comparison.baseline_name,
        "candidate": comparison.name,
        "device": parts[0].device,
        "threads": parts[0].threads,
        "memory_format": case.memory_format if case else "contiguous",
        "alone": None if several else timed(parts[0]),
        "processes": tuple(map(timed, parts)) if several else (),
        **(asdict(comparison.spread) if isinstance(comparison, Replication) else {}),
    }
    return Timing(
        statement=statement,
        level=level,
        case=case,
        ratio=comparison.ratio,
        interval=comparison.ratio_interval,
        confidence=comparison.confidence,
        margin=comparison.margin,
        verdict=comparison.verdict,
        warnings=comparison.warnings,
        **fields | about,
    )


def timed(comparison: Comparison) -> Timed:
    """Return what a record keeps of the comparison in one process; times in seconds a call."""
    return Timed(
        ratio=comparison.ratio,
        ratio_interval=comparison.ratio_interval,
        margin=comparison.margin,
        warnings=comparison.warnings,
        verdict_in_family=comparison.at(FAMILY_CONFIDENCE).verdict,
        difference_s=comparison.difference_s,
        difference_interval_s=comparison.difference_interval,
        baseline_s=comparison.baseline_s,
        candidate_s=comparison.candidate_s,
        equivalence_p=comparison.equivalence_p,
        pairs=comparison.pairs,
        calls_per_block=comparison.calls_per_block,
        preparations=comparison.preparations if comparison.spread else None,
        cpu_ratio=_cpu_ratio(comparison),
        dropped_pairs=comparison.samples.dropped,
        **(asdict(comparison.spread) if comparison.spread else {}),
    )


def _cpu_ratio(comparison: Comparison) -> float | None:
    """Return the ratio of processor times, where one thread computes all, and it was seen to."""
    alone = comparison.threads == 1 and comparison.device == "cpu"
    samples = comparison.samples
    ticked = samples.baseline_cpu_s and min(samples.baseline_cpu_s) > 0
    return samples.cpu_ratio if alone and ticked else None


def same_control(recorder: Recorder, comparison: Comparison, of: str = "") -> Control:
    """Keep a comparison of a program with itself or a copy: it must not come out different.

    A wide interval lets any program pass, so the control says which difference it would have seen.
    """
    judged = comparison.at(CONTROL_CONFIDENCE)
    statement = "the same program on both sides comes out neither faster nor slower"
    passed = judged.verdict in ("equivalent", "inconclusive")
    low, high = judged.ratio_interval
    tried = low > 0 and math.isfinite(high)
    if tried:
        larger = rounded_up(100 * ((1 + judged.margin) * judged.ratio / low - 1))
        smaller = rounded_up(100 * (1 - judged.ratio / high / (1 + judged.margin)))
        reach = (
            f"with such an interval, more than {larger} % slower or {smaller} % faster would have "
            "failed"
        )
    else:
        reach = "with so few pairs no ratio would have failed"
    value = f"{judged!r}; {reach}"
    return recorder.control("same", statement, value, passed=passed, tried=tried, of=of)


def more_work_control(recorder: Recorder, comparison: Comparison, of: str = "") -> Control:
    """Keep a comparison of a program with more work against itself: it must come out slower.

    An interval that holds both outcomes is too wide to find anything, and the control says so.
    """
    judged = comparison.at(CONTROL_CONFIDENCE)
    tried = judged.verdict != "inconclusive"
    statement = f"{comparison.name} comes out slower"
    if not tried:
        statement = f"{comparison.name} could not be tried: the interval is too wide"
    passed = judged.verdict == "slower" or not tried
    return recorder.control("more_work", statement, repr(judged), passed=passed, tried=tried, of=of)


def slower_control(recorder: Recorder, comparison: Comparison, of: str = "") -> Control:
    """Keep a comparison with the gate written out in full: it must come out slower.

    It is judged at its own confidence, that of any single comparison. What must be found is not
    made surer by an interval so wide that one disturbed preparation of sixteen can hide it.
    """
    statement = "writing the gate out in full comes out slower"
    return recorder.control(
        "materialized", statement, repr(comparison), passed=comparison.verdict == "slower", of=of
    )
