"""The digests of the evidence recorded in a folder, checked at each build.

A folder under `results/` belongs to one machine. Its `MANIFEST.json` names every record with its
kind, schema version, size, digest and the machine that it says it was made on. A digest shows
that a record changed since somebody looked at it; it is no signature and proves no author.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from investigation.evidence.environment import PROJECT, revision
from investigation.evidence.files import EvidenceError, first_fault, parse, write_atomically
from investigation.evidence.records import Evidence
from investigation.evidence.sealed import instructions as instruction_record

RESULTS = PROJECT / "results"  # one folder for each machine
NAME = "MANIFEST.json"
VERSIONS = "versions"  # the folder of what was observed under each torch
SCHEMA_VERSION: Literal[1] = 1
# What tells one machine from another: every record of a folder that names one names the same.
MACHINE = ("processor", "cores", "accelerator")

EnvironmentFields = dict[str, Any]


class RecordError(ValueError):
    """A recorded file that cannot be used; the message names the file and the reason."""


class Seal(BaseModel):
    """What a manifest says of one record; `environment` is the record's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    schema_version: int
    size_bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    environment: EnvironmentFields


class Manifest(BaseModel):
    """The records of one machine's folder, by file name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = SCHEMA_VERSION
    machine: str
    sealed: datetime
    revision: str
    records: dict[str, Seal]


class Kind(BaseModel):
    """One kind of record: how it is recognised, and how its own reader checks it.

    `marks` are the keys that a record of this kind has and no other. `read` takes the parsed
    JSON, raises `ValueError` if it cannot be used, and returns version and environment.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    marks: frozenset[str]
    read: Callable[[Any], tuple[int, EnvironmentFields]]


def _read_evidence(raw: Any) -> tuple[int, EnvironmentFields]:
    evidence: Evidence = parse(raw)
    if evidence.failed_controls:
        failed = evidence.failed_controls[0]
        raise ValueError(f"control {failed.name} failed: {failed.statement}")
    # The schema that the file was written in; it has been migrated here.
    return raw["schema_version"], evidence.environment.model_dump(mode="json")


def _read_contest(raw: Any) -> tuple[int, EnvironmentFields]:
    # It loads statistics, which takes a second that many callers need not wait.
    from investigation.evidence.sealed import contest as contest_record

    result = contest_record.ContestResult.from_dict(raw)
    return contest_record.SCHEMA, result.environment


def _read_instructions(raw: Any) -> tuple[int, EnvironmentFields]:
    counts = instruction_record.InstructionCounts.from_dict(raw)
    return instruction_record.SCHEMA, dict(counts.environment)


KINDS = (
    Kind(name="evidence", marks=frozenset({"notebook", "records"}), read=_read_evidence),
    Kind(name="contest", marks=frozenset({"settings", "trials"}), read=_read_contest),
    Kind(name="instructions", marks=frozenset({"by_group"}), read=_read_instructions),
)


def seal(folder: Path) -> Manifest:
    """Check every record of a machine's folder and write its manifest.

    Raises `RecordError` with the record and the reason if a record cannot be used: such a folder
    is not sealed.
    """
    records = {path.name: _examined(path) for path in record_files(folder)}
    if not records:
        raise RecordError(f"{folder}: no record to seal; records are files named *.json")
    manifest = Manifest(
        machine=folder.name, sealed=datetime.now(UTC), revision=revision(), records=records
    )
    _one_machine(folder, manifest)
    write_atomically(folder / NAME, manifest.model_dump_json(indent=1) + "\n")
    return manifest


def verify(folder: Path) -> Manifest:
    """Check a machine's folder against its manifest, and every record by its own reader.

    Raises `RecordError` with the file and the reason: a record that was edited, truncated,
    added, removed, of another schema version, of another machine or with a failed control.
    """
    manifest = read(folder)
    present = {path.name: path for path in record_files(folder)}
    for name in sorted(manifest.records.keys() - present.keys()):
        raise RecordError(f"{folder / name}: sealed in {NAME}, and not there")
    for name, path in present.items():
        if name not in manifest.records:
            raise RecordError(f"{path}: not in {NAME}; {how_to_seal(folder)}")
        _holds(path, manifest.records[name])
    _one_machine(folder, manifest)
    return manifest


