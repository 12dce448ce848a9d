"""The outcome of a paired timing: raw samples and what follows from them."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

import numpy as np

from investigation.evidence import words
from investigation.evidence.kinds.timings import Outcome
from investigation.timing import statistics
from investigation.timing.statistics import Floats

# Fewer rounds than this give an interval that hardly ever decides anything.
FEW_ROUNDS = 20
# How sure to be that typical and fastest blocks disagree before saying so: a rare false alarm.
DISAGREEMENT_CONFIDENCE = 0.9999


@dataclass(frozen=True)
class Samples:
    """Raw paired times: block `i` of each arm ran side by side, `candidate_first[i]` says how."""

    baseline_s: tuple[float, ...]  # per call
    candidate_s: tuple[float, ...]  # per call
    candidate_first: tuple[bool, ...]
    calls_per_block: int
    pairs_per_coin: int  # so many pairs in a row share one draw of their orders

    def fastest(self, pairs_per_round: int) -> tuple[Floats, Floats]:
        """Per-call seconds of each arm's fastest block of every round, shape `(rounds,)` each."""
        return (
            statistics.fastest_of_each(self.baseline_s, pairs_per_round),
            statistics.fastest_of_each(self.candidate_s, pairs_per_round),
        )

    def log_ratios(self, pairs_per_round: int) -> Floats:
        """log(candidate / baseline) of every round, shape `(rounds,)`."""
        return statistics.log_ratios(self.baseline_s, self.candidate_s, pairs_per_round)


@dataclass(frozen=True)
class Comparison:
    """A candidate timed against a baseline; `ratio` is candidate over baseline.

    The ratio is that of undisturbed times: each round of `pairs_per_round` pairs counts with
    the fastest block of each arm. `equivalence_p` is the p of two one-sided tests inside the
    margin; the verdict asks for more, the whole two-sided interval inside it.
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

    @classmethod
    def of(cls, samples: Samples, *, margin: float, confidence: float, **context: Any) -> Self:
        """Judge `samples`; `context` is every field that does not follow from them."""
        per_round = statistics.best_round(
            samples.baseline_s, samples.candidate_s, samples.pairs_per_coin
        )
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
            equivalence_p=statistics.equivalence_p(samples.log_ratios(per_round), margin),
            samples=samples,
            **(context | {"warnings": (*context["warnings"], *doubts)}),
        )

    def at(self, confidence: float) -> Self:
        """Judge the same samples at another confidence; ValueError unless it is in (0, 1)."""
        if not 0 < confidence < 1:
            raise ValueError(f"confidence must lie between 0 and 1, not {confidence}")
        judged = _estimates(self.samples, self.pairs_per_round, self.margin, confidence)
        return replace(self, **judged)

    def __repr__(self) -> str:
        return sentence(self)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able; an infinite end of an interval becomes None."""
        record = asdict(self)
        record["ratio_interval"] = _finite(self.ratio_interval)
        record["difference_interval"] = _finite(self.difference_interval)
        return record

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote, before or after JSON."""
        values = {field.name: record[field.name] for field in fields(cls)}
        samples = {key: _tuple(value) for key, value in record["samples"].items()}
        values["samples"] = Samples(**samples)
        values["warnings"] = tuple(record["warnings"])
        values["ratio_interval"] = _infinite(record["ratio_interval"], 0.0)
        values["difference_interval"] = _infinite(record["difference_interval"], -math.inf)
        return cls(**values)


def _estimates(
    samples: Samples, per_round: int, margin: float, confidence: float
) -> dict[str, Any]:
    """Compute the fields that depend on the confidence, and the two locations."""
    baseline, candidate = samples.fastest(per_round)
    log_ratios = np.log(candidate / baseline)
    inflation = statistics.autocorrelation_inflation(log_ratios)
    at = statistics.insured(confidence)
    ratio = statistics.signed_rank(log_ratios, at, inflation)
    difference = statistics.signed_rank(candidate - baseline, at, inflation)
    interval = (_exp(ratio.low), _exp(ratio.high))
    return {
        "ratio": math.exp(ratio.location),
        "ratio_interval": interval,
        "difference_s": difference.location,
        "difference_interval": (difference.low, difference.high),
        "verdict": statistics.judge(interval, margin),
        "confidence": confidence,
    }


def _exp(log: float) -> float:
    return math.inf if log == math.inf else math.exp(log)


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value


def _finite(interval: tuple[float, float]) -> list[float | None]:
    return [end if math.isfinite(end) else None for end in interval]


def _infinite(interval: list[float | None], lowest: float) -> tuple[float, float]:
    low, high = interval
    return (lowest if low is None else low, math.inf if high is None else high)


def _doubts(samples: Samples, per_round: int) -> tuple[str, ...]:
    """Say what the samples themselves give reason to, in words."""
    log_ratios = samples.log_ratios(per_round)
    found = (
        _few(len(log_ratios)),
        _dependence(log_ratios),
        _disagreement(samples, per_round),
    )
    return tuple(doubt for doubt in found if doubt)


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
    """Notice a cost that strikes only some blocks: typical ones show it, the fastest do not."""
    log_ratios = samples.log_ratios(per_round)
    every = samples.log_ratios(1)[: len(log_ratios) * per_round]
    typical = np.median(every.reshape(-1, per_round), axis=1)
    ours = statistics.signed_rank(log_ratios, DISAGREEMENT_CONFIDENCE)
    theirs = statistics.signed_rank(typical, DISAGREEMENT_CONFIDENCE)
    if ours.low <= theirs.high and theirs.low <= ours.high:
        return None
    return (
        f"typical blocks differ by {words.change(math.exp(theirs.location))}, the fastest by "
        f"{words.change(math.exp(ours.location))}: part of the cost strikes only some calls"
    )


def sentence(comparison: Comparison) -> str:
    """Tell the outcome in one sentence, with its interval and the size of the sample."""
    pairs, calls, threads = comparison.pairs, comparison.calls_per_block, comparison.threads
    count = len(comparison.warnings)
    difference = words.signed_seconds(comparison.difference_s)
    warned = f" [{count} warning{'s' * (count > 1)}: {'; '.join(comparison.warnings)}]"
    return (
        f"{words.outcome(comparison)}; {difference} a call; {pairs} pairs "
        f"of {calls} call{'s' * (calls != 1)}, {threads} thread{'s' * (threads != 1)})"
    ) + warned * (count > 0)
