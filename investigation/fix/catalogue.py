"""The released packages that the survey looks at, as listed in `wild/packages.toml`."""

import hashlib
import tomllib
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from investigation.evidence.provenance import PACKAGE

LIST = PACKAGE.parent / "wild" / "packages.toml"
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
    """Read the list. Raises `CatalogueError` with one line that says what is wrong with it."""
    try:
        raw = path.read_bytes()
        listed = tomllib.loads(raw.decode())
    except (OSError, ValueError) as error:
        raise CatalogueError(f"{path.name}: {error}") from None
    entries = listed.get("package")
    if set(listed) != {"package"} or not isinstance(entries, list):
        raise CatalogueError(f"{path.name}: allowed are [[package]] entries, at least one")
    packages = tuple(_package(path.name, number, one) for number, one in enumerate(entries, 1))
    _each_once(path.name, packages)
    return Catalogue(sha256=hashlib.sha256(raw).hexdigest(), packages=packages)


def _package(file: str, number: int, entry: object) -> Package:
    try:
        package = Package.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        named = entry.get("name", "") if isinstance(entry, dict) else ""
        field = ".".join(map(str, first["loc"]))
        where = " ".join(str(one) for one in ("package", number, named, field) if one)
        raise CatalogueError(f"{file}: {where}: {first['msg']}") from None
    if not package.archive.endswith(ENDINGS):
        raise CatalogueError(
            f"{file}: {package.name}: {package.archive}: allowed is a file of {', '.join(ENDINGS)}"
        )
    return package


def _each_once(file: str, packages: tuple[Package, ...]) -> None:
    seen: set[str] = set()
    for one in packages:
        if one.name.lower() in seen:
            raise CatalogueError(f"{file}: {one.name}: listed twice")
        seen.add(one.name.lower())


def entry(package: Package) -> str:
    """Return a package as the list has it."""
    pairs = package.model_dump().items()
    return "\n".join(["[[package]]", *(f'{name} = "{value}"' for name, value in pairs), ""])
