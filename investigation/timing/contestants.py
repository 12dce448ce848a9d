"""The contestants: what each way of timing makes of two callables within a wall budget."""

import math
import time
from collections.abc import Callable

import numpy as np
import torch
from scipy.stats import mannwhitneyu
from torch.utils.benchmark import Measurement, Timer

from investigation.evidence.sealed.contest import (
    CONFIDENCE,
    INTERLEAVED,
    IQR,
    MANN_WHITNEY,
    MARGIN,
    OURS,
    UNPAIRED,
    Trial,
)
from investigation.timing import statistics
from investigation.timing.arms import Function
from investigation.timing.comparison import Comparison
from investigation.timing.errors import BudgetError
from investigation.timing.measure import compare
from investigation.timing.planted_work import Planted

REPLICATES = 6  # of the interleaved rival, per arm


def paired_trials(planted: Planted, number: int, budget_s: float, seed: int) -> list[Trial]:
    """Ours, and the same samples analysed as if they were not paired."""
    dose, arms = planted.dose, (planted.baseline, planted.candidate)
    comparison = _compared(arms, budget_s, seed)
    low, high = comparison.ratio_interval
    found = not low <= 1 <= high
    ours = Trial(
        method=OURS,
        dose=dose,
        number=number,
        ratio=comparison.ratio,
        low=low,
        high=high,
        found=found,
        equivalent=comparison.verdict == "equivalent",
        elapsed_s=comparison.elapsed_s,
        warnings=len(comparison.warnings),
    )
    return [ours, _without_pairing(comparison, dose, number)]


def _compared(arms: tuple[Function, Function], budget_s: float, seed: int) -> Comparison:
    """Compare; once more where the machine stood still for a whole budget and nothing was timed."""
    try:
        return compare(*arms, budget_s=budget_s, margin=MARGIN, seed=seed)
    except BudgetError:
        return compare(*arms, budget_s=budget_s, margin=MARGIN, seed=seed)


def _without_pairing(comparison: Comparison, dose: float, number: int) -> Trial:
    samples = comparison.samples
    times = np.asarray(samples.baseline_s), np.asarray(samples.candidate_s)
    return _mann_whitney_trial(UNPAIRED, dose, number, *times, comparison.elapsed_s)


def sequential_trials(planted: Planted, number: int, budget_s: float, seed: int) -> list[Trial]:
    """`blocked_autorange`, one arm after the other, decided in two ways on the same times."""
    del seed  # it draws nothing
    dose, start = planted.dose, time.perf_counter()
    a, b = (_autorange(arm, budget_s / 2) for arm in (planted.baseline, planted.candidate))
    elapsed_s = time.perf_counter() - start
    by_iqr = Trial(
        method=IQR,
        dose=dose,
        number=number,
        ratio=b.median / a.median,
        low=None,
        high=None,
        found=_quartiles_apart(a, b),
        equivalent=False,
        elapsed_s=elapsed_s,
    )
    times = np.asarray(a.times), np.asarray(b.times)
    return [by_iqr, _mann_whitney_trial(MANN_WHITNEY, dose, number, *times, elapsed_s)]


def interleaved_trials(planted: Planted, number: int, budget_s: float, seed: int) -> list[Trial]:
    """`blocked_autorange` by turns, the arms changing places, all times of an arm together."""
    del seed
    start, arms = time.perf_counter(), (planted.baseline, planted.candidate)
    times: tuple[list[float], list[float]] = ([], [])
    order = [arm for turn in range(REPLICATES) for arm in ((0, 1) if turn % 2 == 0 else (1, 0))]
    search_s = 0.0  # what blocked_autorange takes beyond its run time, to find its block size
    for left, arm in zip(range(len(order), 0, -1), order, strict=True):
        began = time.perf_counter()
        run_s = max(0.001, (budget_s - (began - start)) / left - search_s)
        times[arm].extend(_autorange(arms[arm], run_s).times)
        search_s = max(0.0, time.perf_counter() - began - run_s)
    elapsed_s = time.perf_counter() - start
    both = np.asarray(times[0]), np.asarray(times[1])
    return [_mann_whitney_trial(INTERLEAVED, planted.dose, number, *both, elapsed_s)]


def _autorange(arm: Function, budget_s: float) -> Measurement:
    with torch.no_grad():
        return Timer("arm()", globals={"arm": arm}).blocked_autorange(min_run_time=budget_s)


def _quartiles_apart(a: Measurement, b: Measurement) -> bool:
    (a_low, a_high), (b_low, b_high) = (np.quantile(m.times, (0.25, 0.75)) for m in (a, b))
    return bool(a_high < b_low or b_high < a_low)


def _mann_whitney_trial(
    method: str,
    dose: float,
    number: int,
    a: statistics.Floats,
    b: statistics.Floats,
    elapsed_s: float,
) -> Trial:
    """Give the fair rival's verdict, with the interval that belongs to its test."""
    shift = statistics.unpaired(np.log(a), np.log(b), CONFIDENCE)
    low, high = math.exp(shift.low), math.exp(shift.high)
    return Trial(
        method=method,
        dose=dose,
        number=number,
        ratio=float(np.median(b) / np.median(a)),
        low=low,
        high=high,
        found=bool(mannwhitneyu(a, b).pvalue < 1 - CONFIDENCE),
        equivalent=statistics.judge((low, high), MARGIN) == "equivalent",
        elapsed_s=elapsed_s,
    )


Method = Callable[[Planted, int, float, int], list[Trial]]
# Each measurement with the method that names it; others may be decided on the same times.
LEADS: dict[Method, str] = {
    paired_trials: OURS,
    sequential_trials: IQR,
    interleaved_trials: INTERLEAVED,
}
GROUPS: tuple[Method, ...] = tuple(LEADS)
