"""The commands, each declared once: what it takes, and its help in the first line of its text.

`make` alone shows that line too, and has a target of each command's name.
"""

import os
import socket
import sys
from pathlib import Path

from investigation.evidence.sealed import manifest
from pipeline import building, guard, places
from pipeline.cli.commandline import Commands, Request
from pipeline.compare import comparing, comparison_pages, runs
from pipeline.faults import BuildError
from pipeline.upkeep import auditing

LOOPBACK = "127.0.0.1"  # what is served is for this machine only

commands = Commands(
    help="From notebooks to the published book. Exit status: 0 done, 1 not done, 130 stopped; "
    "that of compare is diff's: 1 a verdict changed or a chapter failed, 2 no comparison.",
    options_metavar="",
    subcommand_metavar="COMMAND [NAME=value]...",
    context_settings={"ignore_unknown_options": True},
)


@commands.command(takes=("notebook", "time_limit_s", "keep_going"), parameters=True)
def book(request: Request) -> int:
    """Execute what changed and build the book: build/html/index.html."""
    return _build(request, rerun=False)


@commands.command(needs=("notebook",), takes=("time_limit_s",), parameters=True)
def rerun(request: Request) -> int:
    """Execute one notebook again: make rerun NOTEBOOK=04_eager_cost."""
    return _build(request, rerun=True)


def _build(request: Request, *, rerun: bool) -> int:
    with building.only_build(), guard.watched(str(places.BUILD)):
        building.build(
            request.parameters,
            notebook=request.directions.notebook,
            time_limit_s=request.directions.time_limit_s,
            rerun=rerun,
            keep_going=request.directions.keep_going == "1",
        )
    return 0


@commands.command(needs=("base",), takes=("head",))
def compare(request: Request) -> int:
    """Put two runs side by side: make compare BASE=book.zip HEAD=build."""
    base, head = (
        runs.read_run(path)
        for path in (request.directions.base or places.BUILD, request.directions.head)
    )
    comparison = comparing.compare(base, head)
    page = comparison_pages.write(comparison, places.BUILD / "compare")
    print(comparison_pages.text(comparison))
    print(f"open {os.path.relpath(page)}")
    return int(bool(comparison.changed or comparison.failed))


@commands.command(needs=("spec",), takes=("scheduler", "workers"))
def sweep(request: Request) -> int:
    """Measure a grid of settings: make sweep SPEC=sweeps/example.toml."""
    from pipeline.sweep import cluster, grid, sweep_pages

    path, scheduler = request.directions.spec or Path(), request.directions.scheduler
    spec = grid.read(path, elsewhere=scheduler is not None)
    wanted = grid.cells(spec)
    with building.only_build(), guard.watched(str(places.BUILD)):
        outcomes = cluster.outcomes(wanted, scheduler, request.directions.workers)
        page = sweep_pages.write(
            list(cluster.rows(outcomes)), spec.varied, places.SWEEPS / path.stem
        )
    failed = [outcome for outcome in outcomes if outcome.failure]
    for outcome in failed:
        print(f"error: {outcome.cell.notebook} {dict(outcome.cell.parameters)}: {outcome.failure}",
              file=sys.stderr)  # fmt: skip
    print(f"{len(wanted) - len(failed)} of {len(wanted)} cells have their result")
    print(f"open {os.path.relpath(page)}")
    return int(bool(failed))


@commands.command(takes=("torch", "scheduler"))
def versions(request: Request) -> int:
    """Observe all that needs no clock under each torch: make versions TORCH=2.13.0,2.15.0."""
    from pipeline.sweep import cluster, versions

    wanted = versions.cells(versions.read(), request.directions.torch)
    with building.only_build(), guard.watched(str(places.BUILD)):
        # One at a time: an environment takes up to 9 GB.
        outcomes = cluster.outcomes(wanted, request.directions.scheduler, workers=1)
    for path in versions.keep(outcomes):
        print(f"recorded in {os.path.relpath(path)}")
    failed = [outcome for outcome in outcomes if outcome.failure]
    for outcome in failed:
        print(f"error: torch {outcome.cell.torch} is left out: {outcome.failure}", file=sys.stderr)
    return int(bool(failed))


@commands.command(takes=("time_limit_s",), parameters=True)
def gpu(request: Request) -> int:
    """Measure on this machine's GPU: make gpu DEVICE=cuda, or xpu, or mps."""
    from pipeline.cli import gpu

    gpu.measure(request.parameters, request.directions.time_limit_s)
    return 0


@commands.command(takes=("time_limit_s",), parameters=True)
def record(request: Request) -> int:
    """Keep what make gpu measured, under results; make gpu record does both."""
    from pipeline.cli import gpu

    del request  # its variables are those of make gpu, behind which it is asked for
    gpu.record()
    return 0


@commands.command(needs=("machine",))
def seal(request: Request) -> int:
    """Check and seal what was recorded on a machine: make seal MACHINE=epyc-2-cores."""
    sealed = manifest.seal(places.RECORDED / str(request.directions.machine))
    for name, record in sealed.records.items():
        print(f"{record.kind:12} {record.size_bytes:>9} bytes  {name}")
    return 0


@commands.command(needs=("src",), takes=("apply",))
def fix(request: Request) -> int:
    """Show a code base without its needless expansions: make fix SRC=path; APPLY=1 writes it.

    The diff goes to standard output, everything else to standard error.
    """
    from pipeline.cli import fix

    return fix.fix(request.directions.src or Path(), apply=request.directions.apply == "1")


@commands.command
def audit(request: Request) -> int:
    """Look the requirements up among known vulnerabilities."""
    del request  # it takes no variables
    return auditing.audit()


@commands.command
def pdf(request: Request) -> int:
    """Print the built book as one file, build/book.pdf."""
    from pipeline.pages import printing

    del request  # it takes no variables
    printed = printing.print_book(places.BUILD / "book.pdf")
    print(f"open {os.path.relpath(printed)}")
    return 0


@commands.command(takes=("port",))
def serve(request: Request) -> int:
    """Serve the built book on this machine: make serve PORT=8000."""
    port = request.directions.port
    if not (places.HTML / "index.html").exists():
        raise BuildError("no book yet; run make book first")
    try:
        socket.create_server((LOOPBACK, port)).close()
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise BuildError(f"PORT={port}: {reason}; PORT= takes another") from None
    words = ("-m", "http.server", "--bind", LOOPBACK, "--directory", str(places.HTML), str(port))
    os.execv(sys.executable, [sys.executable, *words])
