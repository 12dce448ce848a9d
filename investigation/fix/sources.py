"""Python files as they lie on disk: found, read without loss, and written back whole."""

import ast
import io
import os
import stat
import tokenize
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from investigation.evidence.files import write_atomically


class LeftAsItIsError(Exception):
    """A file that is not touched; the message gives the reason."""


@dataclass(frozen=True)
class Source:
    """A Python file: its bytes, and the encoding that it declares (PEP 263)."""

    path: Path
    raw: bytes
    encoding: str

    @property
    def text(self) -> str:
        """The file's text, line endings as they are; a byte order mark is no part of it."""
        return self.raw.decode(self.encoding)

    def encoded(self, text: str) -> bytes:
        """Return another text as this file would hold it."""
        return text.encode(self.encoding)


def find(root: Path, unreadable: Callable[[OSError], None]) -> Iterator[Path]:
    """Yield the Python files under a folder, or the file itself, in a fixed order.

    Left out are hidden folders, virtual environments and installed packages, which are not
    one's own to change, and symbolic links, whose files are changed in their own place.
    """
    if root.is_file():
        yield root
        return
    for folder, names, files in os.walk(root, onerror=unreadable):
        names[:] = sorted(name for name in names if _is_own(Path(folder, name)))
        for path in sorted(Path(folder, name) for name in files if name.endswith(".py")):
            if path.is_file() and not path.is_symlink():
                yield path


def _is_own(folder: Path) -> bool:
    installed = folder.name == "site-packages" or (folder / "pyvenv.cfg").exists()
    return not (folder.name.startswith(".") or installed)


def read(path: Path, raw: bytes) -> Source:
    """Return a file's bytes as a source. Raises `LeftAsItIsError` if they do not parse."""
    check(raw)
    try:
        source = Source(path, raw, tokenize.detect_encoding(io.BytesIO(raw).readline)[0])
        lossless = source.encoded(source.text) == raw
    except (SyntaxError, ValueError) as error:
        raise LeftAsItIsError(f"does not parse: {error}") from None
    if not lossless:
        raise LeftAsItIsError(f"its text in {source.encoding} does not give its bytes back")
    return source


def check(raw: bytes) -> None:
    """Raise `LeftAsItIsError` with line and reason if the bytes are no Python."""
    try:
        with warnings.catch_warnings():
            # A doubtful escape or comparison in somebody's code does not matter here.
            warnings.simplefilter("ignore")
            ast.parse(raw)
    except SyntaxError as error:
        where = f"line {error.lineno}: " if error.lineno else ""
        raise LeftAsItIsError(f"does not parse: {where}{error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise LeftAsItIsError(f"does not parse: {error or type(error).__name__}") from None


def write(path: Path, raw: bytes) -> None:
    """Put new bytes in a file's place, its permissions kept: all of them or none.

    Raises `LeftAsItIsError` if the file or its folder is not to be written.
    """
    mode = path.stat().st_mode
    if not (mode & stat.S_IWUSR and os.access(path, os.W_OK)):
        raise LeftAsItIsError("read-only")
    try:
        write_atomically(path, raw, stat.S_IMODE(mode))
    except OSError as error:
        raise LeftAsItIsError(f"cannot be written: {error.strerror}") from None
