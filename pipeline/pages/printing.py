"""The whole book as one PDF: one long page, printed by an installed Chromium."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Error, PdfMargins, sync_playwright

from pipeline import places
from pipeline.faults import BuildError
from pipeline.pages.rendering import complaints

# The shell without windows does the same in less processor time, so it comes first.
PROGRAMS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
# Chromium as a program among others: no sandbox of its own, no requests to its maker.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NO_BROWSER = "the PDF takes a Chromium to print it; apt-get install chromium brings one"
PAPER: PdfMargins = {"top": "18mm", "bottom": "18mm", "left": "16mm", "right": "16mm"}
NUMBERED = (
    '<p style="font-size: 8px; text-align: center; width: 100%">'
    '<span class="pageNumber"></span></p>'
)
# A printed page cannot be unfolded.
UNFOLDED = "document.querySelectorAll('details').forEach(one => { one.open = true; })"


def browser() -> str | None:
    """Return the path of an installed Chromium, or None."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def print_book(target: Path) -> Path:
    """Print the book whose source was last assembled to `target`, and return it.

    Raises `BuildError` if there is no book yet, no Chromium, or if Sphinx or Chromium fails.
    """
    if not (places.HTML / "index.html").exists() or not places.SOURCE.exists():
        raise BuildError("no book yet; run make book first")
    program = browser()
    if program is None:
        raise BuildError(NO_BROWSER)
    page, half_made = one_page(), target.with_suffix(".part")
    try:
        _print(program, page, half_made)
    except Error as error:
        raise BuildError(f"Chromium did not print the book: {error.message}") from None
    half_made.replace(target)
    return target


def one_page() -> Path:
    """Render the assembled source as a single page, and return it."""
    shutil.rmtree(places.PRINTED, ignore_errors=True)
    jupyter_book = str(Path(sys.executable).with_name("jupyter-book"))
    single = ["--builder", "custom", "--custom-builder", "singlehtml"]
    done = subprocess.run(
        [jupyter_book, "build", str(places.SOURCE), "--path-output", str(places.PRINTED), *single],
        env=os.environ | {"PYTHONPATH": str(places.HERE)},  # Sphinx imports the book's extensions
        capture_output=True,
        text=True,
        check=False,
    )
    page = places.PRINTED / "_build" / "singlehtml" / "index.html"
    if done.returncode != 0 or not page.exists():
        raise BuildError(f"the single page did not build: {complaints(done.stdout + done.stderr)}")
    return page


def _print(program: str, page: Path, target: Path) -> None:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        opened = chromium.new_page(color_scheme="light")
        opened.goto(page.as_uri(), wait_until="load")
        opened.evaluate(UNFOLDED)
        opened.pdf(
            path=str(target),
            format="A4",
            margin=PAPER,
            print_background=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=NUMBERED,
            outline=True,
            tagged=True,
        )
        chromium.close()
