"""`make fix SRC=path`: show what a code base looks like without its expansions, or write it.

The diff goes to standard output, everything else to standard error.
"""

import io
import os
import sys
from pathlib import Path

from investigation.fix import rewriting, sources
from investigation.fix.findings import RulesError
from investigation.fix.rewriting import Remark, Report
from investigation.fix.sources import LeftAsItIsError
from pipeline.faults import BuildError

CHECK = (
    "note: expand_as refuses a tensor that does not fit; without it the result grows, except in "
    "place.\nWhere a wrong shape can arrive, check the result: assert result.shape == x.shape"
)
STOPPED = "stopped; each file is either as it was or wholly rewritten"


def fix(root: Path, *, apply: bool) -> int:
    """Find, show and perhaps write; return 1 if something could not be done, else 0.

    Raises `BuildError` if it is stopped, or the rules cannot be read.
    """
    try:
        return _fix(root, apply=apply)
    except BrokenPipeError:  # the reader of the diff closed it; nothing is written then
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except RulesError as error:
        raise BuildError(str(error)) from None
    except KeyboardInterrupt:
        raise BuildError(STOPPED) from None


def _fix(root: Path, *, apply: bool) -> int:
    # A link is followed where it is named, so that what is replaced is the file and not the link.
    report = rewriting.examine(root.resolve() if root.is_symlink() else root)
    show(report)
    refused = write(report) if apply else []
    tell(*refused, summary(report, len(refused), apply))
    return 1 if refused or report.unreadable else 0


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
    """Return what was done, in a line; and what it takes away, if anything."""
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
    for remark in remarks:
        print(remark, file=sys.stderr)
