"""What was observed: the record, its schema, and the only reader and writer of result files."""

import json
import os
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from investigation.cases import Case
from investigation.environment import Environment

SCHEMA_VERSION: Literal[1] = 1
Kind = Literal[
    "equality",  # the same bits, or not
    "acceptance",  # what raises, and what does not
    "layout",  # strides and memory formats
    "allocation",  # bytes of memory
    "dispatch",  # ATen calls
    "instructions",  # processor instructions
    "timing",  # seconds, and ratios of them
    "codegen",  # generated kernels
    "graph",  # nodes of an exported graph
]


class EvidenceError(ValueError):
    """A result file that cannot be used; the message names the file and the reason."""


def _is_an_interval(interval: tuple[float, float]) -> tuple[float, float]:
    if not interval[0] <= interval[1]:
        raise ValueError("an interval runs from low to high")
    return interval


Interval = Annotated[tuple[float, float], AfterValidator(_is_an_interval)]


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
    value: bool | int | float | str
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
        return f"{kind}`{self.id}` {held}{self.says}; seen: {self.value} {self.unit or ''}".rstrip()


class Evidence(BaseModel):
    """All that one run of one notebook observed, and where."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = SCHEMA_VERSION
    notebook: str
    source_sha256: str
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
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
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
    version = raw.get("schema_version") if isinstance(raw, dict) else None
    if version != SCHEMA_VERSION:
        raise EvidenceError(f"{path}: schema version {version}, this book reads {SCHEMA_VERSION}")
    return _validated(raw, path)


def _validated(raw: object, path: Path) -> Evidence:
    try:
        return Evidence.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise EvidenceError(f"{path}: {where or 'record'}: {first['msg']}") from None


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
