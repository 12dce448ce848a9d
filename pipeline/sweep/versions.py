"""Everything that needs no clock, under each torch of a list: a cell a version, and its record.

The list is a file; a version's record lies under `results/versions` and is sealed like a machine's.
"""

import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from investigation.evidence import files
from investigation.evidence.files import first_fault
from investigation.evidence.sealed import manifest
from pipeline import places
from pipeline.faults import BuildError
from pipeline.sweep import grid
from pipeline.sweep.cells import Cell
from pipeline.sweep.cluster import Outcome

NOTEBOOK = "one_version"
LIST = places.PROJECT / "sweeps" / "versions.toml"
FOLDER = places.RECORDED / manifest.VERSIONS
RELEASE = r"^\d+\.\d+\.\d+$"


class Release(BaseModel):
    """One release of torch; `packages` are requirements that it needs in versions of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str = Field(pattern=RELEASE)
    packages: tuple[str, ...] = ()


class Listed(BaseModel):
    """The releases that are tried, and the packages that each gets beside torch."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    packages: tuple[str, ...]
    torch: tuple[Release, ...]

    @field_validator("torch")
    @classmethod
    def _each_once(cls, value: tuple[Release, ...]) -> tuple[Release, ...]:
        versions = [release.version for release in value]
        if len(set(versions)) < len(versions) or not versions:
            raise ValueError("allowed are one release or more, each once")
        return value

    def beside(self, release: Release) -> tuple[str, ...]:
        """Return all requirements beside torch of one release, its own instead of the common."""
        own = {package.partition("==")[0] for package in release.packages}
        return (*(package for package in self.packages if package not in own), *release.packages)


def read(path: Path = LIST) -> Listed:
    """Read the list. Raises `BuildError` with the file and the reason."""
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return Listed.model_validate(raw)
    except ValidationError as error:
        raise BuildError(f"{path}: {first_fault(error, whole='list')}") from None
    except ValueError as error:
        raise BuildError(f"{path}: not a TOML file ({error})") from None


def cells(listed: Listed, only: Iterable[str] = ()) -> list[Cell]:
    """Return a cell a version, of all or of those that are named.

    Raises `BuildError` for a version that is not on the list.
    """
    versions = [release.version for release in listed.torch]
    unknown = sorted(set(only) - set(versions))
    if unknown:
        raise BuildError(f"TORCH={unknown[0]}: there are {', '.join(versions)}")
    wanted = [release for release in listed.torch if not only or release.version in only]
    return [
        grid.cell(NOTEBOOK, torch=release.version, packages=listed.beside(release))
        for release in wanted
    ]


def keep(outcomes: Iterable[Outcome], folder: Path = FOLDER) -> list[Path]:
    """Put what was observed under `folder`, a file a version, and seal it; return the files.

    Raises `RecordError` if it cannot be sealed, for instance if another machine made the rest.
    """
    evidences = {
        outcome.cell.torch: outcome.evidence for outcome in outcomes if outcome.evidence is not None
    }
    for version, evidence in evidences.items():
        files.write(evidence, folder / f"torch-{version}.json")
    if evidences:
        manifest.seal(folder)
    return [folder / f"torch-{version}.json" for version in evidences]
