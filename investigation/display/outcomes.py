"""The outcomes of timings, in words: each sentence is computed, and so true for any numbers."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from investigation.evidence.kinds.deployments import RuntimeProgram
from investigation.evidence.kinds.in_place import Measured
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.words import (
    OUTCOMES,
    capital,
    nanoseconds,
    number_of,
    outcome_of,
    percent,
)

# A cost above this many times that at the smallest size is no fixed time.
FIXED_WITHIN = 1.5

NOT_TIMED = "nothing was timed"
EXTREMES = {"slower": "largest slowdown", "faster": "largest speed-up"}


def counted(timings: Iterable[Measured], nouns: str = "") -> str:
    """Count the timings with each outcome, in words: `slower in 2, undecided in 1 of 3`.

    `nouns`, in the plural, says what was counted: `slower in 2 of 2 timings`.
    """
    return each_counted((measured.outcome for measured in timings), nouns)


def each_counted(outcomes: Iterable[str], nouns: str = "") -> str:
    """Count outcomes in words, as `counted` does for timings."""
    counts = Counter(outcomes)
    parts = [
        f"{words} in {counts[outcome]}" for outcome, words in OUTCOMES.items() if counts[outcome]
    ]
    return f"{', '.join(parts)} of {counts.total()} {nouns}".rstrip() if parts else NOT_TIMED


def told(timing: Timing) -> str:
    """Return a timing's outcome, its ratio with the interval, and its warnings."""
    warned = f"; warning: {'; '.join(timing.warnings)}" if timing.warnings else ""
    return f"{outcome_of(timing)}, {percent(timing.ratio, timing.interval)}{warned}"


def signs_told(timings: Sequence[Timing]) -> str:
    """Say in how many timings there was a sign of a disturbance."""
    warned = sum(bool(timing.warnings) for timing in timings)
    return f"Signs of a disturbance: in {warned} of {number_of(len(timings), 'timing')}."


def signs(timings: Iterable[Timing], named: Callable[[Timing], str]) -> Iterator[dict[str, object]]:
    """Yield a row for each timing that has a sign of a disturbance, with all of its signs."""
    for timing in timings:
        if timing.warnings:
            yield {"timing": named(timing), "signs of a disturbance": "; ".join(timing.warnings)}


def extremes(timings: Sequence[Timing], named: Callable[[Timing], str]) -> str:
    """Name the largest differences in both directions, or say that there is none."""
    picks = {"slower": max, "faster": min}
    parts = [
        f"{EXTREMES[outcome]}: {named(extreme)}, {percent(extreme.ratio, extreme.interval)}"
        for outcome, pick in picks.items()
        if (of := [timing for timing in timings if timing.outcome == outcome])
        for extreme in [pick(of, key=lambda timing: timing.ratio)]
    ]
    return capital("; ".join(parts)) or "None is slower or faster"


def over_sizes(timings: Sequence[Timing]) -> str:
    """Tell what `expand_as` adds over sizes, ascending, and whether that is a fixed time.

    It is not if a whole interval lies above `FIXED_WITHIN` times the upper end at the smallest
    size, and that size is slower as one of many: of ten intervals at 95 %, chance alone can lift
    one. It cannot be told if only the upper end of an interval lies there.
    """
    added = [timing.single.difference_interval_s for timing in timings]
    bound = FIXED_WITHIN * added[0][1]
    verdict = "That agrees with a fixed time, as predicted."
    if any(high > bound for _, high in added):
        verdict = "The intervals are too wide to tell whether that is a fixed time."
    slower = (timing.outcome == "slower" for timing in timings)
    if any(low > bound and shown for (low, _), shown in zip(added, slower, strict=True)):
        verdict = "**The prediction of a fixed time was wrong.**"
    return " ".join((_at_sizes(timings), _times_added(timings), verdict))


def _at_sizes(timings: Sequence[Timing]) -> str:
    """Tell at how many sizes which outcome was found, and the largest size that is slower."""
    counts = Counter(timing.outcome for timing in timings)
    slower = [_elements(timing) for timing in timings if timing.outcome == "slower"]
    largest = f" The largest slower size has **{max(slower):,} elements**." if slower else ""
    return (
        f"`expand_as` is slower at {counts['slower']} of {len(timings)} sizes, and equal "
        f"at {counts['equivalent']}.{largest}"
    )


def _times_added(timings: Sequence[Timing]) -> str:
    """Tell what is added at the smallest size, and where most is shown to be added."""
    smallest = f"It adds {nanoseconds(timings[0].single.difference_s)} at the smallest size."
    slower = [timing for timing in timings if timing.outcome == "slower"]
    if not slower:
        return smallest
    most = max(slower, key=lambda timing: timing.single.difference_interval_s[0])
    low, _ = most.single.difference_interval_s
    return f"{smallest} Most is shown at {_elements(most):,} elements: at least {nanoseconds(low)}."


def _elements(timing: Timing) -> int:
    return timing.case.elements if timing.case else 0


def of_writers(programs: Iterable[RuntimeProgram], timings: Sequence[Timing]) -> str:
    """Say how the block came out in programs that write more with the line, and in the others."""
    every = list(programs)
    groups = {
        "write more with the line": [program for program in every if program.bytes_more > 0],
        "write no more": [program for program in every if program.bytes_more <= 0],
    }
    parts = [
        f"in the {len(members)} that {which}: {counted(_of(members, timings), 'timings')}"
        for which, members in groups.items()
        if members
    ]
    return f"Programs: {'; '.join(parts) or NOT_TIMED}."


def _of(programs: Iterable[RuntimeProgram], timings: Iterable[Timing]) -> list[Timing]:
    slugs = {program.runtime for program in programs}
    return [timing for timing in timings if timing.runtime in slugs]
