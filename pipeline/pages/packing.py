"""What is published beside the pages: less than the theme brings, and all of it as one file."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

ARCHIVE = "book.zip"
# What the theme copies and no page loads: its templates, sources of its scripts, translations,
# fonts for browsers that cannot read woff2, and the script whose icons the style sheet's font has.
UNUSED = (
    "_static/*macros.html",
    "_static/**/*.map",
    "_static/**/*.ttf",
    "_static/locales/**/*.*",
    "_static/scripts/fontawesome.js*",
)
# The same pages make the same archive.
LONG_AGO = (1980, 1, 1, 0, 0, 0)


def prune(book: Path) -> None:
    """Remove from a rendered book the files that no page loads, and the folders left empty."""
    for pattern in UNUSED:
        for path in book.glob(pattern):
            path.unlink()
    for folder in sorted((path for path in book.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def pack(book: Path) -> Path:
    """Write the whole book beside its pages as one file, and return its path."""
    archive = book / ARCHIVE
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in published(book):
            entry = zipfile.ZipInfo(f"book/{path.relative_to(book).as_posix()}", LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, path.read_bytes())
    return archive


def published(book: Path) -> Iterator[Path]:
    """Iterate over the files of a book in a fixed order, the archive aside."""
    files = (path for path in sorted(book.rglob("*")) if path.is_file())
    return (path for path in files if path != book / ARCHIVE)
