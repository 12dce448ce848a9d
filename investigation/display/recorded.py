"""What was measured on other machines and committed: read, never written, by a chapter."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from investigation.evidence.environment import PROJECT
from investigation.evidence.sealed import contest as contest_record
from investigation.evidence.sealed.contest import ContestResult, Trial
from investigation.evidence.sealed.instructions import InstructionCounts
from investigation.evidence.sealed.manifest import RecordError

Parsed = TypeVar("Parsed")
FOLDER = PROJECT / "results"
VERDICTS = ("slower", "faster", "equivalent", "inconclusive")
# File names, and what a contest of that name shows.
CONTESTS = {
    "contest.json": "shared machine",
    "contest_neighbour.json": "beside a busy neighbour",
}
# Contests in which each side had a copy of the code of its own: a truth not known exactly.
COPIES = {
    "contest_copies.json": "a copy of the code for each side, shared machine",
    "contest_copies_neighbour.json": "a copy of the code for each side, beside a busy neighbour",
}
# Records of a rule that was given up, kept because they are why.
FIRST_RULE = {
    "contest_first_rule.json": "first rule, shared machine",
    "contest_neighbour_first_rule.json": "first rule, beside a busy neighbour",
}


def contests(
    titles: Mapping[str, str] = CONTESTS, folder: Path = FOLDER
) -> dict[str, ContestResult]:
    """Return the recorded contests of every machine, by machine and what they show."""
    return {
        f"{path.parent.name}, {title}": _read(path, ContestResult.from_dict)
        for name, title in titles.items()
        for path in sorted(folder.glob(f"*/{name}"))
    }


def false_alarms(titles: Mapping[str, str], folder: Path = FOLDER) -> str:
    """Return the false alarms of the paired instrument in each of some contests, in words."""
    shares = {
        name: contest_record.share([one.found for one in kept.of(contest_record.OURS, 0.0)])
        for name, kept in contests(titles, folder).items()
    }
    return "; ".join(f"{_share(value)} ({name})" for name, value in shares.items())


def instruction_counts(folder: Path = FOLDER) -> InstructionCounts:
    """Return the recorded instruction count. Raises `RecordError` where there is none."""
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
    """Return a record's environment as one line."""
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in environment.items())


def verdict_shares(result: ContestResult) -> dict[str, dict[str, list[float]]]:
    """Return the share of each verdict at each planted dose, doses ascending, by method."""
    return {
        method: {verdict: _shares_of(result, method, verdict) for verdict in VERDICTS}
        for method in contest_record.METHODS
        if result.of(method)
    }


def _shares_of(result: ContestResult, method: str, verdict: str) -> list[float]:
    at_dose = ([_verdict(one) for one in result.of(method, dose)] for dose in result.doses())
    return [verdicts.count(verdict) / max(1, len(verdicts)) for verdicts in at_dose]


def _verdict(trial: Trial) -> str:
    """Return what a method said: that it found a difference comes before how small it is."""
    if trial.found:
        return "slower" if trial.ratio > 1 else "faster"
    return "equivalent" if trial.equivalent else "inconclusive"


def endpoints(result: ContestResult) -> Iterable[dict[str, object]]:
    """Return one row a method: how often it was right, wrong and silent."""
    for row in result.summary():
        yield {
            "method": row["method"],
            "false alarms": _share(row["false_alarms"]),
            **{f"{dose} % found": _share(share) for dose, share in row["found"].items()},
            "wrong signs": row["wrong_signs"],
            "coverage": _share(row["coverage"]),
            "false equivalence": _share(row["false_equivalence"]),
            "RMS error": f"{row['rms_error_percent']:.3f} %",
        }


def _share(value: Mapping[str, Any]) -> str:
    return "–" if value["share"] is None else f"{value['share']:.1%} of {value['of']}"


def targets(result: ContestResult) -> Iterable[dict[str, object]]:
    """Return one row a target: what was wanted, what was reached."""
    words = {True: "met", False: "missed", None: "not run"}
    for one in contest_record.targets(result):
        yield {
            "target": one.name,
            "wanted": one.wanted,
            "reached": one.reached,
            "": words[one.met],
        }
