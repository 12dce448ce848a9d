"""The contest of timers: which one tells a planted difference from none, and how well.

Every trial gives a timer the same wall budget and two callables whose work differs by a known
share, 400 calls of a small multiply against 404 for +1 %, so that the truth is known exactly.
"""

import math
import multiprocessing
import os
import platform
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from itertools import repeat
from typing import Any

import numpy as np
import psutil
import torch
from scipy.stats import mannwhitneyu
from torch.utils.benchmark import Measurement, Timer

from investigation.evidence.contest_record import (
    BASE_CALLS,
    CONFIDENCE,
    DOSES,
    INTERLEAVED,
    IQR,
    MANN_WHITNEY,
    MARGIN,
    OURS,
    UNPAIRED,
    ContestResult,
    Trial,
)
from investigation.evidence.environment import processor_name
from investigation.timing import statistics
from investigation.timing.measure import BudgetError, Comparison, compare

ELEMENTS = 4096
REPLICATES = 6  # of the interleaved rival, per arm
BURST_S = 0.05  # a neighbour's bursts and pauses, on average

Function = Callable[[], None]


@dataclass(frozen=True)
class Planted:
    """Two callables whose numbers of equal multiplies differ by `dose` per cent."""

    dose: float
    baseline: Function
    candidate: Function


def plant(dose: float, *, copies: bool = False) -> Planted:
    """Plant a difference; ValueError where the dose is not a whole number of calls in 400.

    Only the number of calls tells the sides apart: they share the function and the tensors.
    With `copies` each has a closure of its own, of the same code. Closures lie in different
    places of memory, and are not quite equally fast: a truth that is not known exactly.
    """
    extra = BASE_CALLS * abs(dose) / 100
    if not extra.is_integer():
        raise ValueError(f"a dose of {dose} % is not a whole number of calls in {BASE_CALLS}")
    multiplies = closure if copies else shared
    less, more = multiplies(BASE_CALLS), multiplies(BASE_CALLS + int(extra))
    return Planted(dose, less, more) if dose >= 0 else Planted(dose, more, less)


def shared(calls: int) -> Function:
    """Build a callable that multiplies the same two tensors `calls` times, by one function."""
    return partial(_multiply, *_operands(), calls)


def closure(calls: int) -> Function:
    """Build the same with a function of its own."""
    x, y = _operands()

    def work() -> None:
        for _ in repeat(None, calls):
            x * y

    return work


def _multiply(x: torch.Tensor, y: torch.Tensor, calls: int) -> None:
    for _ in repeat(None, calls):
        x * y


@cache
def _operands() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.ones(ELEMENTS), torch.ones(ELEMENTS)


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


@dataclass(frozen=True)
class Turn:
    """One measurement to be made: a group of methods that share it, a dose and a number."""

    method: Method
    dose: float
    number: int
    seed: int


def turns(trials: int, rival_trials: int, doses: Sequence[float], seed: int) -> list[Turn]:
    """Every measurement of a contest, doses and methods in random order within each trial.

    Rivals that get fewer trials get them spread evenly over the contest.
    """
    draw = random.Random(seed)
    planned = []
    for number in range(trials):
        rivals = (number * rival_trials) // trials < ((number + 1) * rival_trials) // trials
        groups = GROUPS if rivals else GROUPS[:1]
        turn = [Turn(m, d, number, draw.getrandbits(32)) for d in doses for m in groups]
        draw.shuffle(turn)
        planned += turn
    return planned


def run(
    trials: int = 10,
    *,
    rival_trials: int | None = None,
    doses: Sequence[float] = DOSES,
    budget_s: float = 0.6,
    seed: int = 0,
    neighbour: bool = False,
    copies: bool = False,
    resume: ContestResult | None = None,
    progress: Callable[[ContestResult, int, int], None] | None = None,
) -> ContestResult:
    """Hold the contest, one thread, one comparison at a time.

    `rival_trials` defaults to `trials`. `neighbour` starts one process per core that burns at
    random while the contest runs; `copies` is that of `plant`. `resume` keeps its trials and
    runs only what is missing.
    `progress(result, done, total)` is called after each measurement. Takes about
    `budget_s * len(doses) * (trials + 2 * rival_trials)` seconds.
    """
    rivals = trials if rival_trials is None else rival_trials
    result = resume or ContestResult(environment(), {})
    result.settings = {
        "trials": trials,
        "rival_trials": rivals,
        "doses": list(doses),
        "budget_s": budget_s,
        "seed": seed,
        "neighbour": neighbour,
        "copies": copies,
        "margin": MARGIN,
        "confidence": CONFIDENCE,
        "base_calls": BASE_CALLS,
    }
    finished = {(trial.method, trial.dose, trial.number) for trial in result.trials}
    planned = turns(trials, rivals, doses, seed)
    with busy_neighbours(seed) if neighbour else _quiet():
        for done, turn in enumerate(planned, start=1):
            if (LEADS[turn.method], turn.dose, turn.number) not in finished:
                planted = plant(turn.dose, copies=copies)
                result.trials += turn.method(planted, turn.number, budget_s, turn.seed)
            if progress:
                progress(result, done, len(planned))
    return result


@contextmanager
def _quiet() -> Iterator[None]:
    yield


@contextmanager
def busy_neighbours(seed: int) -> Iterator[None]:
    """One process per core that alternates between burning and sleeping, exponential times."""
    spawn = multiprocessing.get_context("spawn")
    cores = range(os.cpu_count() or 1)
    processes = [spawn.Process(target=_burn, args=(seed + c,), daemon=True) for c in cores]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _burn(seed: int) -> None:
    draw, parent = random.Random(seed), os.getppid()
    while os.getppid() == parent:
        time.sleep(draw.expovariate(1 / BURST_S))
        stop = time.monotonic() + draw.expovariate(1 / BURST_S)
        while time.monotonic() < stop:
            sum(range(1000))


def environment() -> dict[str, Any]:
    """Describe what the contest runs on, and how long its baseline takes there."""
    work = shared(BASE_CALLS)
    with torch.no_grad():
        times = Timer("work()", globals={"work": work}).timeit(50)
    return {
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": 1,
        "load": os.getloadavg()[0],
        "memory_bytes": psutil.virtual_memory().total,
        "callable_s": times.mean,
        "started": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }
