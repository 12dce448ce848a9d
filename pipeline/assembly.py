"""Lay out the source tree of the book: pages with the run's numbers, executed chapters, data."""

import json
import re
import shutil
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import yaml
from jinja2 import UndefinedError

from investigation.claims import rules
from investigation.evidence import records as evidence
from investigation.evidence.records import Evidence, Findings, Record
from pipeline import answers, places, publishing, templating
from pipeline.faults import BuildError

DOWNLOADS = """## Data of this page

{{download}}`Evidence as JSON <../data/{name}.json>` ·
{{download}}`evidence as CSV <../data/{name}.csv>` ·
{{download}}`the executed notebook <../data/{name}.ipynb>` ·
{{download}}`the schema of the evidence <../data/evidence.schema.json>`
"""


def assemble(evidences: tuple[Evidence, ...], claims: list[dict[str, Any]]) -> None:
    """Write `build/source`, all that Jupyter Book reads."""
    shutil.rmtree(places.SOURCE, ignore_errors=True)
    data = places.SOURCE / "data"
    data.mkdir(parents=True)
    write_config(places.SOURCE / places.CONFIG.name)
    shutil.copytree(places.BOOK, places.SOURCE, dirs_exist_ok=True)
    write_pages(places.SOURCE, context(evidences, claims))
    for one in evidences:
        write_data(one, data)
        write_chapter(places.EXECUTED / f"{one.notebook}.ipynb", places.SOURCE / "notebooks")
    shutil.copy(places.CLAIMS, data)
    (data / "evidence.schema.json").write_text(json.dumps(evidence.schema(), indent=1))


def write_config(target: Path) -> None:
    """Write the book's settings, with the address and the repository that publish it."""
    settings = yaml.safe_load(places.CONFIG.read_text(encoding="utf-8"))
    told = publishing.configured(settings, publishing.publication())
    target.write_text(yaml.safe_dump(told, allow_unicode=True), encoding="utf-8")


def context(evidences: tuple[Evidence, ...], claims: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the names that a page may use between double braces."""
    findings = Findings(evidences)
    found_answers = answers.answers(evidences)
    decisions = answers.decisions(findings, found_answers)
    return {
        "answers": found_answers,
        "decisions": decisions,
        "decision_rule": answers.RULE,
        "picker": answers.choices(evidences, found_answers, decisions),
        "titles": {one.notebook: title(one.notebook) for one in evidences},
        "requirements": requirements(),
        "claims": claims,
        "claim": {claim["id"]: claim for claim in claims},
        "measured": found(findings, rules.percent),
        "published": publishing.publication(),
        "kib": found(findings, lambda record: rules.kib(float(record.value))),
        "record": found(findings, lambda record: record),
        "under": lambda beginning: list(findings.under(beginning)),
        "runs": evidences,
        "counted": lambda status: sum(claim["verdict"] == status for claim in claims),
    }


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
    """Return a package's installed version, or say that it is not here."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def found(findings: Findings, shown: Callable[[Record], Any]) -> Callable[[str], Any]:
    """Return a function from a record's id to how a page shows it."""

    def look_up(record_id: str) -> Any:
        if record_id not in findings:
            raise BuildError(f"a page asks for {record_id}, and no notebook recorded it")
        return shown(findings[record_id])

    return look_up


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


def write_chapter(executed: Path, folder: Path) -> None:
    """Copy an executed notebook to `folder`, with links to its data at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    notebook = nbformat.read(executed, as_version=4)
    footer = nbformat.v4.new_markdown_cell(DOWNLOADS.format(name=executed.stem), id="downloads")
    notebook.cells.append(footer)
    nbformat.write(notebook, folder / executed.name)
    shutil.copy(executed, places.SOURCE / "data")


def write_data(one: Evidence, folder: Path) -> None:
    """Write a notebook's evidence as JSON and as CSV, a record a line."""
    shutil.copy(places.RESULTS / f"{one.notebook}.json", folder)
    rows = [_flat(record) for record in one.records]
    pd.DataFrame(rows).to_csv(folder / f"{one.notebook}.csv", index=False)


def _flat(record: Record) -> dict[str, object]:
    low, high = record.interval or (None, None)
    case = record.case.model_dump() if record.case else {}
    return {
        "id": record.id,
        "kind": record.kind,
        "says": record.says,
        "value": record.value,
        "unit": record.unit,
        "low": low,
        "high": high,
        "confidence": record.confidence,
        "verdict": record.verdict,
        "control_passed": record.passed,
        "shape": "x".join(map(str, case["shape"])) if case else None,
        "dtype": case.get("dtype"),
        "memory_format": case.get("memory_format"),
    }
