"""`python -m pipeline book`: what the Makefile calls.

Exit status: 0 done, 1 not done, 130 stopped. That of `compare` is diff's: 1 a verdict changed,
2 no comparison.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from investigation import manifest
from investigation.evidence import EvidenceError, Findings, write_atomically
from investigation.manifest import RecordError
from pipeline import (
    auditing,
    commandline,
    comparing,
    comparison_pages,
    freshness,
    guard,
    places,
    promotion,
    publishing,
    recovery,
    runs,
    serving,
    verdicts,
)
from pipeline.commandline import Request
from pipeline.faults import STOPPED, BuildError, refused_by_the_system

STOPPED_STATUS = 130  # a shell's, for a command that was interrupted


def main(words: list[str]) -> int:
    """Run one command; return the exit status."""
    failed = 2 if words[:1] == ["compare"] else 1
    try:
        asked = commandline.request(words, os.environ.get("MAKEFLAGS", ""))
        return COMMANDS[asked.command](asked)
    except (BuildError, EvidenceError, RecordError) as error:
        return _refused(str(error), failed)
    except OSError as error:
        return _refused(refused_by_the_system(error), failed)
    except KeyboardInterrupt:
        return _refused(STOPPED, STOPPED_STATUS)


def _refused(reason: str, status: int) -> int:
    print(f"error: {reason}", file=sys.stderr)
    return status


def book(asked: Request) -> int:
    """Build what is out of date, or execute one notebook again; return the exit status."""
    with only_build(), guard.watched(str(places.BUILD)):
        directions = asked.directions
        build(
            asked.parameters,
            notebook=directions.notebook,
            time_limit_s=directions.time_limit_s,
            rerun=asked.command == "rerun",
        )
    return 0


def compare(asked: Request) -> int:
    """Put two runs side by side; return 1 where a verdict changed, else 0."""
    base, head = (
        runs.read_run(one) for one in (asked.directions.base or places.BUILD, asked.directions.head)
    )
    comparison = comparing.compare(base, head)
    page = comparison_pages.write(comparison, places.BUILD / "compare")
    print(comparison_pages.text(comparison))
    print(f"open {os.path.relpath(page)}")
    return int(bool(comparison.changed))


def sweep(asked: Request) -> int:
    """Measure every cell of a grid that is not measured yet; return 1 where one failed."""
    from pipeline import grid, sweep, sweep_pages  # Dask takes seconds to load

    path, scheduler = asked.directions.spec or Path(), asked.directions.scheduler
    spec = grid.read(path, elsewhere=scheduler is not None)
    wanted = grid.cells(spec)
    with only_build(), guard.watched(str(places.BUILD)):
        outcomes = sweep.outcomes(wanted, scheduler, asked.directions.workers)
        page = sweep_pages.write(list(sweep.rows(outcomes)), spec.varied, places.SWEEPS / path.stem)
    failed = [one for one in outcomes if one.failure]
    for one in failed:
        print(f"error: {one.cell.notebook} {dict(one.cell.parameters)}: {one.failure}",
              file=sys.stderr)  # fmt: skip
    print(f"{len(wanted) - len(failed)} of {len(wanted)} cells have their result")
    print(f"open {os.path.relpath(page)}")
    return int(bool(failed))


def seal(asked: Request) -> int:
    """Check and seal the records of one machine; return the exit status."""
    sealed = manifest.seal(places.RECORDED / str(asked.directions.machine))
    for name, record in sealed.records.items():
        print(f"{record.kind:12} {record.size_bytes:>9} bytes  {name}")
    return 0


def audit(asked: Request) -> int:
    """Look the requirements up among known vulnerabilities; return 1 where one has any."""
    del asked  # it takes no variables
    return auditing.audit()


def serve(asked: Request) -> int:
    """Serve the built book on this machine until interrupted; return the exit status."""
    serving.serve(asked.directions.port)
    return 0


COMMANDS: Mapping[str, Callable[[Request], int]] = {
    "book": book,
    "rerun": book,
    "compare": compare,
    "sweep": sweep,
    "seal": seal,
    "audit": audit,
    "serve": serve,
}


@contextmanager
def only_build() -> Iterator[None]:
    """Hold this folder's build. Raises `BuildError` where another one does."""
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
) -> None:
    """Execute what is out of date, of one notebook or of all; judge the claims; make the pages."""
    started = time.monotonic()
    manifest.verify_all(places.RECORDED)
    recovery.carry_on()
    notebooks = places.discover()
    plan = planned([one for one in notebooks if notebook in (None, one.stem)], parameters)
    executed = run_outdated(plan, force=rerun, time_limit_s=time_limit_s)
    waiting = [one.stem for one in notebooks if not promotion.matching(one)]
    if waiting:
        print(f"executed; the pages wait for {', '.join(waiting)}: run make book")
        return
    pages = make_pages(notebooks)
    print(f"{executed} executed, pages {pages}, {time.monotonic() - started:.0f} s")
    print(f"open {os.path.relpath(places.HTML / 'index.html')}")


# What a build with nothing to do does not need is imported where it is needed: papermill and
# nbformat take seconds.


def planned(
    notebooks: list[Path], parameters: Mapping[str, object]
) -> Mapping[Path, Mapping[str, object]]:
    """Return the parameters that each notebook is to run with."""
    if not parameters:
        return {notebook: {} for notebook in notebooks}
    from pipeline.notebooks import chosen

    return chosen(notebooks, parameters)


def run_outdated(
    plan: Mapping[Path, Mapping[str, object]], *, force: bool, time_limit_s: float | None = None
) -> int:
    """Execute the notebooks whose products are not current; return how many."""
    outdated = {
        notebook: parameters
        for notebook, parameters in plan.items()
        if force or not freshness.is_current(notebook, parameters)
    }
    if outdated:
        from pipeline import execution
    for index, (notebook, parameters) in enumerate(outdated.items(), start=1):
        execution.execute(
            notebook, parameters, f"[{index}/{len(outdated)}]", time_limit_s=time_limit_s
        )
    return len(outdated)


def make_pages(notebooks: list[Path]) -> str:
    """Judge the claims and render the book where anything that it shows has changed."""
    evidences = verdicts.gather(notebooks)
    findings = Findings(evidences)
    verdicts.write_claims(findings)
    stamp = places.STAMPS / "html.json"
    inputs = page_inputs(notebooks)
    page = places.HTML / "index.html"
    if page.exists() and stamp.exists() and json.loads(stamp.read_text("utf-8")) == inputs:
        return "up to date"
    from pipeline import assembly, rendering

    assembly.assemble(evidences, verdicts.claims(findings))
    rendering.render()
    write_atomically(stamp, json.dumps(inputs))
    return "rendered"


def page_inputs(notebooks: list[Path]) -> str:
    """Return a digest of everything that the pages are made from."""
    digest = hashlib.sha256()
    sources = (path for path in sorted(places.BOOK.rglob("*")) if path.is_file())
    executed = (places.EXECUTED / one.name for one in notebooks)
    pipeline = sorted(Path(__file__).parent.glob("*.py"))
    digest.update(repr(publishing.publication()).encode())
    for path in (places.CONFIG, places.CLAIMS, *sources, *executed, *pipeline):
        digest.update("/".join(path.parts[-2:]).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
