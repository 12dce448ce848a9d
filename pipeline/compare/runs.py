"""A whole run from a folder or a published zip: its evidence, read as data and nothing else."""

import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from investigation.evidence.files import EvidenceError, parse
from investigation.evidence.questions import Findings
from investigation.evidence.records import Evidence
from investigation.evidence.sealed import manifest
from pipeline.faults import BuildError

# The places in a build, a folder of evidence and a published book, tried in this order.
PATTERNS = (
    "results/*.json",
    "*.json",
    "_downloads/*/*.json",
    "*/_downloads/*/*.json",
)
CHAPTER = re.compile(r"\d\d_\w+", re.ASCII)
LONGEST_REASON = 1000  # characters
NAME = re.compile(r"(?:.*/)?(\d\d_\w+)\.json", re.ASCII)
LARGEST_BYTES = 64 * 2**20  # of one file; the largest of the book's own has a few
MOST_FILES = 1000


@dataclass(frozen=True)
class Run:
    """The evidence of one run, a file a chapter, and where it was found.

    `failed` has the reason for each chapter whose last execution failed. The evidence of an
    earlier execution there is not this run's, and is left out.
    """

    name: str
    evidences: tuple[Evidence, ...]
    failed: Mapping[str, str] = field(default_factory=dict)

    @property
    def findings(self) -> Findings:
        """All records of the run, for questions. Raises `EvidenceError` for two of one identity."""
        return Findings(self.evidences)


def read_run(path: Path) -> Run:
    """Read the evidence in a folder or a zip.

    Raises `BuildError` if there is none, if a file is too large, or if two disagree on
    a chapter; `EvidenceError` if a file cannot be used.
    """
    if not path.exists():
        raise BuildError(f"{path}: no such file or folder; `make book` makes build")
    by_chapter: dict[str, Evidence] = {}
    for name, text in _packed(path) if path.is_file() else _lying(path):
        raw = _json(name, text)
        kind = manifest.kind_of(raw)
        if kind is None or kind.name != "evidence":
            continue
        evidence = _parsed(name, raw)
        if by_chapter.setdefault(evidence.notebook, evidence) != evidence:
            raise BuildError(f"{path}: holds two different records of {evidence.notebook}")
    failed = _failures(path)
    if not by_chapter.keys() - failed.keys():
        raise BuildError(f"{path}: holds no run's evidence, which are files such as 01_name.json")
    ran = (by_chapter[name] for name in sorted(by_chapter.keys() - failed.keys()))
    return Run(str(path), tuple(ran), failed)


def _failures(folder: Path) -> dict[str, str]:
    """Return why each chapter failed whose last execution in a build did."""
    noted = (path for path in sorted(folder.glob("failed/*.txt")) if CHAPTER.fullmatch(path.stem))
    reasons = {path.stem: path.read_text("utf-8", "replace")[:LONGEST_REASON] for path in noted}
    return {name: " ".join(reason.split()) for name, reason in reasons.items()}


def _lying(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Iterate over the evidence files of the first place in a folder that has any."""
    for pattern in PATTERNS:
        paths = [path for path in sorted(folder.glob(pattern)) if NAME.fullmatch(path.name)]
        for path in paths[:MOST_FILES]:
            _refuse_large(str(path), path.stat().st_size)
            yield str(path), path.read_bytes()
        if paths:
            return


def _packed(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Iterate over the evidence files of a zip; nothing is unpacked to disk."""
    try:
        with zipfile.ZipFile(archive) as packed:
            entries = [entry for entry in packed.infolist() if NAME.fullmatch(entry.filename)]
            for entry in entries[:MOST_FILES]:
                name = f"{archive}: {entry.filename}"
                _refuse_large(name, entry.file_size)
                with packed.open(entry) as file:
                    text = file.read(LARGEST_BYTES + 1)
                _refuse_large(name, len(text))
                yield name, text
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise BuildError(f"{archive}: not a zip that can be read ({error})") from None


def _refuse_large(name: str, size: int) -> None:
    if size > LARGEST_BYTES:
        raise BuildError(f"{name}: {size} bytes; allowed are {LARGEST_BYTES} a file")


def _json(name: str, text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"{name}: not a readable JSON file ({error})") from None


def _parsed(name: str, raw: Any) -> Evidence:
    try:
        return parse(raw)
    except EvidenceError as error:
        raise EvidenceError(f"{name}: {error}") from None
