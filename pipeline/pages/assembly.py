"""Lay out the source tree of the book: pages with the run's numbers, executed chapters, data."""

import json
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import yaml
from jinja2 import UndefinedError

from investigation.claims.words import STATUSES
from investigation.evidence import files
from investigation.evidence.environment import Environment
from investigation.evidence.kinds.controls import Control
from investigation.evidence.kinds.in_place import Measured
from investigation.evidence.observation import Observation
from investigation.evidence.questions import Findings, QuestionError, ask
from investigation.evidence.records import TYPES, Evidence, Record
from investigation.evidence.sealed import gpu as gpu_record
from investigation.evidence.words import DEFINITIONS, OUTCOMES, kib, percent
from pipeline import places
from pipeline.faults import BuildError
from pipeline.pages import (
    answers,
    chapter_pages,
    decisions,
    disposition,
    gpus,
    picker,
    picture,
    publishing,
    run_times,
    summary,
    templating,
    versions,
)
from pipeline.pages.answers import Answer
from pipeline.pages.decisions import Decision


def assemble(evidences: tuple[Evidence, ...], claims: list[dict[str, Any]]) -> None:
    """Write `build/source`, all that Jupyter Book reads."""
    shutil.rmtree(places.SOURCE, ignore_errors=True)
    data = places.SOURCE / "data"
    data.mkdir(parents=True)
    write_config(places.SOURCE / places.CONFIG.name)
    shutil.copytree(places.BOOK, places.SOURCE, dirs_exist_ok=True)
    write_pages(places.SOURCE, context(evidences, claims))
    for evidence in evidences:
        write_data(evidence, data)
        chapter_pages.write(evidence.notebook, claims)
    shutil.copy(places.CLAIMS, data)
    (data / "evidence.schema.json").write_text(json.dumps(files.schema(), indent=1))


def write_config(target: Path) -> None:
    """Write the book's settings, with the address and the repository that publish it."""
    settings = yaml.safe_load(places.CONFIG.read_text(encoding="utf-8"))
    config = publishing.configured(settings, publishing.publication())
    target.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")


