"""What was measured on other machines and committed: read, never written, by a chapter."""

import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from investigation.evidence.kinds.timings import Outcome
from investigation.evidence.sealed import contest as contest_record
from investigation.evidence.sealed import contest_targets
from investigation.evidence.sealed.contest import CONFIDENCE, ContestResult
from investigation.evidence.sealed.instructions import InstructionCounts
from investigation.evidence.sealed.manifest import RESULTS, RecordError
from investigation.evidence.words import listed, microseconds, share

Parsed = TypeVar("Parsed")
VERDICTS: tuple[Outcome, ...] = ("slower", "faster", "equivalent", "inconclusive")
CONTESTS = "*/contest*.json"  # alone, and beside a busy neighbour
# How a value of a contest's environment is written; the others by their name.
WITH_UNITS: Mapping[str, Callable[[Any], str]] = {
    "processor": str,
    "valgrind": str,
    "cores": lambda count: f"{count} cores",
    "load": lambda load: f"load {load:.1f}",
    "memory_bytes": lambda count: f"{count / 2**30:.1f} GiB of memory",
    "callable_s": lambda time_s: f"{microseconds(time_s, decimals=0)} for the baseline's work",
}


def contests(folder: Path = RESULTS) -> dict[str, ContestResult]:
    """Return the recorded contests, by the folder of the machine and what ran beside them."""
    paths = sorted(folder.glob(CONTESTS))
    results = [(path.parent.name, _read(path, ContestResult.from_dict)) for path in paths]
    return {
        f"{machine}, beside a busy neighbour" if result.neighbour else machine: result
        for machine, result in results
    }


def instruction_counts(folder: Path = RESULTS) -> InstructionCounts:
    """Return the recorded instruction count. Raises `RecordError` if there is none."""
    paths = sorted(folder.glob("*/instructions.json"))
    if not paths:
        raise RecordError(f"{folder}: no instruction count is recorded")
    return _read(paths[0], InstructionCounts.from_dict)


