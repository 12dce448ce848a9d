"""From raw samples to an estimate, an interval and a verdict; no torch and no clock.

Why a randomised order is enough. Let each round hold some blocks of A and as many of B, the
order drawn by a coin. If the candidate takes `ratio` times as long, whatever the machine does,
then log(B / A) of a round is log(ratio) plus a disturbance whose sign the coin drew. Such
values are independent and symmetric about log(ratio), however strongly the disturbances
themselves depend on one another (Fisher, The Design of Experiments, 1935; Rosenbaum,
Observational Studies, 2002, section 2.4). That is all that the signed-rank test asks, so it and
the interval made from it keep their level under drift, spikes and busy neighbours.

The same one level up, and by the same test. An interval over pairs holds for the two objects
that were timed. Where each comes to lie in memory makes it faster or slower by a share that no
number of pairs averages out, so both are made anew several times, which of them first by coin.
What a preparation adds to log(ratio) is then as likely as its opposite, and the signed-rank test
over one estimate a preparation keeps its level; so does the test over one estimate a process.
The levels are those of Kalibera and Jones, Rigorous benchmarking in reasonable time, 2013.

Student's t over the same estimates assumes that they are normally distributed, and so do random
effects with Hartung and Knapp's adjustment, which are t where the standard errors are alike.
Where a program can lie in a good or in a bad place, t excludes the truth too often; where some
parts are disturbed, it is several times as wide (`investigation.timing.calibration`). Ranks have
a limit instead: 95 % takes 6 parts, 99.9 % takes 11 and 99.99 % takes 15. With fewer, the
interval has no ends.
"""

import math
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
import scipy  # it loads its parts when they are asked for; a process that only times asks for none
from numpy.typing import ArrayLike, NDArray

from investigation.evidence.kinds.timings import Outcome

Floats = NDArray[np.float64]

# Up to here the signed-rank distribution is exact; beyond, normal within 1e-4 of a probability.
EXACT_RANKS_UP_TO = 50
ROUND_SIZES = (2, 4, 8, 16)
ROUNDS_WANTED = 25
# Of the error that is allowed, the share kept back for choosing the size of a round.
CHOOSING_SHARE = 0.2
# The two-sided normal probability of one standard deviation: half of such an interval is a
# standard error, made of ranks like every other interval here.
ONE_SIGMA = 0.6827
# An effect that changes with time leaves a trace in the rounds; below this p the interval widens.
AUTOCORRELATED_BELOW_P = 0.01


@dataclass(frozen=True)
class Estimate:
    """A location with its interval, in the unit of the sample; `low` and `high` may be infinite."""

    location: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """From end to end."""
        return self.high - self.low


def fastest_of_each(seconds: ArrayLike, per_round: int) -> Floats:
    """Return the shortest of every `per_round` blocks: shape `(n,)` to `(n // per_round,)`.

    What disturbs a block only ever makes it longer, so the shortest of a few neighbours is
    the least disturbed (Chen and Revels, Robust benchmarking in noisy environments, 2016).
    Few, and side by side: the minimum of a whole run meets a machine that changed its speed.
    """
    blocks = np.asarray(seconds, dtype=float)
    whole = len(blocks) // per_round * per_round
    fastest: Floats = blocks[:whole].reshape(-1, per_round).min(axis=1)
    return fastest


def log_ratios(baseline: ArrayLike, candidate: ArrayLike, per_round: int) -> Floats:
    """log(candidate / baseline) of every round of `per_round` pairs: shape `(rounds,)`."""
    ratios = fastest_of_each(candidate, per_round) / fastest_of_each(baseline, per_round)
    return np.log(ratios)


