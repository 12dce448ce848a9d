"""`python -m pipeline book`: what the Makefile calls.

Exit status: 0 done, 1 not done, 130 stopped. That of `compare` is diff's: 1 a verdict changed,
2 no comparison.
"""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from investigation.evidence import manifest
from investigation.evidence.files import EvidenceError
from investigation.evidence.manifest import RecordError
from pipeline import (
    auditing,
    building,
    commandline,
    comparing,
    comparison_pages,
    gpu,
    guard,
    places,
    runs,
    serving,
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
    with building.only_build(), guard.watched(str(places.BUILD)):
        directions = asked.directions
        building.build(
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
    from pipeline import grid, sweep, sweep_pages

    path, scheduler = asked.directions.spec or Path(), asked.directions.scheduler
    spec = grid.read(path, elsewhere=scheduler is not None)
    wanted = grid.cells(spec)
    with building.only_build(), guard.watched(str(places.BUILD)):
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
    "gpu": gpu.measure,
    "record": gpu.record,
    "seal": seal,
    "audit": audit,
    "serve": serve,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
