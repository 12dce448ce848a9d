"""Build the book: execute what is out of date, judge the claims, make the pages.

What a build with nothing to do does not need is imported where it is needed: papermill and
nbformat take seconds.
"""

import hashlib
import itertools
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from investigation.evidence.files import write_atomically
from investigation.evidence.questions import Findings
from investigation.evidence.sealed import machines, manifest
from pipeline import places
from pipeline.chapters import freshness, promotion, recovery
from pipeline.faults import BuildError
from pipeline.pages import publishing, verdicts


@contextmanager
def only_build() -> Iterator[None]:
    """Hold this folder's build. Raises `BuildError` if another one does."""
    places.BUILD.mkdir(exist_ok=True)
    try:
        with FileLock(places.BUILD / ".lock", timeout=0):
            yield
    except Timeout:
        raise BuildError("another build is running in this folder; wait for it to end") from None


def build(
    parameters: Mapping[str, object],
    *,
    notebook: str | None = None,
    time_limit_s: float | None = None,
    rerun: bool = False,
    alone_when_timed: bool = True,
    keep_going: bool = False,
) -> None:
    """Execute what is out of date, of one notebook or of all; judge the claims; make the pages.

    Without `alone_when_timed` a chapter that times something may run beside another, so that its
    times mean nothing: for a build whose pages matter and whose numbers do not. Raises
    `BuildError` if a notebook fails; with `keep_going`, when the others have run. With it, what a
    notebook prints as a warning does not stop the pages either.
    """
    started = time.monotonic()
    manifest.verify_all(places.RECORDED)
    recovery.carry_on()
    notebooks = places.discover()
    plan = planned([path for path in notebooks if notebook in (None, path.stem)], parameters)
    outdated = outdated_of(plan, force=rerun)
    if outdated:
        from pipeline.chapters import timetable

        timetable.Execution(outdated, time_limit_s, alone_when_timed, keep_going).execute()
    waiting = [path.stem for path in notebooks if not promotion.matching(path)]
    if waiting:
        print(f"executed; the pages wait for {', '.join(waiting)}: run make book")
        return
    pages = make_pages(notebooks, strict=not keep_going)
    print(f"{len(outdated)} executed, pages {pages}, {time.monotonic() - started:.0f} s")
    print(f"open {os.path.relpath(places.HTML / 'index.html')}")


def planned(
    notebooks: list[Path], parameters: Mapping[str, object]
) -> Mapping[Path, Mapping[str, object]]:
    """Return the parameters for the run of each notebook."""
    if not parameters:
        return {notebook: {} for notebook in notebooks}
    from pipeline.chapters.notebooks import chosen

    return chosen(notebooks, parameters)


def outdated_of(
    plan: Mapping[Path, Mapping[str, object]], *, force: bool
) -> dict[Path, Mapping[str, object]]:
    """Return the notebooks whose products are not current, with their parameters."""
    outdated: dict[Path, Mapping[str, object]] = {}
    for notebook, parameters in plan.items():  # a chapter comes after those whose evidence it reads
        follows = {path.stem for path in outdated}.intersection(freshness.reads(notebook))
        if force or follows or not freshness.is_current(notebook, parameters):
            outdated[notebook] = parameters
    return outdated


def is_current() -> bool:
    """Tell whether a build with a reader's parameters would find nothing to do."""
    notebooks = places.discover()
    if outdated_of(planned(notebooks, {}), force=False):
        return False
    return places.CLAIMS.exists() and pages_are_made(page_inputs(notebooks))


def pages_are_made(inputs: str) -> bool:
    """Tell whether the book that is here was made from these inputs, whose digest is given."""
    stamp, page = places.STAMPS / "html", places.HTML / "index.html"
    return page.exists() and stamp.exists() and stamp.read_text("utf-8") == inputs


def make_pages(notebooks: list[Path], *, strict: bool = True) -> str:
    """Judge the claims and render the book if anything that it shows has changed."""
    evidences = verdicts.gather(notebooks)
    findings = Findings(evidences, machines.recorded(places.RECORDED))
    verdicts.write_claims(findings)
    inputs = page_inputs(notebooks)
    if pages_are_made(inputs):
        return "up to date"
    from pipeline.pages import assembly, rendering

    # From here on what is there may be of other inputs than the stamp says.
    (places.STAMPS / "html").unlink(missing_ok=True)
    assembly.assemble(evidences, verdicts.claims(findings))
    rendering.render(strict=strict)
    if strict:  # else the next build would take pages with warnings for good ones
        write_atomically(places.STAMPS / "html", inputs)
    return "rendered"


def page_inputs(notebooks: list[Path]) -> str:
    """Return a digest of everything that the pages are made from.

    Of the code, all of it: a chapter that imports a changed module has just been executed again,
    so its page is made anew in any case.
    """
    digest = hashlib.sha256()
    digest.update(repr(publishing.publication()).encode())
    products = (path for notebook in notebooks for path in freshness.products(notebook))
    recorded = places.RECORDED / manifest.VERSIONS
    folders = (places.BOOK, places.PACKAGE, places.HERE / "pipeline", recorded)
    sources = (_files(folder) for folder in folders)
    for path in (places.CONFIG, places.CLAIMS, *products, *itertools.chain(*sources)):
        digest.update("/".join(path.parts[-2:]).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _files(folder: Path) -> list[Path]:
    paths = (path for path in folder.rglob("*") if "__pycache__" not in path.parts)
    return sorted(path for path in paths if path.is_file())
