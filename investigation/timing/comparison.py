"""The outcome of a paired timing: raw samples and what follows from them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from investigation.evidence import words
from investigation.evidence.kinds.timings import Outcome
from investigation.timing import statistics
from investigation.timing.sampled import Sampled
from investigation.timing.samples import Samples, values
from investigation.timing.statistics import Floats, Spread

# Fewer rounds than this give an interval that hardly ever decides anything.
FEW_ROUNDS = 20
# How sure to be that typical and fastest blocks disagree before saying so: a rare false alarm.
DISAGREEMENT_CONFIDENCE = 0.9999


@dataclass(frozen=True)
class Comparison:
    """A candidate timed against a baseline; `ratio` is candidate over baseline.

    The ratio is that of undisturbed times: each round of `pairs_per_round` pairs counts with
    the fastest block of each arm. `equivalence_p` is the p of two one-sided tests inside the
    margin; the verdict asks for more, the whole two-sided interval inside it. `spread` is None
    where the arms were made once: the interval then holds for these two objects.
    """

    ratio: float
    ratio_interval: tuple[float, float]
    difference_s: float  # per call
    difference_interval: tuple[float, float]
    verdict: Outcome
    baseline_s: float  # per call, median over rounds
    candidate_s: float
    pairs: int
    pairs_per_round: int
    calls_per_block: int
    elapsed_s: float
    warnings: tuple[str, ...]
    margin: float
    confidence: float
    equivalence_p: float
    seed: int
    threads: int
    device: str
    grad: bool
    name: str
    baseline_name: str
    samples: Samples
    spread: Spread | None = None

    @classmethod
    def of(cls, samples: Samples, *, margin: float, confidence: float, **context: Any) -> Self:
        """Judge `samples`; `context` is every field that does not follow from them."""
        per_round = samples.pairs_per_round()
        baseline, candidate = samples.fastest(per_round)
        doubts = _doubts(samples, per_round)
        return cls(
            **_estimates(samples, per_round, margin, confidence),
            baseline_s=float(np.median(baseline)),
            candidate_s=float(np.median(candidate)),
            pairs=len(samples.baseline_s),
            pairs_per_round=per_round,
            calls_per_block=samples.calls_per_block,
            margin=margin,
            equivalence_p=statistics.equivalence_p(values(samples.log_ratios(per_round)), margin),
            samples=samples,
            spread=_spread(samples.log_ratios(per_round)),
            **(context | {"warnings": (*context["warnings"], *doubts)}),
        )

    @classmethod
    def judging(cls, sampled: Sampled) -> Self:
        """Judge what was timed."""
        kept, warnings = sampled.settings.kept, sampled.warnings
        return cls.of(sampled.samples, warnings=warnings, elapsed_s=sampled.elapsed_s, **kept)

    @classmethod
    def from_samples(cls, record: Mapping[str, Any]) -> Self:
        """Judge what another process has timed, handed over as `Sampled.to_dict` makes it."""
        return cls.judging(Sampled.from_dict(record))

    @property
    def preparations(self) -> int:
        """How often both arms were made."""
        return max(1, len(self.samples.preparations))

    @property
    def standard_error(self) -> float:
        """Of log(ratio), at the level for which the interval holds."""
        sample = values(self.samples.log_ratios(self.pairs_per_round))
        return statistics.standard_error(sample, statistics.autocorrelation_inflation(sample))

    def at(self, confidence: float) -> Self:
        """Judge the same samples at another confidence; ValueError unless it is in (0, 1)."""
        if not 0 < confidence < 1:
            raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
        judged = _estimates(self.samples, self.pairs_per_round, self.margin, confidence)
        return replace(self, **judged)

    def __repr__(self) -> str:
        return sentence(self)


def _estimates(
    samples: Samples, per_round: int, margin: float, confidence: float
) -> dict[str, Any]:
    """Compute the fields that depend on the confidence, and the two locations."""
    log_ratios = values(samples.log_ratios(per_round))
    inflation = statistics.autocorrelation_inflation(log_ratios)
    at = confidence if samples.preparations else statistics.insured(confidence)
    ratio = statistics.signed_rank(log_ratios, at, inflation)
    difference = statistics.signed_rank(values(samples.differences(per_round)), at, inflation)
    interval = (exponential(ratio.low), exponential(ratio.high))
    return {
        "ratio": math.exp(ratio.location),
        "ratio_interval": interval,
        "difference_s": difference.location,
        "difference_interval": (difference.low, difference.high),
        "verdict": statistics.judge(interval, margin),
        "confidence": confidence,
    }


def _spread(of_rounds: list[Floats]) -> Spread | None:
    if len(of_rounds) == 1:
        return None
    errors = [statistics.standard_error(ratios) for ratios in of_rounds]
    return statistics.spread(values(of_rounds), errors)


def exponential(log: float) -> float:
    """Return e to the power of `log`, which may be infinite."""
    return math.inf if log == math.inf else math.exp(log)


def _doubts(samples: Samples, per_round: int) -> tuple[str, ...]:
    """Say what the samples themselves give reason to, in words."""
    parts = samples.log_ratios(per_round)
    doubts = (
        _few(len(parts[0])) if len(parts) == 1 else None,
        _dependence(values(parts)),
        _disagreement(samples, per_round),
    )
    return tuple(doubt for doubt in doubts if doubt)


def _few(rounds: int) -> str | None:
    if rounds >= FEW_ROUNDS:
        return None
    return f"only {rounds} rounds: a longer budget_s narrows the interval"


def _dependence(log_ratios: Floats) -> str | None:
    inflation = statistics.autocorrelation_inflation(log_ratios)
    if inflation == 1:
        return None
    return f"rounds are autocorrelated: interval widened {inflation:.2f}-fold"


def _disagreement(samples: Samples, per_round: int) -> str | None:
    """Notice that typical blocks and the fastest show different costs, and say which show more."""
    typical = [
        np.median(every[: len(every) // per_round * per_round].reshape(-1, per_round), axis=1)
        for every in samples.log_ratios(1)
    ]
    ours, theirs = (
        statistics.signed_rank(values(rounds), DISAGREEMENT_CONFIDENCE)
        for rounds in (samples.log_ratios(per_round), typical)
    )
    if ours.low <= theirs.high and theirs.low <= ours.high:
        return None
    meaning = (
        "part of the difference strikes only some calls"
        if abs(theirs.location) > abs(ours.location)
        else "typical calls hide part of the difference"
    )
    return (
        f"typical blocks differ by {words.change(math.exp(theirs.location))}, the fastest by "
        f"{words.change(math.exp(ours.location))}: {meaning}"
    )


def sentence(comparison: Comparison) -> str:
    """Tell the outcome in one sentence, with its interval and the size of the sample."""
    pairs, calls, threads = comparison.pairs, comparison.calls_per_block, comparison.threads
    count, preparations = len(comparison.warnings), comparison.preparations
    difference = words.signed_seconds(comparison.difference_s)
    warned = f" [{count} warning{'s' * (count > 1)}: {'; '.join(comparison.warnings)}]"
    return (
        f"{words.outcome(comparison)}; {difference} a call; "
        + f"{preparations} preparations, " * (preparations > 1)
        + f"{pairs} pairs of {calls} call{'s' * (calls != 1)}, "
        + f"{threads} thread{'s' * (threads != 1)})"
    ) + warned * (count > 0)
