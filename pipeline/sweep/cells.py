"""One cell of a sweep, measured in a process of its own, and kept under its key.

A worker calls `measure`, which starts this module as a script; light imports keep a worker's
start short. The script ends with its worker, and holds the machine's timing lock meanwhile, so
that two timings never share a machine, whichever workers, sweeps or folders they belong to.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field

from pipeline import guard, places
from pipeline.sweep import environments

KEY = r"^[0-9a-f]{32}$"


class CellError(Exception):
    """A cell that could not be measured; the message gives the reason."""


class Cell(BaseModel):
    """One notebook and one choice of every axis; `key` digests all that its result depends on.

    `packages` are the requirements beside torch of an environment that is made for this cell and
    removed after it. None means an environment that is kept, with all that is locked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    notebook: str = Field(pattern=r"^\w+$")
    torch: str
    parameters: dict[str, Any]
    packages: tuple[str, ...] | None = None
    key: str = Field(pattern=KEY)

    @property
    def folder(self) -> Path:
        """The folder of the result, which may not exist yet."""
        return places.CELLS / self.key

    @property
    def result(self) -> Path:
        """The evidence in that folder."""
        return self.folder / f"{self.notebook}.json"


def measure(cell: str) -> str:
    """Measure a cell, given as JSON, unless its result is here; return its evidence as JSON.

    Raises `CellError` with the reason if it cannot be measured.
    """
    parsed = Cell.model_validate_json(cell)
    try:
        return measured(parsed, lambda: [_python(parsed), "-m", "pipeline.sweep.cells"])
    finally:
        if parsed.packages is not None:
            environments.remove(parsed.torch, parsed.packages)


def measured(cell: Cell, script: Callable[[], list[str]]) -> str:
    """Run a script with the cell as its word, unless the result is here; return the evidence.

    Raises `CellError` with the reason if there is none.
    """
    if not is_kept(cell):
        _in_a_process(cell, script())
    return cell.result.read_text(encoding="utf-8")


def is_kept(cell: Cell) -> bool:
    """Return whether a cell's result is here as JSON; a partial result is measured again."""
    try:
        return isinstance(json.loads(cell.result.read_bytes()), dict)
    except (OSError, ValueError):
        return False


def _in_a_process(cell: Cell, script: list[str]) -> None:
    """Run a script on the cell, and end it together with this process.

    The script reads the pipe that is its standard input (`as_script`).
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        started = subprocess.Popen(
            [*script, cell.model_dump_json()],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            cwd=places.HERE,
            env=_environment(),
        )
        status = started.wait()
        output.seek(0)
        lines = [line for line in output.read().splitlines() if line.strip()]
    if status or not cell.result.exists():
        raise CellError(_reason(lines) or f"its process ended with status {status}")


def _environment() -> dict[str, str]:
    """Return this process's environment, less what concerns only the command that make ran."""
    own = {key: value for key, value in os.environ.items() if key not in (guard.MAKER, "MAKEFLAGS")}
    return own | {"PYTHONPATH": str(places.HERE)}


def _reason(lines: list[str]) -> str:
    """Return the complaint of a process: its error line, or else its last line."""
    own = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    return (own or lines or [""])[-1]


def _python(cell: Cell) -> str:
    if not environments.is_ready(cell.torch, cell.packages):
        with timing():  # what is installed meanwhile would be timed too
            environments.make(cell.torch, cell.packages)
    return environments.python_with(cell.torch, cell.packages)


@contextmanager
def timing() -> Iterator[None]:
    """Hold this machine's right to time something; wait for it."""
    name = f"expand-as-timing-{os.getuid()}.lock"
    with FileLock(Path(tempfile.gettempdir()) / name):
        yield


def main(words: list[str]) -> int:
    """Measure the cell that is given as JSON; return the exit status."""
    return as_script(words, _execute)


def as_script(words: list[str], execute: Callable[[Cell, str], None]) -> int:
    """Execute the cell that is given as JSON, alone on this machine; return the exit status.

    `execute` keeps the cell's result, whole or not at all; it is given the mark of the processes
    that may not outlive this one.
    """
    from pipeline.faults import BuildError

    cell = Cell.model_validate_json(words[0])
    threading.Thread(target=_end_with_the_worker, daemon=True).start()
    try:
        with guard.watched(str(cell.folder)) as mark, timing():
            if not is_kept(cell):
                execute(cell, mark)
    except (BuildError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _end_with_the_worker() -> None:
    while os.read(sys.stdin.fileno(), 1):  # unbuffered: nothing to close when this ends first
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _execute(cell: Cell, mark: str) -> None:
    """Execute the cell's notebook and keep its result, whole or not at all."""
    from pipeline.chapters import execution, notebooks, promotion

    notebook = places.NOTEBOOKS / f"{cell.notebook}.ipynb"
    staging = places.SWEEPS / "staging" / cell.key
    for leftover in (staging, cell.folder):  # what was killed half-way, and what cannot be read
        shutil.rmtree(leftover, ignore_errors=True)
    staging.mkdir(parents=True)
    limit = notebooks.time_limit(notebook, cell.parameters)
    execution.run(notebook, staging, cell.parameters, limit, mark, cell.key)
    promotion.prepare(notebook, staging, cell.key)
    cell.folder.parent.mkdir(parents=True, exist_ok=True)
    staging.rename(cell.folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