def _read(path: Path, parse: Callable[[Any], Parsed]) -> Parsed:
    try:
        return parse(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{path}: not a usable record ({error})") from None


def machine(environment: Mapping[str, Any]) -> str:
    """Return a record's environment as one line, each value with its unit."""
    return ", ".join(
        WITH_UNITS[key](value) if key in WITH_UNITS else f"{key} {value}"
        for key, value in environment.items()
    )


def verdict_shares(result: ContestResult, plant: str) -> dict[str, dict[str, dict[float, float]]]:
    """Return the share of each verdict at each planted dose of a kind, by method and verdict.

    The verdicts are those of every page: a dose inside the margin can be found and equivalent.
    """
    return {
        method: {
            verdict: _shares_of(result, method, plant, partial(_came_out, verdict))
            for verdict in VERDICTS
        }
        for method in contest_record.METHODS
        if result.of(method, plant)
    }


def found_shares(result: ContestResult, plant: str) -> dict[str, dict[float, float]]:
    """Return the share of trials that found a difference at each planted dose, by method.

    At a dose of 0 these are false alarms. A difference that is found may lie inside the margin.
    """
    return {
        method: _shares_of(result, method, plant, lambda trial: trial.found)
        for method in contest_record.METHODS
        if result.of(method, plant)
    }


def _came_out(verdict: Outcome, trial: contest_record.Trial) -> bool:
    return trial.verdict == verdict


def _shares_of(
    result: ContestResult, method: str, plant: str, holds: Callable[[contest_record.Trial], bool]
) -> dict[float, float]:
    at_dose = {dose: result.of(method, plant, dose) for dose in result.doses(plant)}
    return {dose: sum(map(holds, of)) / len(of) for dose, of in at_dose.items() if of}


def explained() -> Iterable[dict[str, object]]:
    """Return one row a method: what it does."""
    for method, line in contest_record.EXPLAINED.items():
        yield {"method": method, "what it does": line}


def concluded(result: ContestResult) -> str:
    """Say by rule what a contest shows about each kind of plant, at both levels of the instrument.

    A level holds for a kind of plant if the 95 % limits of its false alarms reach down to 5 %,
    and those of its coverage reach up to 95 %: the record does not contradict what it promises.
    """
    return "\n".join(
        f"- **{plant}**: `{method}` {_held(row)}"
        for plant in result.plants()
        for method in (contest_record.PAIRS, contest_record.MADE)
        if (row := result.row(method, plant)) is not None
    )


def prediction_told(result: ContestResult) -> str:
    """Say whether one side after the other raises false alarms, and alternating blocks do not.

    A method raises too many for a kind of plant if the lower 95 % limit of their share lies above
    what the confidence allows.
    """
    methods = {
        "one side after the other, with a Mann–Whitney test,": contest_record.MANN_WHITNEY,
        "short alternating blocks (`compare`)": contest_record.PAIRS,
        "the same with both sides made anew (`compare_made`)": contest_record.MADE,
    }
    raised = {words: _with_alarms(result, method) for words, method in methods.items()}
    usual, blocks, _ = raised.values()
    all_usual = len(usual) == len(result.plants())
    outcome = {
        (True, True): "The prediction held",
        (True, False): "**The prediction held for the usual way only**",
        (False, True): "**The prediction held for alternating blocks only**",
        (False, False): "**The prediction was wrong**",
    }[all_usual, not blocks]
    allowed = f"more than {100 * (1 - CONFIDENCE):.0f} false alarms in 100 trials"
    told = "; ".join(f"{words} {listed(of) or 'none'}" for words, of in raised.items())
    return f"{outcome}. Kinds of pairs for which there are {allowed}: {told}."


def _with_alarms(result: ContestResult, method: str) -> list[str]:
    rows = {plant: result.row(method, plant) for plant in result.plants()}
    return [
        plant
        for plant, row in rows.items()
        if row and (row["false_alarms"]["low"] or 0) > 1 - CONFIDENCE
    ]


def _held(row: Mapping[str, Any]) -> str:
    alarms, coverage = row["false_alarms"], row["coverage"]
    held = (alarms["low"] or 0) <= 1 - CONFIDENCE and (coverage["high"] or 1) >= CONFIDENCE
    detected = ", ".join(f"{dose} % in {_share(share)}" for dose, share in row["found"].items())
    promised = f"its confidence of {100 * CONFIDENCE:g} %"
    conclusion = f"does not contradict {promised}" if held else f"**contradicts {promised}**"
    return (
        f"{conclusion}: false alarms in {_share(alarms)} trials; the interval contains the truth "
        f"in {_share(coverage)}. Planted differences found: {detected}. The root-mean-square error "
        f"is {row['rms_error_percent']:.2g} %."
    )


def ended_early(result: ContestResult) -> str:
    """Say how many trials a contest ran if it ended before the planned ones; else nothing."""
    planned = result.settings["trials"]
    fewest = min(
        len(result.of(contest_record.MADE, plant, dose))
        for plant in result.plants()
        for dose in result.doses(plant)
    )
    if fewest >= planned:
        return ""
    return f"It was ended after {fewest} of {planned} planned trials of each difference."


def endpoints(result: ContestResult, plant: str) -> Iterable[dict[str, object]]:
    """Return one row for each method on a kind of plant: how often it was right and wrong."""
    for row in (row for row in result.summary() if row["plant"] == plant):
        yield {
            plant: row["method"],
            "false alarms": _share(row["false_alarms"]),
            **{f"{dose} % found": _share(share) for dose, share in row["found"].items()},
            "wrong signs": row["wrong_signs"],
            "coverage": _share(row["coverage"]),
            "false equivalence": _share(row["false_equivalence"]),
            "RMS error": f"{row['rms_error_percent']:.3f} %",
        }


def _share(value: Mapping[str, Any] | None) -> str:
    if value is None or value["share"] is None:
        return "–"
    return f"{share(value['share'])} of {value['of']}"


def targets(result: ContestResult) -> Iterable[dict[str, object]]:
    """Return one row a target: what was wanted, what was reached."""
    words = {True: "met", False: "missed", None: "not run"}
    for target in contest_targets.targets(result):
        yield {
            "target": target.name,
            "wanted": target.wanted,
            "reached": target.reached,
            "": words[target.met],
        }


def causes(result: ContestResult) -> Iterable[dict[str, object]]:
    """Return one row a target that was missed: what the trials say about the cause."""
    for target in contest_targets.targets(result):
        if target.met is False:
            yield {"missed": target.name, "why": target.cause}
