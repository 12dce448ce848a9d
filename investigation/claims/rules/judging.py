"""The outcome of timings: the only place where a rule reads an interval.

The words are those of `evidence.words.DEFINITIONS`, the outcome that of every page. An interval
across an edge of the margin decides nothing, so noise cannot turn one verdict into its opposite.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from investigation.claims.claim import Row
from investigation.evidence.kinds.in_place import Measured
from investigation.evidence.kinds.timings import Outcome, Timing
from investigation.evidence.words import OUTCOMES, percent
from investigation.subject.runtimes import BY_SLUG

# From which share of its step on a cost is no longer minor.
MINOR = 0.10
Timings = Sequence[Measured]


def is_large(timing: Measured) -> bool:
    """Return whether it is slower by 10 % or more: the whole interval is beyond that."""
    return timing.outcome == "slower" and timing.interval[0] >= 1 + MINOR


def is_bounded(timing: Measured) -> bool:
    """Return whether it is shown not to be slower by 10 %."""
    return timing.interval[1] < 1 + MINOR


@dataclass(frozen=True)
class Sorted:
    """Comparisons, sorted by outcome."""

    timings: tuple[Measured, ...]

    @classmethod
    def of(cls, *groups: Iterable[Measured]) -> "Sorted":
        """Return all comparisons of some groups together."""
        return cls(tuple(timing for group in groups for timing in group))

    def that_are(self, wanted: str) -> tuple[Measured, ...]:
        """Return the comparisons with this outcome."""
        return tuple(timing for timing in self.timings if timing.outcome == wanted)

    @property
    def slower(self) -> tuple[Measured, ...]:
        """Those that take longer."""
        return self.that_are("slower")

    @property
    def faster(self) -> tuple[Measured, ...]:
        """Those that take less time."""
        return self.that_are("faster")

    @property
    def undecided(self) -> tuple[Measured, ...]:
        """Those that decide nothing."""
        return self.that_are("inconclusive")

    @property
    def large(self) -> tuple[Measured, ...]:
        """Those slower by 10 % or more."""
        return tuple(timing for timing in self.timings if is_large(timing))

    @property
    def together(self) -> Outcome:
        """The outcome of all together: slower or faster if any is, equal only if all are."""
        if self.slower:
            return "slower"
        if self.faster:
            return "faster"
        return "inconclusive" if self.undecided else "equivalent"

    @property
    def counts(self) -> str:
        """How many have each outcome, in words: `3 slower, 1 equal`."""
        counted = {words: len(self.that_are(outcome)) for outcome, words in OUTCOMES.items()}
        return ", ".join(f"{count} {words}" for words, count in counted.items() if count)

    def __len__(self) -> int:
        return len(self.timings)


def change(timing: Measured) -> str:
    """Return what a timing found, in percent with its interval."""
    return percent(timing.ratio, timing.interval)


def place(timing: Measured) -> str:
    """Return what was timed: the runtime, if there is one, and the workload."""
    parts = (runtime_title(timing), timing.case.name if timing.case else timing.memory_format)
    return ", ".join(part for part in parts if part)


def runtime_title(timing: Measured) -> str:
    """Return the name of the runtime that a timing is of; nothing for eager mode as it stands."""
    slug = timing.runtime if isinstance(timing, Timing) else None
    runtime = BY_SLUG.get(slug or "")
    return runtime.title if runtime else slug or ""


def step_rows(words: str, steps: Timings) -> list[Row]:
    """Return a row for each memory format of a step."""
    return [
        (f"{words}, {step.memory_format}", f"{change(step)}: {OUTCOMES[step.outcome]}")
        for step in steps
    ]


def part_row(words: str, timings: Timings) -> Row:
    """Return one row for many comparisons: their counts, and the furthest on either side."""
    judged = Sorted(tuple(timings))
    furthest = [
        f"{name} {change(extreme)} at {place(extreme)}"
        for name, extreme in (
            ("most", max(judged.slower, key=lambda timing: timing.ratio, default=None)),
            ("least", min(judged.faster, key=lambda timing: timing.ratio, default=None)),
        )
        if extreme is not None
    ]
    timings_words = f"{len(judged)} timing{'s' * (len(judged) != 1)}"
    return words, "; ".join([f"{timings_words}: {judged.counts or 'none'}", *furthest])
