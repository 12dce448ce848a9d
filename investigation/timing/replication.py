"""What the same comparison came to in several processes, combined; it reads no clock."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from investigation.evidence import words
from investigation.evidence.kinds.timings import Outcome
from investigation.timing import statistics
from investigation.timing.comparison import Comparison, exponential


@dataclass(frozen=True)
class Replication:
    """Comparisons of the same two callables in fresh processes, combined."""

    ratio: float
    ratio_interval: tuple[float, float]
    verdict: Outcome
    margin: float
    confidence: float
    spread: statistics.Spread  # of the processes
    name: str
    baseline_name: str
    comparisons: tuple[Comparison, ...]

    @classmethod
    def of(cls, comparisons: Sequence[Comparison]) -> Self:
        """Combine two or more comparisons that share margin and confidence; ValueError if fewer."""
        if len(comparisons) < 2:
            raise ValueError(f"combining takes 2 comparisons or more, not {len(comparisons)}")
        first = comparisons[0]
        log_ratios = [math.log(comparison.ratio) for comparison in comparisons]
        estimate = statistics.signed_rank(log_ratios, first.confidence)
        interval = math.exp(estimate.low), exponential(estimate.high)
        return cls(
            ratio=math.exp(estimate.location),
            ratio_interval=interval,
            verdict=statistics.judge(interval, first.margin),
            margin=first.margin,
            confidence=first.confidence,
            spread=statistics.spread(
                log_ratios, [comparison.standard_error for comparison in comparisons]
            ),
            name=first.name,
            baseline_name=first.baseline_name,
            comparisons=tuple(comparisons),
        )

    def at(self, confidence: float) -> Self:
        """Judge the same processes at another confidence; ValueError unless it is in (0, 1)."""
        return self.of([comparison.at(confidence) for comparison in self.comparisons])

    @property
    def warnings(self) -> tuple[str, ...]:
        """What each process warned of, with its number."""
        return tuple(
            f"process {number}: {warning}"
            for number, comparison in enumerate(self.comparisons, start=1)
            for warning in comparison.warnings
        )

    def __repr__(self) -> str:
        return (
            f"{words.outcome(self)}; {len(self.comparisons)} processes; "
            f"{self.spread.in_words('processes')})"
        )