def verify_all(results: Path) -> tuple[Manifest, ...]:
    """Verify every folder under `results`, in a fixed order."""
    return tuple(verify(folder) for folder in folders(results))


def folders(results: Path) -> list[Path]:
    """Return the folders under `results`, in a fixed order."""
    return sorted(path for path in results.glob("*") if path.is_dir())


def machine_folders(results: Path) -> list[Path]:
    """Return the folders under `results` that are named after a machine, for chapters to show."""
    return [folder for folder in folders(results) if folder.name != VERSIONS]


def record_files(folder: Path) -> list[Path]:
    """Return the records of a machine's folder, the manifest apart."""
    return sorted(path for path in folder.glob("*.json") if path.name != NAME)


def how_to_seal(folder: Path) -> str:
    """Return what to run once the records of a folder are as they should be."""
    return f"`make seal MACHINE={folder.name}` checks and seals the folder as it is"


def read(folder: Path) -> Manifest:
    """Read a folder's manifest. Raises `RecordError` if there is none that can be used."""
    path = folder / NAME
    if not path.exists():
        raise RecordError(f"{folder}: no {NAME}; {how_to_seal(folder)}")
    raw = _json(path)
    version = raw.get("schema_version") if isinstance(raw, dict) else None
    if version != SCHEMA_VERSION:
        raise RecordError(f"{path}: schema version {version}, this book reads {SCHEMA_VERSION}")
    try:
        manifest = Manifest.model_validate(raw)
    except ValidationError as error:
        raise RecordError(f"{path}: {first_fault(error, whole='manifest')}") from None
    if manifest.machine != folder.name:
        raise RecordError(f"{path}: sealed for {manifest.machine}, and lies in {folder.name}")
    return manifest


def _holds(path: Path, seal: Seal) -> None:
    """Check one record against its seal: what changed most first, so that the reason is apt."""
    content = path.read_bytes()
    if len(content) < seal.size_bytes:
        raise RecordError(f"{path}: truncated, {len(content)} of {seal.size_bytes} bytes")
    if digest(content) != seal.sha256:
        raise RecordError(f"{path}: edited since it was sealed; {how_to_seal(path.parent)}")
    actual = _examined(path)
    for name in ("kind", "schema_version", "environment"):
        now, sealed = getattr(actual, name), getattr(seal, name)
        if now != sealed:
            raise RecordError(f"{path}: {name} is {now}, and {NAME} has {sealed}")


def _examined(path: Path) -> Seal:
    """Return the seal of a record as it is now. Raises `RecordError` if it cannot be used."""
    raw = _json(path)
    kind = kind_of(raw)
    if kind is None:
        names = ", ".join(record_kind.name for record_kind in KINDS)
        raise RecordError(f"{path}: no kind of record of this book; there are {names}")
    try:
        version, environment = kind.read(raw)
    except EvidenceError as error:
        raise RecordError(f"{path}: {error}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{path}: not a usable record of kind {kind.name} ({error})") from None
    content = path.read_bytes()
    return Seal(
        kind=kind.name,
        schema_version=version,
        size_bytes=len(content),
        sha256=digest(content),
        environment=environment,
    )


def digest(content: bytes) -> str:
    """Return the digest that a manifest keeps of a file."""
    return hashlib.sha256(content).hexdigest()


def kind_of(raw: Any) -> Kind | None:
    """Return the kind of a parsed record, or None."""
    keys = raw.keys() if isinstance(raw, Mapping) else ()
    return next((kind for kind in KINDS if kind.marks <= set(keys)), None)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RecordError(f"{path}: not a readable JSON file ({error})") from None


def _one_machine(folder: Path, manifest: Manifest) -> None:
    """Refuse a folder whose records name more than one machine."""
    for key in MACHINE:
        values = _values_of(manifest.records.items(), key)
        if len(values) > 1:
            (value, first), (other, second) = list(values.items())[:2]
            raise RecordError(
                f"{folder}: {key} is {value} in {first} and {other} in {second}; "
                "a folder holds the records of one machine"
            )


def _values_of(records: Iterable[tuple[str, Seal]], key: str) -> dict[object, str]:
    """Return each value that records give for a key, with the first record that gives it."""
    values: dict[object, str] = {}
    for name, seal in records:
        if key in seal.environment:
            values.setdefault(seal.environment[key], name)
    return values