def best_round(baseline: ArrayLike, candidate: ArrayLike, pairs_per_coin: int) -> int:
    """How many pairs a round should have: of 2, 4, 8 and 16 the most telling number.

    A calm machine wants many small rounds, a busy one fewer and larger. The choice looks at how
    far rounds lie from no difference, and never at the side: where nothing differs the coin
    decides the sides, and a choice blind to them leaves the signed-rank test its level. One
    that takes the shortest interval does not; it raised false alarms by about one in a hundred.
    A round is never smaller than the pairs that shared a coin, nor so large that fewer than 25
    are left.
    """
    pairs = len(np.asarray(baseline))
    sizes = [n for n in ROUND_SIZES if n >= pairs_per_coin and pairs // n >= ROUNDS_WANTED]

    def scatter(size: int) -> float:
        distances = np.abs(log_ratios(baseline, candidate, size))
        return float(np.median(distances) / math.sqrt(len(distances)))

    return min(sizes, key=scatter, default=pairs_per_coin)


def insured(confidence: float) -> float:
    """Return the confidence to compute at where `confidence` is promised: 96 % for 95 %.

    For an interval over rounds only. Rounds of different sizes share pairs, so the choice of a
    size, though blind to the sides, costs a little of the level: in simulation up to a fifth of
    the error that is allowed (`tests/test_calibration.py`). Preparations share nothing, and
    changing the sides of all pairs of one changes its sign at every size: there it costs nothing.
    """
    return 1 - (1 - CHOOSING_SHARE) * (1 - confidence)


def walsh_averages(sample: ArrayLike) -> Floats:
    """Average every two values, each with itself too: shape `(n,)` to `(n(n+1)/2,)`."""
    values = np.asarray(sample, dtype=float)
    first, second = _every_two(len(values))
    averages: Floats = (values[first] + values[second]) / 2
    return averages


@lru_cache(maxsize=4)  # a simulation asks for one size very often; a large one takes megabytes
def _every_two(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    first, second = np.triu_indices(n)
    return first, second


@cache
def _signed_rank_cumulative(n: int) -> Floats:
    """P(T ≤ t) for t = 0 … n(n+1)/2, the signed-rank statistic of `n` symmetric values."""
    ways = np.ones(1)
    for rank in range(1, n + 1):
        without, with_rank = np.pad(ways, (0, rank)), np.pad(ways, (rank, 0))
        ways = (without + with_rank) / 2
    return np.cumsum(ways)


def _walsh_rank(n: int, confidence: float) -> int:
    """How many Walsh averages lie outside the interval on each side, less one; −1 if none can."""
    tail = (1 - confidence) / 2
    if n <= EXACT_RANKS_UP_TO:
        return int(np.searchsorted(_signed_rank_cumulative(n), tail, side="right")) - 1
    centre, spread = n * (n + 1) / 4, math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
    return math.floor(centre + float(scipy.stats.norm.ppf(tail)) * spread - 0.5)


def signed_rank(sample: ArrayLike, confidence: float, inflation: float = 1.0) -> Estimate:
    """Hodges–Lehmann location with the interval that inverts Wilcoxon's signed-rank test.

    `sample` has shape `(n,)`. `inflation` stretches the interval in ranks about its centre.
    With too few values for the confidence the interval is infinite, never too short.
    Source: Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 2014, 3.2 and 3.3.
    """
    values = np.asarray(sample, dtype=float)
    averages = walsh_averages(values)
    rank, last = _walsh_rank(len(values), confidence), len(averages) - 1
    centre = last / 2
    outside = math.floor(centre - inflation * (centre - rank)) if rank >= 0 else -1
    # All that is wanted, sought in one pass: the two in the middle, and the ends.
    middle = (last // 2, last - last // 2)
    ordered = np.partition(averages, (*middle, max(outside, 0), last - max(outside, 0)))
    location = float(ordered[middle[0]] + ordered[middle[1]]) / 2
    if outside < 0:
        return Estimate(location, -math.inf, math.inf)
    return Estimate(location, float(ordered[outside]), float(ordered[last - outside]))


def unpaired(baseline: ArrayLike, candidate: ArrayLike, confidence: float) -> Estimate:
    """Shift of `candidate` from `baseline`, the interval inverting the Mann–Whitney test.

    Shapes `(m,)` and `(n,)`; independent samples, which blocks on a shared machine are not.
    Source: Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 2014, 4.2 and 4.3.
    """
    a, b = np.asarray(baseline, dtype=float), np.asarray(candidate, dtype=float)
    shifts, spread = (b[:, None] - a).ravel(), math.sqrt(len(a) * len(b) * (len(a) + len(b) + 1))
    reach = scipy.stats.norm.ppf((1 + confidence) / 2) * spread / math.sqrt(12)
    low = max(0, math.floor(len(shifts) / 2 - reach - 0.5))
    ends = np.partition(shifts, (low, len(shifts) - 1 - low))
    return Estimate(float(np.median(shifts)), float(ends[low]), float(ends[len(shifts) - 1 - low]))


def equivalence_p(log_ratios: ArrayLike, margin: float) -> float:
    """Return the larger p of two one-sided signed-rank tests against ±log(1 + margin).

    Small means: neither as slow nor as fast as the margin. Source: Schuirmann, A comparison of
    the two one-sided tests procedure and the power approach, 1987.
    """
    values, edge = np.asarray(log_ratios, dtype=float), math.log1p(margin)
    below = scipy.stats.wilcoxon(values - edge, alternative="less").pvalue
    above = scipy.stats.wilcoxon(values + edge, alternative="greater").pvalue
    return float(max(below, above))


def judge(ratio_interval: tuple[float, float], margin: float) -> Outcome:
    """Say what an interval of candidate over baseline means, inside or outside the margin.

    The margin is symmetric in the logarithm, 1/(1 + margin) to 1 + margin, so that swapping the
    arms swaps "slower" and "faster" and changes nothing else. Wholly inside, both ends of a
    two-sided interval: at 95 % a dose equal to the margin is called equivalent 2.5 % of the time.
    Slower or faster is wholly beyond it: what straddles an edge decides nothing, or noise would.
    """
    low, high = ratio_interval
    if 1 / (1 + margin) < low and high < 1 + margin:
        return "equivalent"
    if low > 1 + margin:
        return "slower"
    return "faster" if high < 1 / (1 + margin) else "inconclusive"


def autocorrelation_p(sample: ArrayLike) -> float:
    """Ljung–Box p over ten lags of the signed ranks of `sample`; 1 where it is too short."""
    scores = _centred_scores(sample)
    if len(scores) < 30 or not scores.any():
        return 1.0
    # Here, because it takes half a second, which every fresh process would wait for.
    from statsmodels.tsa.stattools import acf

    _, _, p_by_lag = acf(scores, nlags=10, qstat=True, fft=False, result_object=False)
    return float(p_by_lag[-1])


def autocorrelation_inflation(sample: ArrayLike) -> float:
    """How much wider the interval must be, 1 or more, where rounds depend on one another.

    The coin makes rounds uncorrelated unless the effect itself changes with time. If they are
    not (Ljung–Box), the width grows by the root of long-run over plain variance of the scores.
    Source: Newey and West, 1987, with their 1994 automatic lag 4(n/100)^(2/9).
    """
    if autocorrelation_p(sample) >= AUTOCORRELATED_BELOW_P:
        return 1.0
    from statsmodels.stats.sandwich_covariance import S_hac_simple

    scores = _centred_scores(sample)
    lags = math.ceil(4 * (len(scores) / 100) ** (2 / 9))
    long_run = S_hac_simple(scores[:, None], nlags=lags).item()
    return math.sqrt(max(1.0, long_run / float(scores @ scores)))


def _centred_scores(sample: ArrayLike) -> Floats:
    """Signed ranks about the median: bounded, so that one spike cannot pose as a pattern."""
    values = np.asarray(sample, dtype=float)
    deviations = values - np.median(values)
    scores: Floats = np.sign(deviations) * scipy.stats.rankdata(np.abs(deviations))
    centred: Floats = scores - scores.mean()
    return centred


def location(sample: ArrayLike) -> float:
    """Hodges–Lehmann location: the median of the averages of every two values."""
    return float(np.median(walsh_averages(sample)))


def standard_error(sample: ArrayLike, inflation: float = 1.0) -> float:
    """Of the location of three or more values, from half of its one-sigma interval."""
    return signed_rank(sample, ONE_SIGMA, inflation).width / 2


# A smaller estimate of what varies between parts is written as none seen.
SEEN_PERCENT = 0.005


@dataclass(frozen=True)
class Spread:
    """How much estimates of one ratio vary from part to part: preparations, or processes."""

    within_percent: float  # standard error of one estimate, from what varies inside its part
    between_percent: float  # standard deviation of the ratio from part to part
    heterogeneity_p: float  # Cochran's Q; small: parts differ by more than their noise

    def in_words(self, parts: str) -> str:
        """Say by how much the parts differ, or that no difference is seen above their noise.

        The variance between them is an estimate, cut off at zero; zero does not mean none.
        """
        if self.between_percent < SEEN_PERCENT:
            noise = f"the noise of one, {self.within_percent:.2g} %"
            return f"between {parts} no difference is seen above {noise}"
        return f"{parts} differ by {self.between_percent:.2g} % (p = {self.heterogeneity_p:.2g})"


def spread(log_ratios: ArrayLike, standard_errors: ArrayLike) -> Spread:
    """Return how much two or more parts' log ratios vary, shape `(k,)` each."""
    values, errors = np.asarray(log_ratios, dtype=float), np.asarray(standard_errors, dtype=float)
    within = float(np.mean(errors**2))
    weights = 1 / np.maximum(errors, 1e-9) ** 2
    distances = values - np.average(values, weights=weights)
    return Spread(
        within_percent=100 * math.sqrt(within),
        between_percent=100 * math.sqrt(max(0.0, float(np.var(values, ddof=1)) - within)),
        heterogeneity_p=float(scipy.stats.chi2.sf(weights @ distances**2, len(values) - 1)),
    )
