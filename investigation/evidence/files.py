"""The only reader and writer of evidence files."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from investigation.evidence.older import migration
from investigation.evidence.records import SCHEMA_VERSION, Evidence


class EvidenceError(ValueError):
    """An evidence file that cannot be used; the message names the file, field and reason."""


def write(evidence: Evidence, path: Path) -> None:
    """Write an evidence file so that a killed run leaves either the old file or the new one."""
    write_atomically(path, evidence.model_dump_json(indent=1) + "\n")


def write_atomically(path: Path, content: str | bytes, mode: int = 0o644) -> None:
    """Write a file beside `path` and rename it into place: all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        os.fchmod(handle, mode)  # a temporary file is its owner's alone; what is published is not
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read(path: Path) -> Evidence:
    """Read an evidence file. Raises `EvidenceError` with the file and the reason."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EvidenceError(f"{path}: not a readable result file ({error})") from None
    try:
        return parse(raw)
    except EvidenceError as error:
        raise EvidenceError(f"{path}: {error}") from None


def parse(raw: object) -> Evidence:
    """Return the evidence in parsed JSON, of this schema or an older one.

    Raises `EvidenceError` with the field and the reason.
    """
    try:
        return Evidence.model_validate(migration.migrated(raw, to=SCHEMA_VERSION))
    except migration.MigrationError as error:
        raise EvidenceError(str(error)) from None
    except ValidationError as error:
        raise EvidenceError(first_fault(error, whole="evidence")) from None


def first_fault(error: ValidationError, whole: str) -> str:
    """Return the first field at fault, or `whole` if it is all of them, and what is wrong."""
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or whole}: {first['msg']}"


def schema() -> dict[str, Any]:
    """Return the JSON schema of an evidence file, as it is published."""
    return Evidence.model_json_schema()