def context(evidences: tuple[Evidence, ...], claims: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the names that a page may use between double braces."""
    findings = Findings(evidences)
    all_answers = answers.answers(findings)
    all_decisions = decisions.decisions(findings, all_answers)
    return first_page(findings, all_answers, all_decisions) | {
        "picker": picker.choices(evidences, all_answers, all_decisions, versions.read()),
        "titles": {evidence.notebook: title(evidence.notebook) for evidence in evidences},
        "requirements": requirements(),
        "claims": claims,
        "claim": {claim["id"]: claim for claim in claims},
        "published": publishing.publication(),
        "record": the_only(records_of(findings)),
        "records": records_of(findings),
        "change": lambda timing: percent(timing.ratio, timing.interval),
        "kib": kib,
        "controls": controls,
        "ran_alike": ran_alike,
        "runs": evidences,
        "timings": run_times.timings,
        "counted": lambda status: sum(claim["verdict"] == status for claim in claims),
    }


def first_page(
    findings: Findings, all_answers: list[Answer], all_decisions: list[Decision]
) -> dict[str, Any]:
    """Return what the first page shows; a function for what a page without evidence lacks."""
    return {
        "answers": all_answers,
        "decisions": all_decisions,
        "name_of": picture.name_of,
        "definitions": DEFINITIONS,
        "statuses": STATUSES,
        "decision_rule": decisions.RULE,
        "shown": OUTCOMES.__getitem__,
        "sizes_tried": answers.span(all_answers),
        "gpus_with_torch": gpus.with_torch(findings, gpu_record.recorded(places.RECORDED)),
        "on_gpus": [
            gpus.of_the_network(all_decisions),
            gpus.alone(all_answers),
            gpus.cause(all_answers),
        ],
        "priority": partial(disposition.priority, findings, all_decisions),
        "elsewhere": partial(disposition.elsewhere, all_decisions),
        "sentences": partial(summary.sentences, findings, all_decisions),
        "short_rows": partial(summary.rows, all_decisions),
        "picture": partial(picture.of_settings, all_decisions),
        "versions": versions.read(),
    }


def records_of(findings: Findings) -> Callable[..., tuple[Observation, ...]]:
    """Return a function from a type and values of its fields to the records that have them.

    It raises `BuildError` for a type, a field or a value that no record can have.
    """

    def look_up(kind: str, **fields: Any) -> tuple[Observation, ...]:
        try:
            return findings.answers(ask(TYPES[kind], **fields))
        except (KeyError, QuestionError) as error:
            raise BuildError(f"a page needs {kind}: {error}") from None

    return look_up


def the_only(look_up: Callable[..., tuple[Observation, ...]]) -> Callable[..., Observation]:
    """Return the same for the only such record; `BuildError` if there is not just one."""

    def look_up_one(kind: str, **fields: Any) -> Observation:
        records = look_up(kind, **fields)
        if len(records) != 1:
            raise BuildError(f"a page needs one {kind} with {fields}; there are {len(records)}")
        return records[0]

    return look_up_one


def controls(evidence: Evidence) -> str:
    """Say how many controls of a chapter held, and how many were too uncertain to show anything."""
    ran = [record for record in evidence.records if isinstance(record, Control)]
    blind = sum(not control.tried for control in ran)
    return f"{len(ran) - blind}" + (f"; {blind} could not be tried" if blind else "")


def ran_alike(evidences: Iterable[Evidence]) -> list[tuple[Environment, list[str]]]:
    """Return each environment with the titles of the chapters that ran in it."""
    chapters: dict[Environment, list[str]] = {}
    for evidence in evidences:
        chapters.setdefault(evidence.environment, []).append(title(evidence.notebook))
    return list(chapters.items())


def title(notebook: str) -> str:
    """Return a chapter's title: the first heading of its executed notebook."""
    cells = nbformat.read(places.EXECUTED / f"{notebook}.ipynb", as_version=4).cells
    lines = (line for cell in cells for line in cell.source.splitlines())
    return str(next(line.removeprefix("# ") for line in lines if line.startswith("# ")))


def requirements() -> dict[str, str]:
    """Return the version that is installed of each package that the book names as its own."""
    text = (places.HERE / "requirements.txt").read_text(encoding="utf-8")
    names = re.findall(r"^([\w.-]+)==", text, re.MULTILINE)
    return {name: installed(name) for name in names}


def installed(package: str) -> str:
    """Return a package's installed version, or a note that it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def write_pages(folder: Path, names: Mapping[str, Any]) -> None:
    """Fill in every page of `folder`, in place.

    Raises `BuildError` with the page and the name that it could not fill in.
    """
    jinja = templating.environment(folder, cell=as_table_cell)
    for page in sorted(folder.glob("*.md")):
        try:
            page.write_text(jinja.get_template(page.name).render(names), encoding="utf-8")
        except UndefinedError as error:
            raise BuildError(f"{page.name}: {error.message}") from None


def as_table_cell(text: str) -> str:
    """Return text that cannot end a cell of a Markdown table."""
    return " ".join(text.replace("|", "\\|").split())


def write_data(evidence: Evidence, folder: Path) -> None:
    """Write a notebook's evidence as JSON and as CSV, a record a line."""
    shutil.copy(places.RESULTS / f"{evidence.notebook}.json", folder)
    rows = [_flat(record) for record in evidence.records]
    pd.DataFrame(rows).to_csv(folder / f"{evidence.notebook}.csv", index=False)


def _flat(record: Record) -> dict[str, object]:
    """Return a record as a row: what every kind has, and the outcome of a timing."""
    timing = record if isinstance(record, Measured) else None
    low, high = timing.interval if timing else (None, None)
    case = record.case
    return {
        "name": record.name,
        "type": record.kind,
        "statement": record.statement,
        "value": record.value,
        "unit": record.unit,
        "low": low,
        "high": high,
        "confidence": timing.confidence if timing else None,
        "outcome": timing.outcome if timing else None,
        "control_passed": record.passed if isinstance(record, Control) else None,
        "shape": "x".join(map(str, case.shape)) if case else None,
        "dtype": case.dtype if case else None,
        "memory_format": case.memory_format if case else None,
    }
