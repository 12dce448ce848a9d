"""The contest of timers: which one tells a planted difference from none, and how well.

Every trial gives a timer the same wall budget and two callables whose work differs by a known
share, 400 calls of a small multiply against 404 for +1 %, so that the truth is known exactly.
"""

import json
import math
import multiprocessing
import os
import platform
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from scipy.stats import mannwhitneyu
from statsmodels.stats.proportion import proportion_confint
from torch.utils.benchmark import Measurement, Timer

from investigation import statistics
from investigation.measure import Comparison, compare

SCHEMA = 1
# 400 calls on operands that just fit a first-level cache take between 0.5 and 1 ms.
BASE_CALLS = 400
ELEMENTS = 4096
DOSES = (0.0, 0.25, -0.25, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0)  # per cent of the base's work
MARGIN = 0.01
CONFIDENCE = 0.95
REPLICATES = 6  # of the interleaved rival, per arm
BURST_S = 0.05  # a neighbour's bursts and pauses, on average

OURS = "paired"
UNPAIRED = "pairing off"
IQR = "blocked_autorange, IQRs apart"
MANN_WHITNEY = "blocked_autorange, Mann–Whitney"
INTERLEAVED = "interleaved, Mann–Whitney"
METHODS = (OURS, UNPAIRED, IQR, MANN_WHITNEY, INTERLEAVED)

Function = Callable[[], None]


@dataclass(frozen=True)
class Trial:
    """One verdict of one method; the intervals are of the ratio, None where it gives none."""

    method: str
    dose: float  # per cent
    number: int
    ratio: float
    low: float | None
    high: float | None
    found: bool  # the method says that the arms differ
    equivalent: bool  # the interval lies inside the margin
    elapsed_s: float
    warnings: int = 0

    @property
    def truth(self) -> float:
        """The planted ratio of candidate to baseline."""
        return planted_ratio(self.dose)

    @property
    def covers(self) -> bool:
        """Whether the interval holds the truth."""
        return (
            self.low is not None and self.high is not None and self.low <= self.truth <= self.high
        )

    @property
    def wrong_sign(self) -> bool:
        """Whether a difference was found on the other side of 1 than the planted one."""
        return self.found and self.dose != 0 and (self.ratio > 1) != (self.dose > 0)


@dataclass
class ContestResult:
    """All trials with the environment they ran in; `summary` derives every endpoint."""

    environment: dict[str, Any]
    settings: dict[str, Any]
    trials: list[Trial] = field(default_factory=list)

    def of(self, method: str, dose: float | None = None) -> list[Trial]:
        """Select the trials of a method, at one dose or at all."""
        return [t for t in self.trials if t.method == method and dose in (None, t.dose)]

    def doses(self) -> list[float]:
        """List the planted doses in per cent, ascending."""
        return sorted({trial.dose for trial in self.trials})

    def summary(self) -> list[dict[str, Any]]:
        """One row per method that has trials."""
        return [_summary(self, method) for method in METHODS if self.of(method)]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able, with the derived summary beside the trials."""
        return {
            "schema": SCHEMA,
            "environment": self.environment,
            "settings": self.settings,
            "summary": self.summary(),
            "trials": [asdict(trial) for trial in self.trials],
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "ContestResult":
        """Read what `to_dict` wrote; ValueError on another schema."""
        if record.get("schema") != SCHEMA:
            raise ValueError(f"contest schema {record.get('schema')!r}, expected {SCHEMA}")
        trials = [Trial(**trial) for trial in record["trials"]]
        return cls(dict(record["environment"]), dict(record["settings"]), trials)

    def write(self, path: Path) -> None:
        """Write JSON beside `path` and rename: the old file or the new one, never half of it."""
        temporary = path.with_suffix(".partial")
        temporary.write_text(json.dumps(self.to_dict(), indent=1))
        temporary.replace(path)


def _summary(result: ContestResult, method: str) -> dict[str, Any]:
    trials, null = result.of(method), result.of(method, 0.0)
    with_interval = [t for t in trials if t.low is not None]
    at_margin = [t for t in with_interval if math.isclose(abs(t.dose), 100 * MARGIN)]
    return {
        "method": method,
        "false_alarms": share([t.found for t in null]),
        "found": {
            f"{dose:+g}": share([t.found for t in result.of(method, dose)])
            for dose in result.doses()
            if dose
        },
        "wrong_signs": sum(t.wrong_sign for t in trials),
        "coverage": share([t.covers for t in with_interval]),
        "false_equivalence": share([t.equivalent for t in at_margin]),
        "true_equivalence": share([t.equivalent for t in null if t.low is not None]),
        "rms_error_percent": rms_error_percent(trials),
        "elapsed_s": float(np.mean([t.elapsed_s for t in trials])),
    }


def share(outcomes: Sequence[bool]) -> dict[str, float | int | None]:
    """Count, size and share of true outcomes with Wilson's 95 % limits; None where none ran."""
    count, size = sum(outcomes), len(outcomes)
    if not size:
        return {"count": 0, "of": 0, "share": None, "low": None, "high": None}
    low, high = proportion_confint(count, size, alpha=0.05, method="wilson")
    return {
        "count": count,
        "of": size,
        "share": count / size,
        "low": float(low),
        "high": float(high),
    }


