"""What was recorded of released packages and networks, and the tables that show it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from pathlib import Path
from typing import TypeVar

import yaml

from investigation.evidence import files
from investigation.evidence.files import EvidenceError
from investigation.evidence.kinds.released import ReleasedEquality, ReleasedProgram
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.kinds.wild import Survey, SurveyedPackage
from investigation.evidence.records import Evidence, Record
from investigation.evidence.sealed.manifest import RESULTS, RecordError
from investigation.evidence.words import number_of, outcome_of, percent
from investigation.fix.findings import RULES

R = TypeVar("R")
Line = dict[str, object]


def survey(folder: Path = RESULTS) -> tuple[Record, ...]:
    """Return the recorded survey. Raises `RecordError` if there is none.

    It is the same on every machine, so its records name no machine.
    """
    paths = sorted(folder.glob("*/survey.json"))
    if not paths:
        raise RecordError(f"{folder}: no survey is recorded; make wild records one")
    return _read(paths[0]).records


def networks(folder: Path = RESULTS) -> tuple[Record, ...]:
    """Return what was recorded of released networks, under the name of each machine.

    Raises `RecordError` if there is nothing.
    """
    paths = sorted(folder.glob("*/network_*.json"))
    if not paths:
        raise RecordError(f"{folder}: no network is recorded; make wild NETWORK=all records them")
    return tuple(
        record.model_copy(update={"machine": path.parent.name})
        for path in paths
        for record in _read(path).records
    )


def environments(folder: Path = RESULTS) -> Iterator[Line]:
    """Yield a line for each machine on which networks were measured."""
    measured = {path.parent.name: _read(path) for path in sorted(folder.glob("*/network_*.json"))}
    for machine, evidence in measured.items():
        where = evidence.environment
        yield {
            "machine": machine,
            "processor": where.processor,
            "cores": where.cores,
            "threads": where.threads,
            "torch": where.torch,
            "measured": f"{evidence.finished:%Y-%m-%d}",
            "budget of a comparison": f"{evidence.parameters['budget_s']:g} s",
        }


def named(timing: Timing) -> str:
    """Name a timing by its network and where that runs."""
    return f"{timing.network} in {timing.runtime}"


def _read(path: Path) -> Evidence:
    try:
        return files.read(path)
    except EvidenceError as error:
        raise RecordError(str(error)) from None


def of(records: Iterable[Record], kind: type[R]) -> list[R]:
    """Return the records of one type."""
    return [record for record in records if isinstance(record, kind)]


def packages(surveys: Sequence[SurveyedPackage]) -> Iterator[Line]:
    """Yield a line for each package with an expansion that can go, the most first."""
    for survey in sorted(surveys, key=lambda survey: (-len(survey.taken), survey.package)):
        if survey.taken:
            yield {
                "package": f"{survey.package} {survey.version}",
                "Python files": survey.files,
                "mentions": survey.mentions,
                "can go": len(survey.taken),
                "the ticket's line": sum(place.exact for place in survey.taken) or "",
                "left to a person": len(survey.left) or "",
            }


def lines(surveys: Iterable[SurveyedPackage]) -> Iterator[Line]:
    """Yield a line for each place that has the ticket's line, whatever its names."""
    for survey in surveys:
        for place in survey.taken:
            if place.exact:
                where = f"{place.file}, line {place.line}"
                yield {"package": survey.package, "where": where, "code": place.text}


def operations(surveys: Iterable[SurveyedPackage]) -> Iterator[Line]:
    """Yield a line for each operation that makes an expansion needless, the most common first."""
    places = [place for survey in surveys for place in survey.taken]
    packages_with = {
        place.operation: {survey.package for survey in surveys for taken in survey.taken
                          if taken.operation == place.operation}
        for place in places
    }  # fmt: skip
    for operation, count in Counter(place.operation for place in places).most_common():
        named = packages_with[operation]
        yield {"operation": operation, "expansions": count, "packages": len(named)}


def reasons(surveys: Iterable[SurveyedPackage]) -> Iterator[Line]:
    """Yield a line for each reason why the fix leaves a place to a person."""
    counted = Counter(place.rule for survey in surveys for place in survey.left)
    for rule, count in counted.most_common():
        text = (RULES.parent / "rules" / f"{rule}.yml").read_text(encoding="utf-8")
        stated = yaml.safe_load(text)
        message, note = (_named(stated[key]) for key in ("message", "note"))
        yield {"places": count, "what the text shows": message, "what a person has to know": note}


def _named(text: str) -> str:
    """Return a rule's text with words for what it names in the code that it finds."""
    words = {"`$NAME`": "a name", "`$X`": "a tensor"}
    plain = reduce(lambda shortened, each: shortened.replace(*each), words.items(), text)
    return " ".join(plain.replace("`", "").split())  # a table shows text as it is


def results(equalities: Iterable[ReleasedEquality]) -> Iterator[Line]:
    """Yield a line for each network: what the patch changes in eager mode."""
    for equality in equalities:
        yield {
            "network": equality.title,
            "package": f"{equality.package} {equality.version}",
            "input": "×".join(map(str, equality.input)),
            "outputs that differ": _of(equality.outputs),
            "gradients that differ": _of(equality.gradients),
            "weights that differ after a training step": _of(equality.weights),
        }


def _of(pair: tuple[int, int]) -> str:
    return f"{pair[1]} of {pair[0]}"


def programs(released: Iterable[ReleasedProgram], timed: Iterable[Timing]) -> Iterator[Line]:
    """Yield a line for each network in each runtime: what runs, what it writes, what it takes."""
    times = {(timing.machine, timing.network, timing.runtime): timing for timing in timed}
    for program in released:
        timing = times.get((program.machine, program.network, program.runtime))
        line: Line = {
            "network": program.network,
            "runtime": f"{program.title} {program.version}".rstrip(),
        }
        if program.refused or timing is None:
            yield line | {"time as released, against patched": program.refused or "not measured"}
            continue
        yield line | {
            "steps that only expand": f"{_of_steps(program.expansions, program.steps)} / "
            f"{_of_steps(program.expansions_patched, program.steps_patched)}",
            "written, KiB": f"{_kib(program.bytes_written)} / {_kib(program.bytes_patched)}",
            "eager's result": program.equal,
            "one inference, patched, ms": f"{1e3 * seconds(timing):,.2f}",
            "time as released, against patched": percent(timing.ratio, timing.interval),
            "outcome": outcome_of(timing),
        }


def _of_steps(expansions: int, steps: int) -> str:
    return f"{expansions} of {steps}"


def _kib(count: float) -> str:
    return f"{count / 2**10:,.0f}"


def seconds(timing: Timing) -> float:
    """Return the baseline's time of one call."""
    return (timing.alone or timing.processes[0]).baseline_s


def prevalence(about: Survey, surveys: Sequence[SurveyedPackage]) -> str:
    """Return how common the line is, in one sentence."""
    with_expansions = [survey for survey in surveys if survey.taken]
    exact = [survey.package for survey in surveys if survey.has_the_line]
    files = sum(survey.files for survey in surveys)
    count = sum(len(survey.taken) for survey in surveys)
    left_to_a_person = sum(len(survey.left) for survey in surveys)
    return (
        f"Of {about.listed} packages ({files:,} Python files), "
        f"**{len(with_expansions)} hold an expansion that can go**: {count} "
        f"in all. The ticket's own line, `return x * y.expand_as(x)`, stands in {len(exact)} "
        f"({', '.join(sorted(exact)) or 'none'}). Left to a person: "
        f"{number_of(left_to_a_person, 'place')}."
    )
