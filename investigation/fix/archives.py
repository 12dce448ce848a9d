"""The Python files of an archive that a stranger made: read in bounds, written in one folder.

Nothing but regular files named `*.py` is written. An archive is refused as a whole when one of
its names leads out of the folder, a link in it leads out, or it unpacks to more than the bounds.
"""

import bz2
import gzip
import io
import lzma
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

MOST_FILES = 50_000
MOST_BYTES = 2**30  # of everything in the archive
MOST_BYTES_A_FILE = 2**24  # of a Python file, each of which is held in memory
# The start of an absolute path, and what only another system takes for a path.
FOREIGN = re.compile(r"[/\\\0]|^[A-Za-z]:")
OPENERS: Mapping[str, Callable[[Path], io.BufferedIOBase]] = {
    ".bz2": bz2.BZ2File,
    ".xz": lzma.LZMAFile,
    ".gz": gzip.GzipFile,
    ".tgz": gzip.GzipFile,
}
UNREADABLE = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError,
    ValueError, NotImplementedError, RuntimeError, OverflowError,
)  # fmt: skip


class ArchiveError(Exception):
    """An archive that is not unpacked; the message is the reason, in one line."""


@dataclass(frozen=True)
class Member:
    """One entry: its name, its size in bytes, and where it leads if it is a link."""

    name: str
    size: int
    link: str | None = None
    regular: bool = True


class Bounds:
    """What an archive has used up of its bounds."""

    def __init__(self) -> None:
        self._files = self._bytes = 0

    def spend(self, files: int = 0, size: int = 0) -> None:
        """Count files and bytes. Raises `ArchiveError` when there are too many."""
        self._files += files
        self._bytes += size
        if self._files > MOST_FILES:
            raise ArchiveError(f"holds more than {MOST_FILES:,} files")
        if size < 0 or self._bytes > MOST_BYTES:
            raise ArchiveError(f"unpacks to more than {MOST_BYTES / 2**30:g} GiB")


def unpack(archive: Path, folder: Path, wanted: Callable[[bytes], object]) -> int:
    """Write an archive's Python files of `wanted` bytes below `folder`, or nothing at all.

    Returns how many Python files there are, the others included. Raises `ArchiveError` for an
    archive that is truncated, hostile or holds no Python file.
    """
    part = folder.with_name(f".{folder.name}.part")
    for old in (part, folder):
        shutil.rmtree(old, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        count = 0
        for count, (name, raw) in enumerate(_python_files(archive), 1):  # noqa: B007
            if wanted(raw):
                _write(part, name, raw)
        if not count:
            raise ArchiveError("holds no Python file")
        part.rename(folder)
    except ArchiveError as error:
        raise ArchiveError(f"{archive.name}: {error}") from None
    except UNREADABLE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ArchiveError(f"{archive.name}: not a readable archive ({reason})") from None
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return count


def _python_files(archive: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    zipped = archive.suffix in (".whl", ".zip")
    for member, raw in _zip(archive) if zipped else _tar(archive):
        yield _inside(member), raw


def _zip(archive: Path) -> Iterator[tuple[Member, bytes]]:
    bounds = Bounds()
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            bounds.spend(files=1, size=info.file_size)
        for info in opened.infolist():
            mode = info.external_attr >> 16
            linked = stat.S_ISLNK(mode)
            link = opened.read(info).decode(errors="replace") if linked else None
            member = Member(info.filename, info.file_size, link, not (linked or info.is_dir()))
            if _is_wanted(member):
                yield member, opened.read(info)


def _tar(archive: Path) -> Iterator[tuple[Member, bytes]]:
    bounds = Bounds()
    with (
        OPENERS[archive.suffix](archive) as raw,
        # tarfile only ever calls `read` of a stream.
        tarfile.open(fileobj=_Bounded(raw, bounds), mode="r|") as opened,  # type: ignore[call-overload]
    ):
        for info in opened:
            bounds.spend(files=1)
            link = _target(info) if info.issym() or info.islnk() else None
            member = Member(info.name, info.size, link, info.isreg())
            if _is_wanted(member):
                file = opened.extractfile(info)
                yield member, file.read() if file else b""


class _Bounded:
    """A stream that ends with an error once more was read from it than the bounds allow."""

    def __init__(self, raw: io.BufferedIOBase, bounds: Bounds) -> None:
        self._raw = raw
        self._bounds = bounds

    def read(self, size: int) -> bytes:
        got = self._raw.read(size)
        self._bounds.spend(size=len(got))
        return got


def _target(info: tarfile.TarInfo) -> str:
    """Return the target of a link, relative to its place; a hard link's is relative to the top."""
    if info.issym():
        return info.linkname
    depth = len(PurePosixPath(info.name).parts) - 1
    return "/".join([*[".."] * depth, info.linkname])


def _is_wanted(member: Member) -> bool:
    """Return whether it is a Python file; a link that stays inside is left out. Checks its name."""
    name = _inside(member)
    if member.link is not None:
        _check(f"link {member.name} to", str(name.parent / member.link), member.link)
    wanted = member.regular and name.suffix == ".py"
    if wanted and member.size > MOST_BYTES_A_FILE:
        raise ArchiveError(f"{member.name!r} is larger than {MOST_BYTES_A_FILE / 2**20:g} MiB")
    return wanted


def _inside(member: Member) -> PurePosixPath:
    """Return a member's path. Raises `ArchiveError` for one that leads out of the folder."""
    _check("", member.name, member.name)
    return PurePosixPath(member.name)


def _check(what: str, path: str, shown: str) -> None:
    depth = 0
    for part in PurePosixPath(path).parts:
        depth += -1 if part == ".." else 1
        if depth < 0 or FOREIGN.search(part):
            raise ArchiveError(f"{what} {shown!r} leads out of its folder".strip())


def _write(folder: Path, name: PurePosixPath, raw: bytes) -> None:
    path = folder.joinpath(*name.parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
