"""`make fix SRC=path`: show what a code base looks like without its expansions, or write it.

The diff goes to standard output, everything else to standard error. Exit status: 0 shown,
written or nothing to do; 1 where something was asked that could not be done.
"""

import io
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from investigation.fix import rewriting, sources
from investigation.fix.findings import RulesError
from investigation.fix.rewriting import Remark, Report
from investigation.fix.sources import LeftAsItIsError
from pipeline.commandline import variables
from pipeline.faults import BuildError, refused_by_the_system

ALLOWED = {
    "SRC": "allowed is a Python file or a folder of them, such as SRC=src",
    "APPLY": "allowed is 1, to write what is shown, or 0",
}
CHECK = (
    "note: expand_as refuses a tensor that does not fit; without it the result grows, except in "
    "place.\nWhere a wrong shape can arrive, check the result: assert result.shape == x.shape"
)


def main(words: list[str]) -> int:
    """Run the command; return the exit status."""
    try:
        return run(request(variables(os.environ.get("MAKEFLAGS", ""), words)))
    except BrokenPipeError:  # whoever read the diff has seen enough; nothing is written then
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (BuildError, RulesError) as error:
        tell(f"error: {error}")
    except OSError as error:
        tell(f"error: {refused_by_the_system(error)}")
    except KeyboardInterrupt:
        tell("error: stopped; each file is either as it was or wholly rewritten")
    return 1


def run(asked: "Request") -> int:
    """Find, show and perhaps write; return the exit status."""
    report = rewriting.examine(asked.root)
    show(report)
    refused = write(report) if asked.apply else []
    tell(*refused, summary(report, len(refused), asked.apply))
    return 1 if refused or report.unreadable else 0


@dataclass(frozen=True)
class Request:
    """What a person asked for: where to look, and whether to write."""

    root: Path
    apply: bool


def request(given: Mapping[str, str]) -> Request:
    """Return what was asked. Raises `BuildError` with one line that says what is allowed."""
    unknown = [name for name in given if name not in ALLOWED]
    if unknown:
        raise BuildError(f"{unknown[0]}: no such parameter; there are {', '.join(ALLOWED)}")
    if not given.get("SRC"):
        raise BuildError(f"fix needs SRC=: {ALLOWED['SRC']}")
    return Request(_root(given["SRC"]), _apply(given.get("APPLY", "0")))


def _root(typed: str) -> Path:
    root = Path(typed).expanduser()
    if not root.exists():
        raise BuildError(f"SRC={typed}: no such file or folder; {ALLOWED['SRC']}")
    if not (root.is_dir() or (root.is_file() and root.suffix == ".py")):
        raise BuildError(f"SRC={typed}: another kind of file; {ALLOWED['SRC']}")
    # A link is followed where it is named, so that what is replaced is the file and not the link.
    return root.resolve() if root.is_symlink() else root


def _apply(typed: str) -> bool:
    if typed not in ("0", "1"):
        raise BuildError(f"APPLY={typed}: {ALLOWED['APPLY']}")
    return typed == "1"


def show(report: Report) -> None:
    """Print the diff, then what a person has to look at."""
    for change in report.changes:
        sys.stdout.buffer.writelines(io.BytesIO(change.diff()))
    sys.stdout.flush()
    tell(*report.warnings, *report.unparsed, *report.unreadable)


def write(report: Report) -> list[Remark]:
    """Write every change; return the files that could not be written."""
    refused = []
    for change in report.changes:
        try:
            sources.write(change.source.path, change.after)
        except LeftAsItIsError as reason:
            refused.append(Remark(change.source.path, 0, str(reason)))
    return refused


def summary(report: Report, refused: int, applied: bool) -> str:
    """Return what was done, in a line; and what it takes away, where it takes away anything."""
    warned = f"; {_counted(len(report.warnings), 'warning')}" if report.warnings else ""
    if not report.changes:
        return f"nothing to rewrite{warned}"
    what = f"{_counted(report.expansions, 'expansion')} in {_counted(len(report.changes), 'file')}"
    how = f"written, {refused} refused" if refused else "written" if applied else "shown"
    hint = "" if applied else "; APPLY=1 writes"
    return f"{CHECK}\n{what} {how}{hint}{warned}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def tell(*remarks: object) -> None:
    """Print one remark a line, apart from the diff."""
    for one in remarks:
        print(one, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
