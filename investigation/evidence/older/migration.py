"""Evidence of older schemas, brought up to this one, a version at a time."""

from collections.abc import Callable, Mapping
from typing import Any

from investigation.evidence.older import schema_2

Raw = Mapping[str, Any]


class MigrationError(ValueError):
    """Evidence that cannot be brought up to this schema; the message gives the reason."""


def migrated(raw: object, to: int) -> Raw:
    """Return parsed evidence in schema `to`.

    Raises `MigrationError` for a version or a record that is not known.
    """
    record: Raw = raw if isinstance(raw, dict) else {}
    version = record.get("schema_version")
    while version in MIGRATIONS and type(version) is int:
        record = {**MIGRATIONS[version](record), "schema_version": version + 1}
        version += 1
    if version != to or type(version) is not int:
        readable = f"{', '.join(map(str, MIGRATIONS))} and {to}"
        raise MigrationError(f"schema version {version!r}, this book reads {readable}")
    return record


def _with_package(raw: Raw) -> Raw:
    """Version 1 did not record which state of the package had measured."""
    return {**raw, "package_sha256": "unknown"}


def _with_types(raw: Raw) -> Raw:
    """Version 2 kept records by id."""
    try:
        return {**raw, "records": list(schema_2.typed(raw))} if "records" in raw else raw
    except schema_2.UnknownIdError as error:
        raise MigrationError(f"no record of schema 2 is called {error}") from None
    except (AttributeError, KeyError, TypeError) as error:
        raise MigrationError(f"not the records of schema 2 ({error!r})") from None


def _with_statements(raw: Raw) -> Raw:
    """Version 3 called a record's statement `says`."""
    if "records" not in raw:
        return raw
    try:
        renamed = [
            {"statement" if name == "says" else name: value for name, value in record.items()}
            for record in raw["records"]
        ]
    except (AttributeError, TypeError) as error:
        raise MigrationError(f"not the records of schema 3 ({error!r})") from None
    return {**raw, "records": renamed}


# From each older version to the next.
MIGRATIONS: Mapping[int, Callable[[Raw], Raw]] = {
    1: _with_package,
    2: _with_types,
    3: _with_statements,
}