def rms_error_percent(trials: Sequence[Trial]) -> float:
    """Root mean square of log(ratio / truth), in per cent."""
    errors = [math.log(trial.ratio / trial.truth) for trial in trials]
    return 100 * math.sqrt(float(np.mean(np.square(errors))))


def planted_ratio(dose: float) -> float:
    """Candidate's work over baseline's: 1.01 at +1 %, and 1/1.01 at −1 %."""
    extra = round(BASE_CALLS * abs(dose) / 100)
    ratio = (BASE_CALLS + extra) / BASE_CALLS
    return ratio if dose >= 0 else 1 / ratio


def planted_arms(dose: float) -> tuple[Function, Function]:
    """Baseline and candidate whose numbers of equal multiplies differ by `dose` per cent.

    ValueError where the dose is not a whole number of calls in 400.
    """
    extra = BASE_CALLS * abs(dose) / 100
    if not extra.is_integer():
        raise ValueError(f"a dose of {dose} % is not a whole number of calls in {BASE_CALLS}")
    less, more = multiplies(BASE_CALLS), multiplies(BASE_CALLS + int(extra))
    return (less, more) if dose >= 0 else (more, less)


def multiplies(calls: int) -> Function:
    """Build a callable that multiplies the same two tensors `calls` times."""
    x, y = _operands()

    def work() -> None:
        for _ in repeat(None, calls):
            x * y

    return work


_OPERANDS: list[tuple[torch.Tensor, torch.Tensor]] = []


def _operands() -> tuple[torch.Tensor, torch.Tensor]:
    """One pair of tensors for all arms, so that memory placement cannot tell them apart."""
    if not _OPERANDS:
        _OPERANDS.append((torch.ones(ELEMENTS), torch.ones(ELEMENTS)))
    return _OPERANDS[0]


def paired_trials(dose: float, number: int, budget_s: float, seed: int) -> list[Trial]:
    """Ours, and the same samples analysed as if they were not paired."""
    baseline, candidate = planted_arms(dose)
    comparison = compare(baseline, candidate, budget_s=budget_s, margin=MARGIN, seed=seed)
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


def _without_pairing(comparison: Comparison, dose: float, number: int) -> Trial:
    samples = comparison.samples
    times = np.asarray(samples.baseline_s), np.asarray(samples.candidate_s)
    return _mann_whitney_trial(UNPAIRED, dose, number, *times, comparison.elapsed_s)


def sequential_trials(dose: float, number: int, budget_s: float, seed: int) -> list[Trial]:
    """`blocked_autorange`, one arm after the other, decided in two ways on the same times."""
    del seed  # it draws nothing
    start = time.perf_counter()
    a, b = (_autorange(arm, budget_s / 2) for arm in planted_arms(dose))
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


def interleaved_trials(dose: float, number: int, budget_s: float, seed: int) -> list[Trial]:
    """`blocked_autorange` by turns, the arms changing places, all times of an arm together."""
    del seed
    start, arms = time.perf_counter(), planted_arms(dose)
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
    return [_mann_whitney_trial(INTERLEAVED, dose, number, *both, elapsed_s)]


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


Method = Callable[[float, int, float, int], list[Trial]]
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
    resume: ContestResult | None = None,
    progress: Callable[[ContestResult, int, int], None] | None = None,
) -> ContestResult:
    """Hold the contest, one thread, one comparison at a time.

    `rival_trials` defaults to `trials`. `neighbour` starts one process per core that burns at
    random while the contest runs. `resume` keeps its trials and runs only what is missing.
    `progress(result, done, total)` is called after each measurement. Takes about
    `budget_s * len(doses) * (trials + 2 * rival_trials)` seconds.
    """
    rivals = trials if rival_trials is None else rival_trials
    result = resume or ContestResult(environment(), {})
    result.settings = _settings(trials, rivals, doses, budget_s, seed, neighbour)
    finished = {(trial.method, trial.dose, trial.number) for trial in result.trials}
    planned = turns(trials, rivals, doses, seed)
    with busy_neighbours(seed) if neighbour else _quiet():
        for done, turn in enumerate(planned, start=1):
            if (LEADS[turn.method], turn.dose, turn.number) not in finished:
                result.trials += turn.method(turn.dose, turn.number, budget_s, turn.seed)
            if progress:
                progress(result, done, len(planned))
    return result


