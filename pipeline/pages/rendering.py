"""Turn the assembled source tree into HTML, strictly, and swap it in only when it is whole."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from pipeline import places
from pipeline.faults import BuildError, refused_in
from pipeline.pages import packing

# What jupyter-book prints when nothing is wrong is not shown.
SHOWN_LINES = 12


def render(*, strict: bool = True) -> None:
    """Build `build/html`; if it fails, the last good book stays.

    Raises `BuildError` on any warning. Without `strict` a warning is no error: another torch may
    print what the pinned one does not.
    """
    shutil.rmtree(places.RENDERED, ignore_errors=True)
    jupyter_book = str(Path(sys.executable).with_name("jupyter-book"))
    command = [jupyter_book, "build", str(places.SOURCE)]
    options = [
        "--path-output",
        str(places.RENDERED),
        *(["--warningiserror", "--keep-going"] if strict else []),
        "--nitpick",
        "--all",
    ]
    done = subprocess.run(
        [*command, *options],
        # Sphinx imports the book's own extensions from here.
        env=os.environ | {"PYTHONPATH": str(places.HERE)},
        capture_output=True,
        text=True,
        check=False,
    )
    page = places.RENDERED / "_build" / "html" / "index.html"
    if done.returncode != 0:
        output = done.stdout + done.stderr
        raise BuildError(refused_in(output) or f"the pages did not build:\n{complaints(output)}")
    if not page.exists():
        raise BuildError("the pages built without an index.html")
    packing.prune(page.parent)
    packing.pack(page.parent)
    swap_in()


def swap_in() -> None:
    """Put the new book where the last good one was.

    If this is killed between its two moves, the next build puts the last good book back.
    """
    if places.HTML.exists():
        places.HTML.rename(places.RETIRED)
    (places.RENDERED / "_build" / "html").rename(places.HTML)
    for folder in (places.RETIRED, places.RENDERED):
        shutil.rmtree(folder, ignore_errors=True)


def complaints(output: str) -> str:
    """Return the lines of Sphinx's output that report a fault."""
    lines = output.splitlines()
    telling = [line for line in lines if re.search(r"WARNING|ERROR|\w+Error: ", line)]
    return "\n".join((telling or lines)[-SHOWN_LINES:])
