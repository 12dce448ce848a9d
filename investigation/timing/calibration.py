"""How often an interval excludes the truth, on made-up machines whose truth is known.

An interval at 95 % may do so in 5 of 100 cases. Verdicts use 97.5 %, 99.9 % and 99.99 % as well.
Two levels are simulated: blocks of two objects, in pairs whose order a coin draws; and one
estimate a preparation or a process. Beside the signed-rank interval of this instrument stands
Student's t over the same values.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from investigation.evidence.kinds.timings import (
    CONTROL_CONFIDENCE,
    FAMILY_CONFIDENCE,
    STEP_CONFIDENCE,
)
from investigation.timing import statistics
from investigation.timing.preparations import WANTED
from investigation.timing.statistics import Estimate, Floats

CONFIDENCES = (0.95, STEP_CONFIDENCE, FAMILY_CONFIDENCE, CONTROL_CONFIDENCE)
PROCESSES = 8  # as many as a network's step is timed in
SURPRISE = 1e-5
BLOCKS = 240  # pairs of a short comparison of two objects
# What where the arms lie, or a disturbance, adds to the difference of two equal programs in each
# part: any unit will do. Times of blocks, for the machines.
Draw = Callable[[np.random.Generator, int], Floats]


def normal(draw: np.random.Generator, size: int) -> Floats:
    """Draw places that make each program a little faster or slower."""
    return draw.standard_normal(size)


def two_places(draw: np.random.Generator, size: int) -> Floats:
    """Draw a good or a bad place for each program, by itself."""
    return draw.choice([-1.0, 0.0, 0.0, 1.0], size) + 0.02 * draw.standard_normal(size)


def first_served(draw: np.random.Generator, size: int) -> Floats:
    """Draw which program is made first, and so gets the better one of two places."""
    return draw.choice([-1.0, 1.0], size) + 0.02 * draw.standard_normal(size)


def heavy_tails(draw: np.random.Generator, size: int) -> Floats:
    """Draw, now and then, a place far off: Student's t with two degrees of freedom."""
    return draw.standard_t(2, size)


def disturbed(draw: np.random.Generator, size: int) -> Floats:
    """Draw one in ten spoilt by a neighbour, by thirty times as much as the others vary."""
    return draw.standard_normal(size) * np.where(draw.random(size) < 0.1, 30.0, 1.0)


PLACES: dict[str, Draw] = {
    "normal": normal,
    "a good or a bad place for each": two_places,
    "the better place for the first": first_served,
    "heavy tails": heavy_tails,
    "one in ten disturbed": disturbed,
}


def quiet(draw: np.random.Generator, size: int) -> Floats:
    """Draw blocks that vary a little and independently."""
    return 1 + 0.01 * draw.standard_gamma(2, size)


def bursts(draw: np.random.Generator, size: int) -> Floats:
    """Draw a neighbour for some blocks in a row, with heavy tails."""
    busy = np.repeat(draw.random(size // 8 + 1) < 0.5, 8)[:size]
    return quiet(draw, size) + busy * draw.exponential(0.3, size)


def drift(draw: np.random.Generator, size: int) -> Floats:
    """Draw a machine whose speed wanders."""
    wandering: Floats = quiet(draw, size) * np.exp(0.003 * np.cumsum(draw.standard_normal(size)))
    return wandering


MACHINES: dict[str, Draw] = {"quiet": quiet, "bursts, heavy tails": bursts, "drift": drift}


@dataclass(frozen=True)
class Calibrated:
    """How often intervals excluded the truth at one confidence; `students_t` None if not tried.

    `endless` intervals have no ends, since there are too few values for one at this confidence.
    """

    level: str
    world: str
    confidence: float
    trials: int
    excluded: int
    endless: int
    students_t: int | None = None

    @property
    def tried(self) -> bool:
        """Whether any interval could have excluded the truth."""
        return self.endless < self.trials

    @property
    def allowed(self) -> float:
        """The share that the confidence allows."""
        return 1 - self.confidence

    @property
    def holds(self) -> bool:
        """Whether so many, or more, would be no surprise at the promised level.

        A surprise is 1 in 100,000: dozens of levels are judged, and each is a control.
        """
        tail = stats.binomtest(self.excluded, self.trials, self.allowed, alternative="greater")
        return bool(tail.pvalue > SURPRISE)


def of_parts(name: str, parts: int, trials: int, seed: int) -> Iterator[Calibrated]:
    """Calibrate the interval over so many preparations, or processes, in every world."""
    for world, place in PLACES.items():
        draw = np.random.default_rng(seed)
        samples = [place(draw, parts) for _ in range(trials)]
        for confidence in CONFIDENCES:
            estimates = [statistics.signed_rank(sample, confidence) for sample in samples]
            by_t = int(np.sum(_by_t(np.array(samples), confidence)))
            yield _calibrated((name, world, confidence), estimates, by_t)


def _calibrated(
    about: tuple[str, str, float], estimates: Sequence[Estimate], by_t: int | None = None
) -> Calibrated:
    excluded = sum(not estimate.low <= 0 <= estimate.high for estimate in estimates)
    endless = sum(not math.isfinite(estimate.high - estimate.low) for estimate in estimates)
    return Calibrated(*about, len(estimates), excluded, endless, by_t)


def _by_t(samples: Floats, confidence: float) -> "np.typing.NDArray[np.bool_]":
    """Whether Student's interval over each row, shape `(trials, parts)`, excludes zero."""
    parts = samples.shape[1]
    reach = stats.t.ppf((1 + confidence) / 2, parts - 1) / math.sqrt(parts)
    outside: np.typing.NDArray[np.bool_] = np.abs(samples.mean(1)) > reach * samples.std(1, ddof=1)
    return outside


def of_pairs(trials: int, seed: int) -> Iterator[Calibrated]:
    """Calibrate the interval over rounds of two objects that are equally fast, on every machine."""
    for world, machine in MACHINES.items():
        draw = np.random.default_rng(seed)
        samples = [_rounds(machine, draw) for _ in range(trials)]
        for confidence in CONFIDENCES:
            at = statistics.insured(confidence)
            estimates = [
                statistics.signed_rank(sample, at, statistics.autocorrelation_inflation(sample))
                for sample in samples
            ]
            yield _calibrated(("pairs of two objects", world, confidence), estimates)


def _rounds(machine: Draw, draw: np.random.Generator) -> Floats:
    """Log ratios of the rounds of one comparison, its blocks in an order drawn by coin."""
    blocks = machine(draw, 2 * BLOCKS).reshape(BLOCKS // 2, 2, 2)
    swapped = draw.random(BLOCKS // 2) < 0.5
    # Two pairs share a coin: the second starts with the other arm.
    first = np.where(swapped[:, None], blocks[:, 0, ::-1], blocks[:, 0])
    second = np.where(swapped[:, None], blocks[:, 1], blocks[:, 1, ::-1])
    baseline, candidate = np.stack([first, second], axis=1).reshape(-1, 2).T
    size = statistics.best_round(baseline, candidate, 2)
    return statistics.log_ratios(baseline, candidate, size)


def calibrated(trials: int, seed: int) -> list[Calibrated]:
    """Calibrate every level that a verdict uses; a tenth of the trials for pairs, which are slow.

    4,000 trials take about half a minute.
    """
    return [
        *of_pairs(max(1, trials // 10), seed),
        *of_parts(f"{WANTED} preparations", WANTED, trials, seed),
        *of_parts(f"{PROCESSES} processes", PROCESSES, trials, seed),
    ]
