"""The outcome of a paired timing: raw samples and what follows from them."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Protocol, Self

import numpy as np

from investigation.timing import statistics
from investigation.timing.statistics import Floats, Verdict

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
    verdict: Verdict
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
        f"typical blocks differ by {_percent(math.exp(theirs.location))}, the fastest by "
        f"{_percent(math.exp(ours.location))}: part of the cost strikes only some calls"
    )


class Judged(Protocol):
    """What a sentence about a ratio needs; a comparison has it, and so has a replication."""

    @property
    def ratio(self) -> float:
        """Candidate over baseline."""

    @property
    def ratio_interval(self) -> tuple[float, float]:
        """Low and high."""

    @property
    def verdict(self) -> Verdict:
        """Of the candidate."""

    @property
    def margin(self) -> float:
        """What counts as equal, as a share."""

    @property
    def confidence(self) -> float:
        """Of the interval."""

    @property
    def name(self) -> str:
        """Of the candidate."""

    @property
    def baseline_name(self) -> str:
        """Of the baseline."""


def sentence(comparison: Comparison) -> str:
    """Tell the outcome in one sentence, with its interval and the size of the sample."""
    pairs, calls, threads = comparison.pairs, comparison.calls_per_block, comparison.threads
    count = len(comparison.warnings)
    warned = f" [{count} warning{'s' * (count > 1)}: {'; '.join(comparison.warnings)}]"
    return (
        f"{describe_ratio(comparison)}; {seconds(comparison.difference_s)} a call; {pairs} pairs "
        f"of {calls} call{'s' * (calls != 1)}, {threads} thread{'s' * (threads != 1)})"
    ) + warned * (count > 0)


def describe_ratio(judged: Judged) -> str:
    """Tell the outcome and its interval, in a parenthesis that is left open."""
    return f"{_outcome(judged)} ({100 * judged.confidence:.6g} % interval {_interval(judged)}"


def _outcome(judged: Judged) -> str:
    ratio, name, other = judged.ratio, judged.name, judged.baseline_name
    match judged.verdict:
        case "equivalent":
            margin = f"{100 * judged.margin:.3g} %"
            return f"{name} is equivalent to {other} within {margin}: {_percent(ratio)}"
        case "inconclusive":
            return f"{name} against {other} is inconclusive: {_percent(ratio)}"
        case verdict if 0.5 < ratio < 2:
            return f"{name} is {_places(100 * abs(ratio - 1))} % {verdict} than {other}"
    return f"{name} takes {ratio:.3g} times as long as {other}"


def _interval(judged: Judged) -> str:
    low, high = judged.ratio_interval
    if not math.isfinite(high):
        return "without an end"
    if judged.verdict in ("equivalent", "inconclusive"):
        return f"{_percent(low)} to {_percent(high)}"
    if not 0.5 < judged.ratio < 2:
        return f"{low:.3g} to {high:.3g} times"
    ends = sorted(100 * abs(end - 1) for end in (low, high))
    return f"{_places(ends[0])} % to {_places(ends[1])} %"


def _percent(ratio: float) -> str:
    """Write a ratio as a signed change: 1.0052 is +0.52 %."""
    change = 100 * (ratio - 1)
    return f"{'−' if change < 0 else '+'}{_places(abs(change))} %"


def _places(percent: float) -> str:
    """Two decimals below ten per cent, one above: more would be noise."""
    return f"{percent:.2f}" if percent < 10 else f"{percent:.1f}"


def seconds(value_s: float) -> str:
    """Write a signed time in the unit that suits its size: 4.1e-9 is +4.1 ns."""
    sign, size = "−" if value_s < 0 else "+", abs(value_s)
    for unit, scale in (("ns", 1e-9), ("µs", 1e-6), ("ms", 1e-3)):
        if size < 999.5 * scale:
            return f"{sign}{size / scale:.3g} {unit}"
    return f"{sign}{size:.3g} s"
