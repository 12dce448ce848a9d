"""Archives from the Python package index, by name and digest; nothing in them is executed.

`pip download` would run a source archive's own `setup.py`. This uses the same index, with the
settings that pip has here, and only fetches the file.
"""

import ast
import hashlib
import re
import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import httpx2
from unearth import Link, PackageFinder
from unearth.fetchers import PyPIClient

from investigation.fix.catalogue import ENDINGS, Package

LARGEST = 2**28  # bytes of an archive
PATIENCE_S = 60
SETTING = re.compile(r"^[\w:.-]+?\.(?P<name>[a-z-]+)=(?P<value>'.*'|\".*\")$")


class UnavailableError(Exception):
    """An archive that cannot be had; the message is the reason, in one line."""


def fetch(package: Package, folder: Path) -> Path:
    """Return the package's archive in `folder`, downloaded unless it is there.

    Raises `UnavailableError` when the index has no such file, or its bytes are not the listed ones.
    """
    path = folder / package.archive
    if path.exists() and _sha256(path) == package.sha256:
        return path
    link = _named(package)
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    digest = hashlib.sha256()
    try:
        with part.open("wb") as file:
            for chunk in _chunks(link):
                file.write(chunk)
                digest.update(chunk)
        if digest.hexdigest() != package.sha256:
            raise UnavailableError(f"{package.archive}: its bytes are not the listed ones (sha256)")
        part.rename(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def pin(requirement: str) -> Package:
    """Return the entry for `name==version`: a wheel for every platform, or else what there is.

    Raises `UnavailableError` when the index has no such release.
    """
    name, _, version = requirement.partition("==")
    by_name = {link.filename: link for link in _links(name, version)}
    if not by_name:
        raise UnavailableError(f"{requirement}: the index has no such release")
    archive = min(by_name, key=_preference)
    sha256 = (by_name[archive].hashes or {}).get("sha256") or _digest(by_name[archive])
    return Package(name=name, version=version, archive=archive, sha256=sha256)


def _preference(archive: str) -> tuple[int, str]:
    """Order archives: for every platform, then Linux on x86-64, then the source."""
    ends = ("-none-any.whl", "manylinux_2_28_x86_64.whl", "x86_64.whl", ".tar.gz")
    return next((rank for rank, end in enumerate(ends) if archive.endswith(end)), 9), archive


def _named(package: Package) -> Link:
    links = [link for link in _links(package.name) if link.filename == package.archive]
    if not links:
        raise UnavailableError(f"{package.archive}: the index has no such file")
    return links[0]


def _links(name: str, version: str | None = None) -> list[Link]:
    try:
        return [
            candidate.link
            for candidate in _finder().find_all_packages(name, allow_yanked=True)
            if version in (None, candidate.version) and candidate.link.filename.endswith(ENDINGS)
        ]
    except (httpx2.HTTPError, OSError) as error:
        raise UnavailableError(f"{name}: the index does not answer ({_reason(error)})") from None


def _chunks(link: Link) -> Iterable[bytes]:
    size = 0
    try:
        with _finder().session.get_stream(link.normalized) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_bytes():
                size += len(chunk)
                if size > LARGEST:
                    limit = f"{LARGEST // 2**20} MiB"
                    raise UnavailableError(f"{link.filename}: larger than {limit}")
                yield chunk
    except httpx2.HTTPError as error:
        raise UnavailableError(f"{link.filename}: download failed ({_reason(error)})") from None


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _digest(link: Link) -> str:
    digest = hashlib.sha256()
    for chunk in _chunks(link):
        digest.update(chunk)
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@cache
def _finder() -> PackageFinder:
    """Return the client of the index, with pip's settings of this machine."""
    given = pip_settings()
    trusted = given.get("trusted-host", "").split()
    verify: str | bool = given.get("cert") or True
    finder = PackageFinder(  # of the public index, unless another one is set
        # Its own protocol of a client names other parameters than this client of its own has.
        PyPIClient(trusted_hosts=trusted, verify=verify, timeout=PATIENCE_S),  # type: ignore[arg-type]
        index_urls=given.get("index-url", "").split(),
        trusted_hosts=trusted,
        ignore_compatibility=True,
    )
    for url in given.get("extra-index-url", "").split():
        finder.add_index_url(url)
    for url in given.get("find-links", "").split():
        finder.add_find_links(url)
    return finder


def pip_settings() -> dict[str, str]:
    """Return pip's settings here by name, those of the environment before those of files."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    matches = [match for line in done.stdout.splitlines() if (match := SETTING.match(line))]
    matches.sort(key=lambda match: match.string.startswith(":env:"))
    return {match["name"]: str(ast.literal_eval(match["value"])) for match in matches}