def _settings(
    trials: int, rivals: int, doses: Sequence[float], budget_s: float, seed: int, neighbour: bool
) -> dict[str, Any]:
    return {
        "trials": trials,
        "rival_trials": rivals,
        "doses": list(doses),
        "budget_s": budget_s,
        "seed": seed,
        "neighbour": neighbour,
        "margin": MARGIN,
        "confidence": CONFIDENCE,
        "base_calls": BASE_CALLS,
    }


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
    work = multiplies(BASE_CALLS)
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


def processor_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Name the processor's model, from Linux's table where there is one."""
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@dataclass(frozen=True)
class Target:
    """What the instrument must reach on one endpoint, and what it reached."""

    name: str
    wanted: str
    reached: str
    met: bool | None  # None: the trials that decide it did not run


def targets(result: ContestResult) -> list[Target]:
    """Compare our row with the targets fixed before the contest."""
    rows = {row["method"]: row for row in result.summary()}
    ours = rows[OURS]
    found = ours["found"]
    return [
        _at_most("false alarms", ours["false_alarms"], 0.05),
        _upper_limit("false alarms, upper 95 % limit", ours["false_alarms"], 0.08),
        *(_at_least(f"{d} % found", found.get(d), 0.99) for d in ("+1", "-1")),
        *(_at_least(f"{d} % found", found.get(d), 0.90) for d in ("+0.5", "-0.5")),
        Target("wrong signs", "0", str(ours["wrong_signs"]), ours["wrong_signs"] == 0),
        _at_least("coverage", ours["coverage"], 0.93),
        _at_most("false equivalence at the margin", ours["false_equivalence"], 0.05),
        _error_against(rows, IQR, 1 / 50),
        _error_against(rows, INTERLEAVED, 1 / 2),
    ]


def _at_most(name: str, value: Mapping[str, Any], limit: float) -> Target:
    met = None if value["share"] is None else value["share"] <= limit
    return Target(name, f"≤ {limit:.0%}", _shown(value), met)


def _upper_limit(name: str, value: Mapping[str, Any], limit: float) -> Target:
    met = None if value["high"] is None else value["high"] < limit
    shown = "not run" if value["high"] is None else f"{value['high']:.1%}"
    return Target(name, f"< {limit:.0%}", shown, met)


def _at_least(name: str, value: Mapping[str, Any] | None, limit: float) -> Target:
    if value is None or value["share"] is None:
        return Target(name, f"≥ {limit:.0%}", "not run", None)
    return Target(name, f"≥ {limit:.0%}", _shown(value), value["share"] >= limit)


def _error_against(rows: Mapping[str, Any], rival: str, limit: float) -> Target:
    name, wanted = f"RMS error over that of {rival}", f"≤ 1/{round(1 / limit)}"
    if rival not in rows:
        return Target(name, wanted, "not run", None)
    ratio = rows[OURS]["rms_error_percent"] / rows[rival]["rms_error_percent"]
    return Target(name, wanted, f"1/{1 / ratio:.1f}", ratio <= limit)


def _shown(value: Mapping[str, Any]) -> str:
    if value["share"] is None:
        return "not run"
    return f"{value['share']:.1%} ({value['low']:.1%} to {value['high']:.1%} of {value['of']})"


def table(result: ContestResult) -> str:
    """Show the endpoints of every method, and ours against the targets, as text."""
    doses = [f"{dose:+g}" for dose in result.doses() if dose]
    head = ["method", "false alarms", *(f"{d} %" for d in doses), "wrong sign", "coverage"]
    head += ["false equiv.", "RMS error", "wall s"]
    rows = [head, *(_row(row, doses) for row in result.summary())]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows]
    return "\n".join([*lines, "", *(_verdict(target) for target in targets(result))])


def _row(row: Mapping[str, Any], doses: Sequence[str]) -> list[str]:
    return [
        row["method"],
        _share(row["false_alarms"]),
        *(_share(row["found"][dose]) for dose in doses),
        str(row["wrong_signs"]),
        _share(row["coverage"]),
        _share(row["false_equivalence"]),
        f"{row['rms_error_percent']:.3f} %",
        f"{row['elapsed_s']:.2f}",
    ]


def _share(value: Mapping[str, Any]) -> str:
    return "–" if value["share"] is None else f"{value['share']:.1%}"


def _verdict(target: Target) -> str:
    mark = {True: "met", False: "MISSED", None: "not run"}[target.met]
    return f"{mark:8}{target.name}: {target.reached}, wanted {target.wanted}"
