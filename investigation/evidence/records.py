"""What was observed: the record, its schema, and the only reader and writer of result files."""

import json
import math
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from investigation.evidence.environment import Environment
from investigation.evidence.harmless import on_one_line
from investigation.subject.cases import Case

SCHEMA_VERSION: Literal[2] = 2
Kind = Literal[
    "equality",  # the same bits, or not
    "acceptance",  # what raises, and what does not
    "layout",  # strides and memory formats
    "allocation",  # bytes of memory
    "dispatch",  # ATen calls
    "instructions",  # processor instructions
    "timing",  # seconds, and ratios of them
    "prediction",  # seconds, computed from a datasheet and not measured
    "codegen",  # generated kernels
    "graph",  # nodes of a backward or an exported graph
]


class EvidenceError(ValueError):
    """A result file that cannot be used; the message names the file and the reason."""


def _is_an_interval(interval: tuple[float, float]) -> tuple[float, float]:
    if not interval[0] <= interval[1]:
        raise ValueError("an interval runs from low to high")
    return interval


def _with_its_ends(interval: Any) -> Any:
    """Take None for an end that lies nowhere: JSON has no infinity."""
    if not isinstance(interval, list | tuple) or len(interval) != 2:
        return interval
    low, high = interval
    return (-math.inf if low is None else low, math.inf if high is None else high)


def _is_a_number(value: bool | int | float | str) -> bool | int | float | str:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("allowed is a finite number; JSON has no other")
    return value


Interval = Annotated[
    tuple[float, float], BeforeValidator(_with_its_ends), AfterValidator(_is_an_interval)
]
Value = Annotated[bool | int | float | str, AfterValidator(_is_a_number)]


class Record(BaseModel):
    """One thing that was observed.

    `id` is dotted, the chapter's topic first (`timing.network.channels_last`). A measurement
    has a unit, an interval and its confidence. A control has `passed`, and `says` states what
    was expected of it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$")
    kind: Kind
    says: str
    value: Value
    unit: str | None = None
    interval: Interval | None = None
    confidence: float | None = Field(default=None, gt=0, lt=1)
    verdict: Literal["faster", "slower", "equivalent", "inconclusive"] | None = None
    case: Case | None = None
    samples: tuple[float, ...] = ()
    details: dict[str, Any] = {}
    passed: bool | None = None

    @model_validator(mode="after")
    def _an_interval_has_a_confidence(self) -> Self:
        if (self.interval is None) != (self.confidence is None):
            raise ValueError(f"{self.id}: an interval and its confidence come together")
        return self

    @property
    def is_control(self) -> bool:
        """Whether this record tests the instrument and not the subject."""
        return self.passed is not None

    def _repr_markdown_(self) -> str:
        """Show the record in a notebook as a sentence."""
        held = {True: "**held**: ", False: "**failed**: ", None: ""}[self.passed]
        kind = "Control " if self.is_control else ""
        seen = on_one_line(f"{self.says}; seen: {self.value} {self.unit or ''}").rstrip()
        return f"{kind}`{self.id}` {held}{seen}"


class Evidence(BaseModel):
    """All that one run of one notebook observed, and where."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[2] = SCHEMA_VERSION
    notebook: str
    source_sha256: str
    package_sha256: str
    parameters: dict[str, Any]
    environment: Environment
    started: datetime
    finished: datetime
    records: tuple[Record, ...]

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        ids = [record.id for record in self.records]
        twice = sorted({one for one in ids if ids.count(one) > 1})
        if twice:
            raise ValueError(f"recorded twice: {', '.join(twice)}")
        return self

    @property
    def failed_controls(self) -> tuple[Record, ...]:
        """The controls that did not hold: with one of these the numbers say nothing."""
        return tuple(record for record in self.records if record.passed is False)


def write(evidence: Evidence, path: Path) -> None:
    """Write a result file so that a killed run leaves either the old file or the new one."""
    write_atomically(path, evidence.model_dump_json(indent=1) + "\n")


def write_atomically(path: Path, text: str) -> None:
    """Write `text` beside `path` and rename it into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        os.fchmod(handle, 0o644)  # a temporary file is its owner's alone; what is published is not
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read(path: Path) -> Evidence:
    """Read a result file. Raises `EvidenceError` with the file and the reason."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EvidenceError(f"{path}: not a readable result file ({error})") from None
    try:
        return parse(raw)
    except EvidenceError as error:
        raise EvidenceError(f"{path}: {error}") from None


def parse(raw: object) -> Evidence:
    """Return the evidence that parsed JSON holds, of this schema or an older one.

    Raises `EvidenceError` with the field and the reason.
    """
    try:
        return Evidence.model_validate(_migrated(raw))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise EvidenceError(f"{where or 'record'}: {first['msg']}") from None


def _migrated(raw: object) -> Mapping[str, Any]:
    """Bring a record of an older schema up to this one, a version at a time."""
    kept: Mapping[str, Any] = raw if isinstance(raw, dict) else {}
    version = kept.get("schema_version")
    while version in MIGRATIONS and type(version) is int:
        kept = {**MIGRATIONS[version](kept), "schema_version": version + 1}
        version += 1
    if version != SCHEMA_VERSION or type(version) is not int:
        readable = " and ".join(map(str, (*MIGRATIONS, SCHEMA_VERSION)))
        raise EvidenceError(f"schema version {version!r}, this book reads {readable}")
    return kept


def _with_package(kept: Mapping[str, Any]) -> Mapping[str, Any]:
    """Version 1 did not say which state of the package had measured."""
    return {**kept, "package_sha256": "unknown"}


# From each older version to the next.
MIGRATIONS: Mapping[int, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {1: _with_package}


def schema() -> dict[str, Any]:
    """Return the JSON schema of a result file, as it is published."""
    return Evidence.model_json_schema()


class Findings:
    """The records of many notebooks, found by id: what the claims' rules read."""

    def __init__(self, evidences: tuple[Evidence, ...]) -> None:
        self._by_id = {record.id: record for one in evidences for record in one.records}

    def __contains__(self, record_id: str) -> bool:
        return record_id in self._by_id

    def __getitem__(self, record_id: str) -> Record:
        return self._by_id[record_id]

    def under(self, prefix: str) -> Iterator[Record]:
        """Iterate over the records whose id starts with `prefix` and a dot."""
        return (one for key, one in self._by_id.items() if key.startswith(prefix + "."))
