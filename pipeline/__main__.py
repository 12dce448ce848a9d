"""`python -m pipeline book`: what the Makefile calls."""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from investigation.evidence import Findings, write_atomically
from pipeline import commandline, freshness, places, verdicts
from pipeline.faults import BuildError

COMMANDS = ("book", "rerun")


def main(words: list[str]) -> int:
    """Run one command; return the exit status."""
    command, *rest = words or [""]
    try:
        if command not in COMMANDS:
            raise BuildError(f"{command or 'nothing'}: no such command; there are book and rerun")
        given = commandline.variables(os.environ.get("MAKEFLAGS", ""), rest)
        with only_build():
            build(given, rerun=command == "rerun")
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


@contextmanager
def only_build() -> Iterator[None]:
    """Hold this folder's build. Raises `BuildError` where another one does."""
    places.BUILD.mkdir(exist_ok=True)
    try:
        with FileLock(places.BUILD / ".lock", timeout=0):
            yield
    except Timeout:
        raise BuildError("another build is running in this folder; wait for it to end") from None


def build(given: Mapping[str, str], *, rerun: bool = False) -> None:
    """Execute what is out of date, judge the claims, make the pages."""
    started = time.monotonic()
    notebooks = places.discover()
    asked = commandline.one_notebook(given, notebooks)
    plan = planned([asked] if asked else notebooks, commandline.parameters(given))
    if rerun and asked is None:
        raise BuildError("rerun needs NOTEBOOK=, such as NOTEBOOK=01_broadcasting")
    executed = run_outdated(plan, force=rerun)
    missing = [one.stem for one in notebooks if not (places.RESULTS / f"{one.stem}.json").exists()]
    if missing:
        print(f"executed; the pages wait for {', '.join(missing)}: run make book")
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


def run_outdated(plan: Mapping[Path, Mapping[str, object]], *, force: bool) -> int:
    """Execute the notebooks whose products are not current; return how many."""
    outdated = {
        notebook: parameters
        for notebook, parameters in plan.items()
        if force or not freshness.is_current(notebook, parameters)
    }
    if outdated:
        from pipeline import execution
    for index, (notebook, parameters) in enumerate(outdated.items(), start=1):
        execution.execute(notebook, parameters, f"[{index}/{len(outdated)}]")
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
    for path in (places.CONFIG, places.CLAIMS, *sources, *executed, *pipeline):
        digest.update("/".join(path.parts[-2:]).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
