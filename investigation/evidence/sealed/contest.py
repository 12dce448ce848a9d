"""What a contest of timers found: its trials, and the endpoints that follow."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from statsmodels.stats.proportion import proportion_confint

from investigation.evidence.files import write_atomically
from investigation.evidence.kinds.timings import Outcome, PlantedDifferences

SCHEMA = 2
# 400 calls on operands that just fit a first-level cache take between 0.2 and 1 ms. A dose that is
# no whole number of calls in 400 is planted in the longer work.
BASE_CALLS = 400
LONGER_BASE_CALLS = 1000
MARGIN = 0.01
CONFIDENCE = 0.95

# What the two sides of a trial share, and what each has of its own.
ONE_FUNCTION, CLOSURES, TENSORS = "one function", "closures of their own", "tensors of their own"
PLANTS = (ONE_FUNCTION, CLOSURES, TENSORS)
# Per cent of the base's work. A placement in memory can change more than the small ones, so these
# are planted where both sides share their place.
DOSES: Mapping[str, tuple[float, ...]] = {
    ONE_FUNCTION: (0.0, 0.1, 0.25, 1.0),
    CLOSURES: (0.0, 1.0),
    TENSORS: (0.0, 1.0),
}

PAIRS = "compare"
MADE = "compare_made"
UNPAIRED = "compare, pairing off"
IQR = "blocked_autorange, IQRs apart"
MANN_WHITNEY = "blocked_autorange, Mann–Whitney"
INTERLEAVED = "interleaved, Mann–Whitney"
DUET = "duet"
# Every method with the line that explains it.
EXPLAINED = {
    PAIRS: "two objects in short alternating blocks, in random order; signed-rank interval over "
    "rounds",
    MADE: "the same, with both sides made anew several times; signed-rank interval over "
    "preparations",
    UNPAIRED: "the block times of compare, analysed without their pairs; Mann–Whitney test",
    IQR: "torch.utils.benchmark, one side after the other; different if the ranges from the first "
    "to the third quartile do not overlap",
    MANN_WHITNEY: "the same times, with a Mann–Whitney test and its interval",
    INTERLEAVED: "blocked_autorange six times per side, alternating; Mann–Whitney test",
    DUET: "both sides at the same time, each in its own process on its own core; signed-rank "
    "interval over the ratios (Bulej and others, 2020)",
}
METHODS = tuple(EXPLAINED)


@dataclass(frozen=True)
class Trial:
    """One verdict of one method; the intervals are of the ratio, None if it gives none."""

    method: str
    plant: str
    dose: float  # per cent
    number: int
    ratio: float
    low: float | None
    high: float | None
    found: bool  # the method finds that the arms differ
    verdict: Outcome  # the outcome as every page of the book would show it
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

    @property
    def neighbour(self) -> bool:
        """Whether a busy neighbour loaded every core meanwhile."""
        return bool(self.settings.get("neighbour"))

    def of(self, method: str, plant: str | None = None, dose: float | None = None) -> list[Trial]:
        """Select the trials of a method, of one plant or all, at one dose or all."""
        return [
            trial
            for trial in self.trials
            if trial.method == method
            and plant in (None, trial.plant)
            and dose in (None, trial.dose)
        ]

    def plants(self) -> list[str]:
        """List the kinds of plant that were tried."""
        return [plant for plant in PLANTS if any(trial.plant == plant for trial in self.trials)]

    def doses(self, plant: str | None = None) -> list[float]:
        """List the doses in per cent, of one kind of plant or of all, ascending."""
        return sorted({trial.dose for trial in self.trials if plant in (None, trial.plant)})

    def summary(self) -> list[dict[str, Any]]:
        """One row for each method and kind of plant that has trials."""
        return [
            _summary(self, method, plant)
            for plant in self.plants()
            for method in METHODS
            if self.of(method, plant)
        ]

    def row(self, method: str, plant: str) -> dict[str, Any] | None:
        """Return a method's row at a kind of plant, None if it was not tried."""
        return _summary(self, method, plant) if self.of(method, plant) else None

    def planted_differences(self) -> PlantedDifferences:
        """Return the record of how many planted differences our instrument found."""
        planted = [trial for trial in self.of(MADE) if trial.dose]
        return PlantedDifferences(
            statement="planted differences that the instrument found with the right sign, this run",
            planted=len(planted),
            found=sum(trial.found and not trial.wrong_sign for trial in planted),
            wrong_sign=sum(trial.wrong_sign for trial in planted),
            doses_percent=tuple(self.doses()),
        )

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
        """Write JSON, such that a killed run leaves the old file or the new one."""
        write_atomically(path, json.dumps(self.to_dict()) + "\n")


def _summary(result: ContestResult, method: str, plant: str) -> dict[str, Any]:
    trials, null = result.of(method, plant), result.of(method, plant, 0.0)
    with_interval = [trial for trial in trials if trial.low is not None]
    return {
        "method": method,
        "plant": plant,
        "false_alarms": share([trial.found for trial in null]),
        "found": {
            f"{dose:+g}": share([trial.found for trial in result.of(method, plant, dose)])
            for dose in result.doses(plant)
            if dose
        },
        "wrong_signs": sum(trial.wrong_sign for trial in trials),
        "coverage": share([trial.covers for trial in with_interval]),
        "false_equivalence": share(
            [
                trial.verdict == "equivalent"
                for trial in with_interval
                if math.isclose(abs(trial.dose), 100 * MARGIN)
            ]
        ),
        "rms_error_percent": rms_error_percent(trials),
        "elapsed_s": float(np.mean([trial.elapsed_s for trial in trials])),
    }


def share(outcomes: Sequence[bool]) -> dict[str, float | int | None]:
    """Count, size and share of true outcomes with Wilson's 95 % limits; None if none ran."""
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
    base, more = planted_calls(dose)
    return more / base if dose >= 0 else base / more


def planted_calls(dose: float) -> tuple[int, int]:
    """Return the calls of the side with less work and of the side with more.

    ValueError where the dose is no whole number of calls in either of the two works.
    """
    for base in (BASE_CALLS, LONGER_BASE_CALLS):
        extra = base * abs(dose) / 100
        if math.isclose(extra, round(extra), abs_tol=1e-9):
            return base, base + round(extra)
    raise ValueError(
        f"a dose of {dose} % is not a whole number of calls in {BASE_CALLS} or {LONGER_BASE_CALLS}"
    )
