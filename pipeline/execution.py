"""Run the notebooks that are out of date, each in a kernel of its own, one after the other."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError

from investigation import evidence
from pipeline import freshness, places
from pipeline.faults import BuildError
from pipeline.freshness import products
from pipeline.notebooks import declared_parameters

# A cell that runs longer than this hangs: the longest takes a few minutes.
CELL_TIMEOUT_S = 1200
# The profiler notes its start and stop on stderr, which a strict build takes for a warning; it
# reads its level when torch is loaded, so the kernel has to be born with it.
PROFILER_LOG_LEVEL = "99"
# Kernels listen on the loopback device only; the warning that they do so unencrypted is not news.
KERNEL_ARGUMENTS = ["--IPKernelApp.log_level=50"]


def execute(notebook: Path, parameters: Mapping[str, object], position: str) -> None:
    """Execute one notebook and put its pages and its evidence into place.

    Raises `BuildError` with notebook, cell and reason; the last good products stay.
    """
    unknown = sorted(set(parameters) - declared_parameters(notebook))
    if unknown:
        raise BuildError(f"{notebook.stem}: no parameter `{unknown[0]}` in its parameters cell")
    staging = places.STAGING / notebook.stem
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    output = staging / notebook.name
    os.environ["INVESTIGATION_RESULTS"] = str(staging)
    os.environ["KINETO_LOG_LEVEL"] = PROFILER_LOG_LEVEL
    try:
        _run(notebook, output, parameters, position)
    except BuildError:
        _keep_failed(output)
        raise
    _promote(notebook, staging, parameters)


def _run(notebook: Path, output: Path, parameters: Mapping[str, object], position: str) -> None:
    try:
        papermill.execute_notebook(
            str(notebook),
            str(output),
            dict(parameters),
            kernel_name="python3",
            cwd=str(places.NOTEBOOKS),
            execution_timeout=CELL_TIMEOUT_S,
            extra_arguments=KERNEL_ARGUMENTS,
            progress_bar=_progress(f"{position} {notebook.stem}"),
        )
    except PapermillExecutionError as error:
        reason = f"{error.ename}: {error.evalue}".splitlines()[0]
        raise BuildError(f"{notebook.stem}, cell {error.cell_index + 1}: {reason}") from None
    except CellTimeoutError:
        raise BuildError(f"{notebook.stem}: a cell ran longer than {CELL_TIMEOUT_S} s") from None
    except DeadKernelError:
        raise BuildError(
            f"{notebook.stem}: the kernel died; a machine short of memory ends it so"
        ) from None


def _progress(description: str) -> dict[str, object]:
    """Return the progress bar's settings: lively on a terminal, sparse in a log."""
    interval = 0.2 if sys.stderr.isatty() else 15
    return {"desc": description, "mininterval": interval, "ascii": True, "dynamic_ncols": True}


def _keep_failed(output: Path) -> None:
    if output.exists():
        places.FAILED.mkdir(parents=True, exist_ok=True)
        output.replace(places.FAILED / output.name)


def _promote(notebook: Path, staging: Path, parameters: Mapping[str, object]) -> None:
    """Move what a finished execution made to where the book reads it, the stamp last."""
    result = staging / f"{notebook.stem}.json"
    if not result.exists():
        raise BuildError(f"{notebook.stem}: it wrote no evidence; its last cell is chapter.close()")
    failed = evidence.read(result).failed_controls
    if failed:
        raise BuildError(f"{notebook.stem}: control {failed[0].id} failed: {failed[0].says}")
    page, kept = products(notebook)
    for target in (page, kept):
        target.parent.mkdir(parents=True, exist_ok=True)
    (staging / notebook.name).replace(page)
    result.replace(kept)
    shutil.rmtree(staging)
    (places.FAILED / notebook.name).unlink(missing_ok=True)
    freshness.write_stamp(notebook, parameters)
