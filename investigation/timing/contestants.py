"""The contestants: what each way of timing makes of two callables within a wall budget.

Ours gets more where a machine is so slow that the budget is too small to begin with; a trial has
the seconds that it took.
"""

import math
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from scipy.stats import mannwhitneyu
from torch.utils.benchmark import Measurement, Timer

from investigation.evidence.kinds.timings import Outcome
from investigation.evidence.sealed.contest import (
    CONFIDENCE,
    DUET,
    INTERLEAVED,
    IQR,
    MADE,
    MANN_WHITNEY,
    MARGIN,
    PAIRS,
    UNPAIRED,
    Trial,
)
from investigation.timing import duet, statistics
from investigation.timing.arms import Function
from investigation.timing.comparison import Comparison
from investigation.timing.measure import compare, patiently
from investigation.timing.pairs import FEWEST_PAIRS
from investigation.timing.planted_work import Planted
from investigation.timing.preparations import compare_made

REPLICATES = 6  # of the interleaved rival, per arm


def paired_trials(planted: Planted, number: int, budget_s: float, seed: int) -> list[Trial]:
    """Ours on two objects, and the same samples analysed as if they were not paired."""
    comparison = patiently(partial(compare, *planted.once(), **_settings(seed)), budget_s)
    samples = comparison.samples
    times = np.asarray(samples.baseline_s), np.asarray(samples.candidate_s)
    return [
        _ours(PAIRS, planted, number, comparison),
        _mann_whitney_trial(UNPAIRED, planted, number, times, comparison.elapsed_s),
    ]


def made_trials(planted: Planted, number: int, budget_s: float, seed: int) -> list[Trial]:
    """Ours on two programs, made anew several times."""
    makers = planted.make_baseline, planted.make_candidate
    comparison = patiently(partial(compare_made, *makers, **_settings(seed)), budget_s)
    return [_ours(MADE, planted, number, comparison)]


def _settings(seed: int) -> dict[str, Any]:
    return {"margin": MARGIN, "confidence": CONFIDENCE, "seed": seed}


def _ours(method: str, planted: Planted, number: int, comparison: Comparison) -> Trial:
    low, high = comparison.ratio_interval
    return Trial(
        method=method,
        plant=planted.kind,
        dose=planted.dose,
        number=number,
        ratio=comparison.ratio,
        low=low,
        high=high,
        found=not low <= 1 <= high,
        verdict=comparison.verdict,
        elapsed_s=comparison.elapsed_s,
        warnings=len(comparison.warnings),
    )


def duet_trials(planted: Planted, number: int, budget_s: float, seed: int) -> list[Trial]:
    """Both sides at the same moment on two cores; nothing where there is one core."""
    del seed  # it draws nothing
    cores, start = duet.two_cores(), time.perf_counter()
    if cores is None:
        return []
    ratios = np.empty(0)
    while len(ratios) < FEWEST_PAIRS:
        arms = planted.once()
        with torch.no_grad():
            more = duet.duet_log_ratios(*arms, cores, budget_s)
        ratios = np.append(ratios, more)
    estimate = statistics.signed_rank(ratios, CONFIDENCE)
    low, high = math.exp(estimate.low), math.exp(estimate.high)
    trial = Trial(
        method=DUET,
        plant=planted.kind,
        dose=planted.dose,
        number=number,
        ratio=math.exp(estimate.location),
        low=low,
        high=high,
        found=not low <= 1 <= high,
        verdict=statistics.judge((low, high), MARGIN),
        elapsed_s=time.perf_counter() - start,
    )
    return [trial]


def sequential_trials(planted: Planted, number: int, budget_s: float, seed: int) -> list[Trial]:
    """`blocked_autorange`, one arm after the other, decided in two ways on the same times."""
    del seed
    start = time.perf_counter()
    a, b = (_autorange(arm, budget_s / 2) for arm in planted.once())
    elapsed_s, apart = time.perf_counter() - start, _quartiles_apart(a, b)
    ratio = b.median / a.median
    by_iqr = Trial(
        method=IQR,
        plant=planted.kind,
        dose=planted.dose,
        number=number,
        ratio=ratio,
        low=None,
        high=None,
        found=apart,
        verdict=_side(ratio) if apart else "inconclusive",
        elapsed_s=elapsed_s,
    )
    times = np.asarray(a.times), np.asarray(b.times)
    return [by_iqr, _mann_whitney_trial(MANN_WHITNEY, planted, number, times, elapsed_s)]


def _side(ratio: float) -> Outcome:
    return "slower" if ratio > 1 else "faster"


def interleaved_trials(planted: Planted, number: int, budget_s: float, seed: int) -> list[Trial]:
    """`blocked_autorange` by turns, the arms changing places, all times of an arm together."""
    del seed
    start, arms = time.perf_counter(), planted.once()
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
    return [_mann_whitney_trial(INTERLEAVED, planted, number, both, elapsed_s)]


def _autorange(arm: Function, budget_s: float) -> Measurement:
    with torch.no_grad():
        return Timer("arm()", globals={"arm": arm}).blocked_autorange(min_run_time=budget_s)


def _quartiles_apart(a: Measurement, b: Measurement) -> bool:
    (a_low, a_high), (b_low, b_high) = (np.quantile(m.times, (0.25, 0.75)) for m in (a, b))
    return bool(a_high < b_low or b_high < a_low)


def _mann_whitney_trial(
    method: str,
    planted: Planted,
    number: int,
    times: tuple[statistics.Floats, statistics.Floats],
    elapsed_s: float,
) -> Trial:
    """Give the fair rival's verdict, with the interval that belongs to its test."""
    a, b = times
    shift = statistics.unpaired(np.log(a), np.log(b), CONFIDENCE)
    low, high = math.exp(shift.low), math.exp(shift.high)
    return Trial(
        method=method,
        plant=planted.kind,
        dose=planted.dose,
        number=number,
        ratio=float(np.median(b) / np.median(a)),
        low=low,
        high=high,
        found=bool(mannwhitneyu(a, b).pvalue < 1 - CONFIDENCE),
        verdict=statistics.judge((low, high), MARGIN),
        elapsed_s=elapsed_s,
    )


Method = Callable[[Planted, int, float, int], list[Trial]]
# Each measurement with the method that names it; others may be decided on the same times.
LEADS: dict[Method, str] = {
    paired_trials: PAIRS,
    made_trials: MADE,
    sequential_trials: IQR,
    interleaved_trials: INTERLEAVED,
    duet_trials: DUET,
}
OURS: tuple[Method, ...] = (paired_trials, made_trials)
GROUPS: tuple[Method, ...] = tuple(LEADS)
