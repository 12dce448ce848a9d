"""The rows of tables of timings."""

from collections.abc import Iterator, Mapping

from investigation.evidence.kinds.timings import Timing
from investigation.evidence.words import added, microseconds, outcome_of, percent

Row = dict[str, object]


def of_workload(timing: Timing) -> Row:
    """Return what was timed at a workload: its shape, both times and the outcome."""
    alone, case = timing.single, timing.case
    return {
        "workload": case.name if case else "",
        "format": timing.memory_format,
        "shape": "×".join(map(str, case.shape)) if case else "",
        "broadcast": microseconds(alone.baseline_s, decimals=1),
        **against_broadcast(timing),
    }


def against_broadcast(timing: Timing) -> Row:
    """Return what `expand_as` adds to a call, in microseconds and percent, and the outcome."""
    alone = timing.single
    return {
        "expand_as adds": added(alone.difference_s, alone.difference_interval_s),
        "time against broadcast's": percent(timing.ratio, timing.interval),
        "outcome": outcome_of(timing),
    }


def outcomes(heading: str, comparisons: Mapping[object, object], *, warned: bool) -> Iterator[Row]:
    """Return a row for each comparison: its sentence, with its warnings or without."""
    for name, comparison in comparisons.items():
        outcome = repr(comparison)
        yield {heading: name, "outcome": outcome if warned else outcome.split(" [")[0]}
