"""The released packages that the survey looks at, as listed in `wild/packages.toml`."""

import hashlib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from investigation.evidence.provenance import PACKAGE

LIST = PACKAGE.parent / "wild" / "packages.toml"
Entry = TypeVar("Entry", bound=BaseModel)
ENDINGS = (".whl", ".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


class CatalogueError(ValueError):
    """A list that cannot be used; the message names the file, the entry and the reason."""


class Package(BaseModel):
    """One release: the archive that the index has of it, by name and digest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")
    version: str = Field(pattern=r"^[A-Za-z0-9.!+_-]+$")
    archive: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9.!+_-]*$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")

    @property
    def title(self) -> str:
        """Name and version, as a name for files and messages."""
        return f"{self.name}-{self.version}"


class Catalogue(BaseModel):
    """Every package of the list, and the list's own digest."""

    model_config = ConfigDict(frozen=True)

    sha256: str
    packages: tuple[Package, ...]


def read(path: Path = LIST) -> Catalogue:
    """Read the list. Raises `CatalogueError` with a one-line reason."""
    packages = entries(path, "package", Package)
    for package in packages:
        if not package.archive.endswith(ENDINGS):
            allowed = ", ".join(ENDINGS)
            raise CatalogueError(
                f"{path.name}: {package.name}: {package.archive}: allowed is a file of {allowed}"
            )
    return Catalogue(sha256=hashlib.sha256(path.read_bytes()).hexdigest(), packages=packages)


def entries(path: Path, kind: str, model: type[Entry]) -> tuple[Entry, ...]:
    """Return a file's `[[kind]]` entries, each of another name.

    Raises `CatalogueError` with one line that names the file, the entry and the reason.
    """
    try:
        listed = tomllib.loads(path.read_bytes().decode())
    except (OSError, ValueError) as error:
        raise CatalogueError(f"{path.name}: {error}") from None
    listed_entries = listed.get(kind)
    if set(listed) != {kind} or not isinstance(listed_entries, list):
        raise CatalogueError(f"{path.name}: allowed are [[{kind}]] entries, at least one")
    checked = tuple(
        _checked(model, entry, f"{path.name}: {kind} {i}")
        for i, entry in enumerate(listed_entries, 1)
    )
    _each_once(path.name, [str(entry.model_dump()["name"]) for entry in checked])
    return checked


def _checked(model: type[Entry], entry: object, where: str) -> Entry:
    try:
        return model.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        named = entry.get("name", "") if isinstance(entry, dict) else ""
        field = ".".join(map(str, first["loc"]))
        words = " ".join(str(part) for part in (where, named, field) if part)
        raise CatalogueError(f"{words}: {first['msg']}") from None


def _each_once(file: str, names: Iterable[str]) -> None:
    lowered: set[str] = set()
    for name in names:
        if name.lower() in lowered:
            raise CatalogueError(f"{file}: {name}: listed twice")
        lowered.add(name.lower())


def entry(package: Package) -> str:
    """Return a package as the list has it."""
    pairs = package.model_dump().items()
    return "\n".join(["[[package]]", *(f'{name} = "{value}"' for name, value in pairs), ""])
