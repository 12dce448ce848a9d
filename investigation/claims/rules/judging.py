"""What timings come to: the only place where a rule reads an interval.

The words are those of `evidence.words.DEFINITIONS`. Whatever reaches across an edge of the margin
decides nothing, so noise cannot turn one verdict into its opposite. To find any slower or faster
one among many, each has to be so at the confidence of their family; to show that all are equal,
each has to be equal by itself (an intersection-union test; Berger, Multiparameter hypothesis
testing and acceptance sampling, 1982).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from investigation.claims.claim import Row
from investigation.evidence.kinds.timings import Outcome, Timing
from investigation.evidence.words import percent
from investigation.subject.runtimes import BY_SLUG

# Where a cost stops being minor, as a share of the step that it is part of.
MINOR = 0.10
Timings = Sequence[Timing]
NAMES: Mapping[Outcome, str] = {
    "slower": "slower",
    "faster": "faster",
    "equivalent": "equal",
    "inconclusive": "undecided",
}


def outcome(timing: Timing) -> Outcome:
    """Return what one of many comparisons comes to."""
    return timing.outcome


def is_large(timing: Timing) -> bool:
    """Tell whether it is slower by 10 % or more: the whole interval is beyond that."""
    return outcome(timing) == "slower" and timing.interval[0] >= 1 + MINOR


def is_bounded(timing: Timing) -> bool:
    """Tell whether it is shown not to be slower by 10 %."""
    return timing.interval[1] < 1 + MINOR


@dataclass(frozen=True)
class Sorted:
    """Comparisons, sorted by what they come to."""

    timings: tuple[Timing, ...]

    @classmethod
    def of(cls, *groups: Iterable[Timing]) -> "Sorted":
        """Return all comparisons of some groups together."""
        return cls(tuple(one for group in groups for one in group))

    def that_are(self, wanted: Outcome) -> tuple[Timing, ...]:
        """Return the comparisons that come to this."""
        return tuple(one for one in self.timings if outcome(one) == wanted)

    @property
    def slower(self) -> tuple[Timing, ...]:
        """Those that take longer."""
        return self.that_are("slower")

    @property
    def faster(self) -> tuple[Timing, ...]:
        """Those that take less time."""
        return self.that_are("faster")

    @property
    def undecided(self) -> tuple[Timing, ...]:
        """Those that decide nothing."""
        return self.that_are("inconclusive")

    @property
    def large(self) -> tuple[Timing, ...]:
        """Those slower by 10 % or more."""
        return tuple(one for one in self.timings if is_large(one))

    @property
    def together(self) -> Outcome:
        """What they come to together: slower or faster if any is, equal only if all are."""
        if self.slower:
            return "slower"
        if self.faster:
            return "faster"
        return "inconclusive" if self.undecided else "equivalent"

    @property
    def counts(self) -> str:
        """How many there are of each, in words: `3 slower, 1 equal`."""
        counted = {words: len(self.that_are(found)) for found, words in NAMES.items()}
        return ", ".join(f"{count} {words}" for words, count in counted.items() if count)

    def __len__(self) -> int:
        return len(self.timings)


def change(timing: Timing) -> str:
    """Return what a timing found, in percent with its interval."""
    return percent(timing.ratio, timing.interval)


def place(timing: Timing) -> str:
    """Return what was timed: the runtime, if there is one, and the workload."""
    parts = (runtime_title(timing), timing.case.name if timing.case else timing.memory_format)
    return ", ".join(part for part in parts if part)


def runtime_title(timing: Timing) -> str:
    """Return the name of the runtime that a timing is of; nothing for eager mode as it stands."""
    known = BY_SLUG.get(str(timing.runtime))
    return known.title if known else timing.runtime or ""


def step_rows(words: str, steps: Timings) -> list[Row]:
    """Return a row for each memory format of a step."""
    return [
        (f"{words}, {one.memory_format}", f"{change(one)}: {NAMES[outcome(one)]}") for one in steps
    ]


def part_row(words: str, timings: Timings) -> Row:
    """Return one row for many comparisons: their counts, and the furthest on either side."""
    found = Sorted(tuple(timings))
    furthest = [
        f"{name} {change(one)} at {place(one)}"
        for name, one in (
            ("most", max(found.slower, key=lambda one: one.ratio, default=None)),
            ("least", min(found.faster, key=lambda one: one.ratio, default=None)),
        )
        if one is not None
    ]
    timings_words = f"{len(found)} timing{'s' * (len(found) != 1)}"
    return words, "; ".join([f"{timings_words}: {found.counts or 'none'}", *furthest])
