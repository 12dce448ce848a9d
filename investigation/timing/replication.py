"""What the same comparison came to in several processes, combined; it reads no clock."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from scipy import stats

from investigation.evidence import words
from investigation.evidence.kinds.timings import Outcome
from investigation.timing import statistics
from investigation.timing.comparison import Comparison


@dataclass(frozen=True)
class Replication:
    """Comparisons of the same two callables in fresh processes, and their random-effects mean."""

    ratio: float
    ratio_interval: tuple[float, float]
    verdict: Outcome
    margin: float
    confidence: float
    between_percent: float  # standard deviation of the ratio from process to process
    heterogeneity_p: float  # small: processes differ by more than their own noise
    name: str
    baseline_name: str
    comparisons: tuple[Comparison, ...]

    @classmethod
    def of(cls, comparisons: Sequence[Comparison]) -> Self:
        """Combine two or more comparisons that share margin and confidence; ValueError if fewer."""
        if len(comparisons) < 2:
            raise ValueError(f"combining takes 2 comparisons or more, not {len(comparisons)}")
        first = comparisons[0]
        combined = statistics.combine(
            [math.log(comparison.ratio) for comparison in comparisons],
            [_standard_error(comparison) for comparison in comparisons],
            first.confidence,
        )
        interval = math.exp(combined.low), math.exp(combined.high)
        return cls(
            ratio=math.exp(combined.effect),
            ratio_interval=interval,
            verdict=statistics.judge(interval, first.margin),
            margin=first.margin,
            confidence=first.confidence,
            between_percent=100 * combined.between_sd,
            heterogeneity_p=combined.heterogeneity_p,
            name=first.name,
            baseline_name=first.baseline_name,
            comparisons=tuple(comparisons),
        )

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
            f"{words.outcome(self)}; {len(self.comparisons)} processes, which differ by "
            f"{self.between_percent:.2g} % (p = {self.heterogeneity_p:.2g}))"
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        record = asdict(self)
        record["ratio_interval"] = list(self.ratio_interval)
        record["comparisons"] = [comparison.to_dict() for comparison in self.comparisons]
        return record

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, before or after JSON."""
        return cls.of([Comparison.from_dict(one) for one in record["comparisons"]])


def _standard_error(comparison: Comparison) -> float:
    """Of log(ratio), from its interval; ValueError where a process had too few pairs for one."""
    low, high = comparison.ratio_interval
    if not (low > 0 and math.isfinite(high)):
        raise ValueError(f"too few pairs to combine: {comparison!r}")
    reach = float(stats.norm.ppf((1 + statistics.insured(comparison.confidence)) / 2))
    return (math.log(high) - math.log(low)) / (2 * reach)
