"""What the fix finds in one released package, as a record."""

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from investigation.evidence import imports
from investigation.evidence.kinds.wild import Left, SurveyedPackage, Taken
from investigation.evidence.provenance import PACKAGE
from investigation.fix import operations
from investigation.fix.catalogue import Package
from investigation.fix.findings import RULES
from investigation.fix.rewriting import EXPANSION, Change, Remark, Report

LONGEST_LINE = 160  # characters of it that a record keeps


def survey(package: Package, folder: Path, files: int, report: Report) -> SurveyedPackage:
    """Return the record of a package whose Python `files` lie in `folder`."""
    texts = {source.path: source.text for source in report.looked_at}
    return SurveyedPackage(
        statement=f"expansions of {package.name} {package.version} that can go",
        package=package.name,
        version=package.version,
        archive=package.archive,
        sha256=package.sha256,
        files=files,
        expanding=len(texts) + len(report.unparsed),
        mentions=sum(len(EXPANSION.findall(source.raw)) for source in report.looked_at),
        taken=tuple(expansion for change in report.changes for expansion in _taken(folder, change)),
        left=tuple(_left(folder, warning, texts) for warning in report.warnings),
        unparsed={_name(folder, remark.path): remark.message for remark in report.unparsed},
    )


def _taken(folder: Path, change: Change) -> Iterator[Taken]:
    """Yield what goes from a file: each expansion that the rules name at first sight."""
    text = change.source.text
    calls = operations.expansions(text)
    for finding in change.findings:
        call = calls[finding.place]
        yield Taken(
            file=_name(folder, change.source.path),
            line=finding.line,
            written=call.written,
            operation=call.operation,
            exact=call.exact,
            text=_line(text, finding.line),
        )


def _left(folder: Path, remark: Remark, texts: Mapping[Path, str]) -> Left:
    return Left(
        file=_name(folder, remark.path),
        line=remark.line,
        rule=remark.rule,
        text=_line(texts[remark.path], remark.line),
    )


def _line(text: str, number: int) -> str:
    line = " ".join(text.splitlines()[number - 1].split())
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


@cache
def rules_sha256() -> str:
    """Return a digest of the rules and of the code that applies them and keeps what they find."""
    digest = hashlib.sha256()
    needed = imports.sources(__name__, PACKAGE)
    code = [path for path in needed if path.parent.name == "fix" or path.stem == "wild"]
    for path in (*code, *sorted(RULES.parent.glob("*/*.yml"))):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
