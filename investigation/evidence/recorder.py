"""The records that one run makes: parameters checked, each identity once, controls that hold."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from investigation.evidence import files
from investigation.evidence.environment import PROJECT, describe
from investigation.evidence.kinds.controls import Control
from investigation.evidence.observation import Identity, Observation
from investigation.evidence.parameters import Parameters
from investigation.evidence.provenance import package_sha256, source_sha256
from investigation.evidence.records import Evidence, Record

R = TypeVar("R", bound=Observation)


class ControlFailedError(Exception):
    """The instrument is broken, so its numbers mean nothing: the build stops."""


class RepeatedError(ValueError):
    """Two records of one identity in one run; the message names it."""


class Recorder:
    """One run of one notebook: its parameters, checked, and what it has observed so far.

    Raises `ParameterError` for a parameter that cannot be used.
    """

    def __init__(self, notebook: str, **parameters: object) -> None:
        self.notebook = notebook
        self.settings = Parameters.check(**parameters)
        self.given = parameters
        self._started = datetime.now(UTC)
        self._records: dict[Identity, Record] = {}

    def keep(self, record: R) -> R:
        """Keep one observation and return it.

        Raises `RepeatedError` if a record of its identity was kept before.
        """
        if record.identity in self._records:
            raise RepeatedError(f"recorded twice: {record.name}")
        self._records[record.identity] = record  # type: ignore[assignment]  # R is one of the union
        return record

    def control(
        self,
        control: str,
        statement: str,
        seen: object,
        *,
        passed: bool,
        tried: bool = True,
        of: str = "",
    ) -> Control:
        """Keep a control: an observation whose outcome is known beforehand.

        `tried` is false if its interval was too wide to show anything.

        Raises `ControlFailedError` if it did not come out as expected.
        """
        record = Control(
            statement=statement,
            chapter=self.notebook,
            control=control,
            of=of,
            seen=str(seen),
            passed=passed,
            tried=tried,
        )
        self.keep(record)
        if not passed:
            raise ControlFailedError(f"{control}: expected: {statement}; seen: {seen}")
        return record

    def evidence(self) -> Evidence:
        """Return all that was observed so far, with its provenance."""
        notebook = PROJECT / "notebooks" / f"{self.notebook}.ipynb"
        return Evidence(
            notebook=self.notebook,
            source_sha256=source_sha256(notebook),
            package_sha256=package_sha256(notebook),
            parameters=self.settings.model_dump(include=set(self.given)),
            environment=describe(self.settings.threads),
            started=self._started,
            finished=datetime.now(UTC),
            records=tuple(self._records.values()),
        )

    def write(self) -> Evidence:
        """Write all that was observed so far to its file, and return it."""
        evidence = self.evidence()
        files.write(evidence, results_folder() / f"{self.notebook}.json")
        return evidence


def results_folder() -> Path:
    """Return the folder that evidence is written to: the build's own staging, or build/results."""
    return Path(os.environ.get("INVESTIGATION_RESULTS", PROJECT / "build" / "results"))
