"""What a contest of timers found: its trials, the endpoints that follow, and the targets."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from statsmodels.stats.proportion import proportion_confint

from investigation.evidence.files import write_atomically
from investigation.evidence.kinds.timings import PlantedDifferences

SCHEMA = 1
# 400 calls on operands that just fit a first-level cache take between 0.5 and 1 ms.
BASE_CALLS = 400
DOSES = (0.0, 0.25, -0.25, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0)  # per cent of the base's work
MARGIN = 0.01
CONFIDENCE = 0.95

OURS = "paired"
UNPAIRED = "pairing off"
IQR = "blocked_autorange, IQRs apart"
MANN_WHITNEY = "blocked_autorange, Mann–Whitney"
INTERLEAVED = "interleaved, Mann–Whitney"
METHODS = (OURS, UNPAIRED, IQR, MANN_WHITNEY, INTERLEAVED)


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

    def planted_differences(self) -> PlantedDifferences:
        """Return the record of how many planted differences our instrument found."""
        planted = [trial for trial in self.of(OURS) if trial.dose]
        return PlantedDifferences(
            says="planted differences that the instrument found with the right sign, this run",
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


@dataclass(frozen=True)
class ContestTarget:
    """What the instrument must reach on one endpoint, and what it reached."""

    name: str
    wanted: str
    reached: str
    met: bool | None  # None: the trials that decide it did not run


def targets(result: ContestResult) -> list[ContestTarget]:
    """Compare our row with the targets fixed before the contest."""
    rows = {row["method"]: row for row in result.summary()}
    ours = rows[OURS]
    found = ours["found"]
    return [
        _at_most("false alarms", ours["false_alarms"], 0.05),
        _upper_limit("false alarms, upper 95 % limit", ours["false_alarms"], 0.08),
        *(_at_least(f"{d} % found", found.get(d), 0.99) for d in ("+1", "-1")),
        *(_at_least(f"{d} % found", found.get(d), 0.90) for d in ("+0.5", "-0.5")),
        ContestTarget("wrong signs", "0", str(ours["wrong_signs"]), ours["wrong_signs"] == 0),
        _at_least("coverage", ours["coverage"], 0.93),
        _at_most("false equivalence at the margin", ours["false_equivalence"], 0.05),
        _error_against(rows, IQR, 1 / 50),
        _error_against(rows, INTERLEAVED, 1 / 2),
    ]


def _at_most(name: str, value: Mapping[str, Any], limit: float) -> ContestTarget:
    met = None if value["share"] is None else value["share"] <= limit
    return ContestTarget(name, f"≤ {limit:.0%}", _shown(value), met)


def _upper_limit(name: str, value: Mapping[str, Any], limit: float) -> ContestTarget:
    met = None if value["high"] is None else value["high"] < limit
    shown = "not run" if value["high"] is None else f"{value['high']:.1%}"
    return ContestTarget(name, f"< {limit:.0%}", shown, met)


def _at_least(name: str, value: Mapping[str, Any] | None, limit: float) -> ContestTarget:
    if value is None or value["share"] is None:
        return ContestTarget(name, f"≥ {limit:.0%}", "not run", None)
    return ContestTarget(name, f"≥ {limit:.0%}", _shown(value), value["share"] >= limit)


def _error_against(rows: Mapping[str, Any], rival: str, limit: float) -> ContestTarget:
    name, wanted = f"RMS error over that of {rival}", f"≤ 1/{round(1 / limit)}"
    if rival not in rows:
        return ContestTarget(name, wanted, "not run", None)
    ratio = rows[OURS]["rms_error_percent"] / rows[rival]["rms_error_percent"]
    return ContestTarget(name, wanted, f"1/{1 / ratio:.1f}", ratio <= limit)


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


def _verdict(target: ContestTarget) -> str:
    mark = {True: "met", False: "MISSED", None: "not run"}[target.met]
    return f"{mark:8}{target.name}: {target.reached}, wanted {target.wanted}"
