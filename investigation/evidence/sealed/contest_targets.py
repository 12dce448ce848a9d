"""What the instrument must reach in the contest, and the contest as a table of text."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from investigation.evidence.sealed import contest_causes
from investigation.evidence.sealed.contest import (
    CLOSURES,
    IQR,
    MADE,
    ONE_FUNCTION,
    PAIRS,
    TENSORS,
    ContestResult,
    Trial,
    rms_error_percent,
)
from investigation.evidence.words import share

# At which level the instrument is judged for a kind of plant: objects that both sides share, or
# programs that each side makes for itself.
ANSWERS_FOR = {ONE_FUNCTION: (PAIRS, MADE), CLOSURES: (MADE,), TENSORS: (MADE,)}


@dataclass(frozen=True)
class ContestTarget:
    """What the instrument must reach on one endpoint, and what it reached."""

    name: str
    wanted: str
    reached: str
    met: bool | None  # None: the trials that decide it did not run
    cause: str = ""  # why it was missed


def targets(result: ContestResult) -> list[ContestTarget]:
    """Compare the instrument's rows with the targets fixed before the contest."""
    return [
        target
        for plant, methods in ANSWERS_FOR.items()
        for method in methods
        if (row := result.row(method, plant)) is not None
        for target in _targets(result, row, result.row(IQR, plant))
    ]


def _targets(
    result: ContestResult, row: Mapping[str, Any], rival: Mapping[str, Any] | None
) -> Iterator[ContestTarget]:
    about = f"{row['method']}, {row['plant']}"
    trials = result.of(row["method"], row["plant"])
    alarms, coverage, wrong = row["false_alarms"], row["coverage"], row["wrong_signs"]
    yield _with_cause(
        _at_most(f"{about}: false alarms", alarms, 0.05),
        lambda: contest_causes.of_alarms(alarms),
    )
    yield _with_cause(
        _upper_limit(f"{about}: false alarms, upper 95 % limit", alarms, 0.08),
        lambda: contest_causes.of_limit(alarms, 0.08),
    )
    yield _with_cause(
        _at_least(f"{about}: coverage", coverage, 0.93),
        lambda: contest_causes.of_coverage(coverage),
    )
    dose, wanted = (0.25, 0.99) if row["method"] == PAIRS else (1.0, 0.95)
    yield _with_cause(
        _at_least(f"{about}: {dose:+g} % found", row["found"].get(f"{dose:+g}"), wanted),
        lambda: contest_causes.of_finding(
            [trial for trial in trials if trial.dose == dose], dose, wanted
        ),
    )
    yield _with_cause(
        ContestTarget(f"{about}: wrong signs", "0", str(wrong), wrong == 0),
        lambda: contest_causes.of_wrong_signs(trials),
    )
    yield _error_against(f"{about}: RMS error over that of {IQR}", trials, rival, 1 / 50)


def _with_cause(target: ContestTarget, cause: Callable[[], str]) -> ContestTarget:
    return replace(target, cause=cause()) if target.met is False else target


def _at_most(name: str, value: Mapping[str, Any], limit: float) -> ContestTarget:
    met = None if value["share"] is None else value["share"] <= limit
    return ContestTarget(name, f"≤ {100 * limit:.0f} %", _shown(value), met)


def _upper_limit(name: str, value: Mapping[str, Any], limit: float) -> ContestTarget:
    met = None if value["high"] is None else value["high"] < limit
    shown = "not run" if value["high"] is None else share(value["high"])
    return ContestTarget(name, f"< {100 * limit:.0f} %", shown, met)


def _at_least(name: str, value: Mapping[str, Any] | None, limit: float) -> ContestTarget:
    if value is None or value["share"] is None:
        return ContestTarget(name, f"≥ {100 * limit:.0f} %", "not run", None)
    return ContestTarget(name, f"≥ {100 * limit:.0f} %", _shown(value), value["share"] >= limit)


def _error_against(
    name: str, trials: Sequence[Trial], rival: Mapping[str, Any] | None, limit: float
) -> ContestTarget:
    wanted = f"≤ 1/{round(1 / limit)}"
    if rival is None:
        return ContestTarget(name, wanted, "not run", None)
    ours, theirs = rms_error_percent(trials), rival["rms_error_percent"]
    target = ContestTarget(name, wanted, f"1/{theirs / ours:.1f}", ours / theirs <= limit)
    return _with_cause(target, lambda: contest_causes.of_error(trials, theirs, limit))


def _shown(value: Mapping[str, Any]) -> str:
    if value["share"] is None:
        return "not run"
    low, high = share(value["low"]), share(value["high"])
    return f"{share(value['share'])} ({low} to {high} of {value['of']})"


def table(result: ContestResult) -> str:
    """Show the endpoints of every method, and ours against the targets, as text."""
    doses = [f"{dose:+g}" for dose in result.doses() if dose]
    head = ["method", "plant", "false alarms", *(f"{d} %" for d in doses), "wrong sign"]
    head += ["coverage", "false equiv.", "RMS error", "wall s"]
    rows = [head, *(_row(row, doses) for row in result.summary())]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows]
    return "\n".join([*lines, "", *(_verdict(target) for target in targets(result))])


def _row(row: Mapping[str, Any], doses: Sequence[str]) -> list[str]:
    return [
        row["method"],
        row["plant"],
        _share(row["false_alarms"]),
        *(_share(row["found"].get(dose)) for dose in doses),
        str(row["wrong_signs"]),
        _share(row["coverage"]),
        _share(row["false_equivalence"]),
        f"{row['rms_error_percent']:.3f} %",
        f"{row['elapsed_s']:.2f}",
    ]


def _share(value: Mapping[str, Any] | None) -> str:
    return "–" if value is None or value["share"] is None else share(value["share"])


def _verdict(target: ContestTarget) -> str:
    mark = {True: "met", False: "MISSED", None: "not run"}[target.met]
    line = f"{mark:8}{target.name}: {target.reached}, wanted {target.wanted}"
    return f"{line}\n{'':8}{target.cause}" if target.cause else line
