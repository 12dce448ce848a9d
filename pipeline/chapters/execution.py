"""Run notebooks that are out of date, each in a kernel of its own."""

import json
import os
import shutil
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import papermill
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError
from tqdm.auto import tqdm

from investigation.evidence.files import write_atomically
from pipeline import guard, places
from pipeline.chapters import freshness, promotion
from pipeline.chapters.notebooks import declared_parameters, time_limit
from pipeline.faults import BuildError

# The profiler notes its start and stop on stderr, which a strict build takes for a warning; it
# reads its level when torch is loaded, so the kernel has to start with it.
PROFILER_LOG_LEVEL = "99"
# Kernels listen on the loopback device only; their warning of no encryption does not matter.
QUIET = "--IPKernelApp.log_level=50"
# Without -P the kernel would take its own modules from the notebooks' folder first.
KERNEL = KernelSpec(
    argv=[sys.executable, "-P", "-m", "pipeline.chapters.kernel", "-f", "{connection_file}", QUIET],
    display_name="Python 3",
    language="python",
)


def execute(
    notebook: Path,
    parameters: Mapping[str, object],
    position: str,
    build_mark: str,
    *,
    time_limit_s: float | None = None,
    quietly: bool = False,
) -> None:
    """Execute one notebook and put its pages and its evidence into place.

    What it starts carries `build_mark` with its own name behind, and ends with it. `quietly`
    shows no progress bar: two would write over each other. Raises `BuildError` with notebook,
    cell and reason; the last good products stay.
    """
    unknown = sorted(set(parameters) - declared_parameters(notebook))
    if unknown:
        raise BuildError(f"{notebook.stem}: no parameter `{unknown[0]}` in its parameters cell")
    inputs = freshness.fingerprint(notebook, parameters)
    staging = places.STAGING / notebook.stem
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    limit = time_limit_s or time_limit(notebook, parameters)
    mark = os.pathsep.join((build_mark, notebook.stem, ""))
    description = None if quietly else f"{position} {notebook.stem}"
    try:
        run(notebook, staging, parameters, limit, mark, description)
        promotion.prepare(notebook, staging, inputs)
    except BuildError as error:  # kept for a comparison, which names a chapter that failed
        write_atomically(promotion.failure_of(notebook), f"{error}\n")
        raise
    finally:
        guard.sweep(mark)
    promotion.promote(staging)


def kernel_environment(staging: Path, mark: str) -> dict[str, str]:
    """Return a kernel's environment: the folders of its evidence, and the mark of its build.

    This folder's package comes before any other.
    """
    path = os.pathsep.join(filter(None, (str(places.HERE), os.environ.get("PYTHONPATH"))))
    return os.environ | {
        "INVESTIGATION_RESULTS": str(staging),
        "INVESTIGATION_EVIDENCE": str(places.RESULTS),
        "KINETO_LOG_LEVEL": PROFILER_LOG_LEVEL,
        "PYTHONPATH": path,
        guard.MARK: mark,
    }


def run(
    notebook: Path,
    staging: Path,
    parameters: Mapping[str, object],
    limit_s: float,
    mark: str,
    description: str | None,
) -> None:
    """Execute one notebook into `staging`, at most for `limit_s` seconds.

    What it starts carries `mark`. Progress is shown behind `description`, or not at all. Raises
    `BuildError` with the cell and the reason, and keeps the failed page.
    """
    output = staging / notebook.name
    over = threading.Event()
    limit = threading.Timer(limit_s, _end, (over, mark))
    limit.start()
    try:
        _run(notebook, output, parameters, kernel_environment(staging, mark), description)
    except PapermillExecutionError as error:
        raise _failure(notebook, output, _why(error), error.cell_index + 1) from None
    except (DeadKernelError, RuntimeError) as error:
        raise _failure(notebook, output, _why_dead(error, over, limit_s)) from None
    finally:
        limit.cancel()
        _close_progress()


def _end(over: threading.Event, mark: str) -> None:
    """End a notebook that takes too long, with all that it has started."""
    over.set()
    guard.sweep(mark)


def _run(
    notebook: Path,
    output: Path,
    parameters: Mapping[str, object],
    environment: dict[str, str],
    description: str | None,
) -> None:
    papermill.execute_notebook(
        _literal(notebook),
        _literal(output),
        dict(parameters),
        kernel_name="python3",
        kernel_manager_class=manager(environment, places.NOTEBOOKS),
        progress_bar=_progress(description) if description else False,
    )


def manager(environment: dict[str, str], folder: Path) -> type[AsyncKernelManager]:
    """Return what starts a chapter's kernel in that environment and in that folder.

    papermill would change this process's own folder, which two notebooks at a time would share.
    """

    class Manager(AsyncKernelManager):
        kernel_spec = KERNEL

        # The class that it is derived from waits for it too.
        async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
            given = options | {"env": environment, "cwd": str(folder)}
            await super().start_kernel(**given)

    return Manager


def _literal(path: Path) -> str:
    """Return a path in which papermill finds nothing to fill in."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _why(error: PapermillExecutionError) -> str:
    """Return what a cell raised, in one line."""
    if error.ename == "MemoryError" or "can't allocate memory" in error.evalue:
        return f"it asked for more memory than there is ({error.ename})"
    return f"{error.ename}: {error.evalue}".splitlines()[0]


def _why_dead(error: Exception, over: threading.Event, limit_s: float) -> str:
    if over.is_set():
        return f"it ran longer than its {limit_s:g} s; TIME_LIMIT= sets another limit"
    if isinstance(error, DeadKernelError) or "ernel died" in str(error):
        return "the kernel died; a machine short of memory ends it so"
    raise error


def _failure(notebook: Path, output: Path, reason: str, cell: int | None = None) -> BuildError:
    where = cell or _last_started(output)
    if output.exists():
        places.FAILED.mkdir(parents=True, exist_ok=True)
        output.replace(places.FAILED / output.name)
    return BuildError(f"{notebook.stem}{f', cell {where}' if where else ''}: {reason}")


def _last_started(output: Path) -> int | None:
    """Return the number of the cell that a dead kernel was in, if the page shows it."""
    try:
        cells = json.loads(output.read_text(encoding="utf-8"))["cells"]
    except (OSError, ValueError):
        return None
    started = [
        number
        for number, cell in enumerate(cells, start=1)
        if cell["metadata"].get("papermill", {}).get("start_time")
    ]
    return max(started, default=None)


def _progress(description: str) -> dict[str, object]:
    """Return the progress bar's settings: lively on a terminal, sparse in a log."""
    interval = 0.2 if sys.stderr.isatty() else 15
    return {"desc": description, "mininterval": interval, "ascii": True, "dynamic_ncols": True}


def _close_progress() -> None:
    """End the line of a bar that papermill left open, so that what went wrong has its own."""
    for bar in list(getattr(tqdm, "_instances", ())):
        bar.close()
