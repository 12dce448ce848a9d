"""Run the notebooks that are out of date, each in a kernel of its own, one after the other."""

import json
import os
import shutil
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import papermill
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError
from tqdm.auto import tqdm

from investigation.evidence.files import write_atomically
from pipeline import guard, places
from pipeline.chapters import freshness, promotion
from pipeline.chapters.notebooks import declared_parameters, time_limit
from pipeline.faults import BuildError

# The profiler notes its start and stop on stderr, which a strict build takes for a warning; it
# reads its level when torch is loaded, so the kernel has to be born with it.
PROFILER_LOG_LEVEL = "99"
# Kernels listen on the loopback device only; the warning that they do so unencrypted is not news.
KERNEL_ARGUMENTS = ["--IPKernelApp.log_level=50"]


def execute(
    notebook: Path,
    parameters: Mapping[str, object],
    position: str,
    time_limit_s: float | None = None,
) -> None:
    """Execute one notebook and put its pages and its evidence into place.

    Raises `BuildError` with notebook, cell and reason; the last good products stay.
    """
    unknown = sorted(set(parameters) - declared_parameters(notebook))
    if unknown:
        raise BuildError(f"{notebook.stem}: no parameter `{unknown[0]}` in its parameters cell")
    inputs = freshness.fingerprint(notebook, parameters)
    staging = places.STAGING / notebook.stem
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    limit = time_limit_s or time_limit(notebook, parameters)
    try:
        with kernel_environment(staging), guard.watched(str(places.BUILD)) as mark:
            run(notebook, staging, parameters, limit, mark, f"{position} {notebook.stem}")
        promotion.prepare(notebook, staging, inputs)
    except BuildError as error:  # kept for a comparison, which names a chapter that failed
        write_atomically(promotion.failure_of(notebook), f"{error}\n")
        raise
    promotion.promote(staging)


@contextmanager
def kernel_environment(staging: Path) -> Iterator[None]:
    """Tell the kernel where its evidence goes and lies, and this folder's package from others."""
    path = os.pathsep.join(filter(None, (str(places.HERE), os.environ.get("PYTHONPATH"))))
    told = {
        "INVESTIGATION_RESULTS": str(staging),
        "INVESTIGATION_EVIDENCE": str(places.RESULTS),
        "KINETO_LOG_LEVEL": PROFILER_LOG_LEVEL,
        "PYTHONPATH": path,
    }
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def run(
    notebook: Path,
    staging: Path,
    parameters: Mapping[str, object],
    limit_s: float,
    mark: str,
    description: str,
) -> None:
    """Execute one notebook into `staging`, at most for `limit_s` seconds.

    Raises `BuildError` with the cell and the reason, and keeps the failed page for a look.
    """
    output = staging / notebook.name
    over = threading.Event()
    limit = threading.Timer(limit_s, _end, (over, mark))
    limit.start()
    try:
        _run(notebook, output, parameters, description)
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


def _run(notebook: Path, output: Path, parameters: Mapping[str, object], description: str) -> None:
    papermill.execute_notebook(
        _literal(notebook),
        _literal(output),
        dict(parameters),
        kernel_name="python3",
        cwd=str(places.NOTEBOOKS),
        extra_arguments=KERNEL_ARGUMENTS,
        progress_bar=_progress(description),
    )


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
    """Return the number of the cell that a dead kernel was in, where the page tells."""
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
