"""What timings came out as, in words: each sentence is computed, and true in any world."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from investigation.evidence.kinds.deployments import RuntimeProgram
from investigation.evidence.kinds.in_place import Measured
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.words import capital, percent

# The words of the pages for each outcome; `evidence.words.DEFINITIONS` says what they mean.
WORDS: Mapping[str, str] = {
    "slower": "slower",
    "faster": "faster",
    "equivalent": "no difference",
    "inconclusive": "cannot tell",
}

EXTREMES = {"slower": "largest slowdown", "faster": "largest speed-up"}


def counted(timings: Iterable[Measured]) -> str:
    """Tell how many timings came out as what: `slower in 2, cannot tell in 1 of 3`."""
    found: Counter[str] = Counter(measured.outcome for measured in timings)
    told = [f"{words} in {found[outcome]}" for outcome, words in WORDS.items() if found[outcome]]
    return f"{', '.join(told)} of {found.total()}" if told else "nothing was timed"


def told(timing: Timing) -> str:
    """Return a timing's outcome, its ratio with the interval, and its warnings."""
    warned = f"; warning: {'; '.join(timing.warnings)}" if timing.warnings else ""
    return f"{WORDS[timing.outcome]}, {percent(timing.ratio, timing.interval)}{warned}"


def extremes(timings: Sequence[Timing], named: Callable[[Timing], str]) -> str:
    """Name the largest differences in both directions, or tell that there is none."""
    picks = {"slower": max, "faster": min}
    found = [
        f"{EXTREMES[outcome]}: {named(one)}, {percent(one.ratio, one.interval)}"
        for outcome, pick in picks.items()
        if (of := [one for one in timings if one.outcome == outcome])
        for one in [pick(of, key=lambda timing: timing.ratio)]
    ]
    return capital("; ".join(found)) or "None is slower or faster"


def of_writers(programs: Iterable[RuntimeProgram], timings: Sequence[Timing]) -> str:
    """Tell how the block came out in programs that write more with the line, and in the others."""
    known = list(programs)
    groups = {
        "write more with the line": [one for one in known if one.bytes_more],
        "write no more": [one for one in known if not one.bytes_more],
    }
    told = [
        f"in the {len(members)} that {which}: {counted(_of(members, timings))} timings"
        for which, members in groups.items()
        if members
    ]
    return f"Programs: {'; '.join(told)}."


def _of(programs: Iterable[RuntimeProgram], timings: Iterable[Timing]) -> list[Timing]:
    slugs = {program.runtime for program in programs}
    return [timing for timing in timings if timing.runtime in slugs]


def rounded_up(value: float) -> str:
    """Return a number with two digits that is not below it: what is said to be `at most` is."""
    if value == 0:
        return "0"
    digit = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    return f"{math.ceil(round(value / digit, 6)) * digit:.2g}"
