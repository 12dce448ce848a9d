"""Raw paired times, and the values that an interval is made of: rounds, or preparations."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import Any, ClassVar, Self

import numpy as np

from investigation.timing import statistics
from investigation.timing.statistics import Floats

# A preparation with fewer rounds than this says too little about itself.
ROUNDS_IN_A_PREPARATION = 3


@dataclass(frozen=True)
class Samples:
    """Raw paired times: block `i` of each arm ran side by side, `candidate_first[i]` says how.

    `preparations` has the number of pairs of each preparation, in the order in which they ran;
    it is empty where both arms were made once, by the caller.
    """

    PER_PAIR: ClassVar[tuple[str, ...]] = (
        "baseline_s",
        "candidate_s",
        "candidate_first",
        "baseline_cpu_s",
        "candidate_cpu_s",
    )

    baseline_s: tuple[float, ...]  # per call
    candidate_s: tuple[float, ...]  # per call
    candidate_first: tuple[bool, ...]
    calls_per_block: int
    pairs_per_coin: int  # so many pairs in a row share one draw of their orders
    preparations: tuple[int, ...] = ()
    baseline_cpu_s: tuple[float, ...] = ()  # per call, of the thread's processor
    candidate_cpu_s: tuple[float, ...] = ()
    dropped: int = 0  # pairs in which the system's counters show a disturbance

    @classmethod
    def together(cls, parts: list[Self]) -> Self:
        """Join the pairs of several preparations."""
        joined: dict[str, Any] = {
            name: tuple(value for part in parts for value in getattr(part, name))
            for name in cls.PER_PAIR
        }
        return replace(
            parts[0],
            **joined,
            preparations=tuple(len(part.baseline_s) for part in parts),
            dropped=sum(part.dropped for part in parts),
        )

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Read what `dataclasses.asdict` made of samples, before or after JSON."""
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in record.items()
        }
        return cls(**given)

    @property
    def cpu_ratio(self) -> float:
        """Candidate over baseline in the thread's processor time: the median over pairs."""
        return float(np.median(np.divide(self.candidate_cpu_s, self.baseline_cpu_s)))

    def parts(self) -> Iterator[tuple[Floats, Floats]]:
        """Yield the times of both arms, one preparation after the other."""
        ends = accumulate(self.preparations or (len(self.baseline_s),), initial=0)
        baseline, candidate = np.asarray(self.baseline_s), np.asarray(self.candidate_s)
        for start, end in pairwise(ends):
            yield baseline[start:end], candidate[start:end]

    def fastest(self, pairs_per_round: int) -> tuple[Floats, Floats]:
        """Per-call seconds of each arm's fastest block of every round, shape `(rounds,)` each.

        No round has pairs of two preparations.
        """
        parts = list(self.parts())
        baseline, candidate = (
            np.concatenate(
                [statistics.fastest_of_each(part[arm], pairs_per_round) for part in parts]
            )
            for arm in (0, 1)
        )
        return baseline, candidate

    def log_ratios(self, pairs_per_round: int) -> list[Floats]:
        """log(candidate / baseline) of every round, one array a preparation."""
        return [statistics.log_ratios(*part, pairs_per_round) for part in self.parts()]

    def differences(self, pairs_per_round: int) -> list[Floats]:
        """Seconds a call that the candidate adds in every round, one array a preparation."""
        fastest = statistics.fastest_of_each
        return [
            fastest(candidate, pairs_per_round) - fastest(baseline, pairs_per_round)
            for baseline, candidate in self.parts()
        ]

    def pairs_per_round(self) -> int:
        """How many pairs a round should have (`statistics.best_round`)."""
        if not self.preparations:
            return statistics.best_round(self.baseline_s, self.candidate_s, self.pairs_per_coin)
        most = min(self.preparations) // ROUNDS_IN_A_PREPARATION
        sizes = [n for n in statistics.ROUND_SIZES if self.pairs_per_coin <= n <= most]
        return min(
            sizes,
            key=lambda size: float(np.median(np.abs(values(self.log_ratios(size))))),
            default=self.pairs_per_coin,
        )


def values(of_rounds: list[Floats]) -> Floats:
    """Return what the interval is made of: the rounds, or one value for each preparation.

    The value of a preparation is the Hodges–Lehmann location of its rounds. Rounds of one
    preparation share where its operands lie, so they cannot count as independent.
    """
    if len(of_rounds) == 1:
        return of_rounds[0]
    return np.array([statistics.location(ratios) for ratios in of_rounds])
