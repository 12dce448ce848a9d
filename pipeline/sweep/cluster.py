"""Measure the cells of a sweep on a Dask cluster: this machine's own, or one that is running.

A worker offers the resource `timing` once, so it times one cell at a time; a machine with
several workers has its lock besides (`cells`). Another worker gets what a lost
worker was measuring; what was finished is on disk and never measured again.
"""

import logging
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from distributed import Client, Future, LocalCluster, as_completed
from tqdm.auto import tqdm

from investigation.evidence.files import EvidenceError, read, write_atomically
from investigation.evidence.kinds.timings import Timing
from investigation.evidence.records import Evidence
from pipeline import places
from pipeline.faults import BuildError
from pipeline.sweep import cells
from pipeline.sweep.cells import Cell

TIMING = "timing"
RETRIES = 1  # of a cell that fails: a control can fail by chance
CONNECT_S = 10
LOOPBACK = "127.0.0.1"

Measure = Callable[[str], str]
Progress = Callable[[Client, int], None]


@dataclass(frozen=True)
class Outcome:
    """What became of a cell: its evidence, or why there is none."""

    cell: Cell
    evidence: Evidence | None
    failure: str = ""


def outcomes(
    wanted: list[Cell], scheduler: str | None, workers: int, measure: Measure = cells.measure
) -> list[Outcome]:
    """Return what became of every cell, with a cluster if any is yet to be measured."""
    if all(result_of(cell) for cell in wanted):
        return [Outcome(cell, result_of(cell)) for cell in wanted]
    with connected(scheduler, workers) as client:
        print(f"{len(wanted)} cells; {client.dashboard_link} shows where they stand", flush=True)
        return run(client, wanted, measure)


@contextmanager
def connected(scheduler: str | None, workers: int) -> Iterator[Client]:
    """Give a client of a running scheduler, or of a cluster of this machine's own.

    Raises `BuildError` if no scheduler answers, or none of its workers may time anything.
    """
    if scheduler is None:
        with _own_cluster(workers) as own, Client(own) as client:
            yield client
        return
    try:
        client = Client(scheduler, timeout=CONNECT_S)
    except (OSError, ValueError) as error:
        raise BuildError(f"SCHEDULER={scheduler}: no scheduler answers there ({error})") from None
    with client:
        _refuse_without_timing(client, scheduler)
        yield client


def _own_cluster(workers: int) -> LocalCluster:
    for leftover in ("staging", "workers"):  # of a sweep that was killed
        shutil.rmtree(places.SWEEPS / leftover, ignore_errors=True)
    return LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        resources={TIMING: 1},
        host=LOOPBACK,
        dashboard_address=f"{LOOPBACK}:0",
        local_directory=str(places.SWEEPS / "workers"),
        silence_logs=logging.CRITICAL,  # a cell that fails is printed once, at the end
        memory_limit=None,  # kernels are processes of their own, which Dask would not count
    )


def _refuse_without_timing(client: Client, scheduler: str) -> None:
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    if not any(worker.get("resources", {}).get(TIMING) for worker in workers):
        raise BuildError(
            f"SCHEDULER={scheduler}: none of its {len(workers)} workers offers the resource "
            f'{TIMING}; start one a machine with --resources "{TIMING}=1"'
        )


def run(
    client: Client,
    wanted: list[Cell],
    measure: Measure = cells.measure,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Measure what has no result yet; return what became of every cell, in order."""
    done = {cell.key: Outcome(cell, result_of(cell)) for cell in wanted}
    missing = {cell.key: cell for cell in wanted if done[cell.key].evidence is None}
    submitted = {_submit(client, cell, measure): cell for cell in missing.values()}
    with tqdm(total=len(wanted), initial=len(wanted) - len(missing), unit="cell") as bar:
        for count, future in enumerate(as_completed(submitted), start=1):
            cell = submitted[future]
            done[cell.key] = _outcome(cell, future)
            bar.update()
            if progress:
                progress(client, count)
    return [done[cell.key] for cell in wanted]


def _submit(client: Client, cell: Cell, measure: Measure) -> Future[str]:
    return client.submit(
        measure,
        cell.model_dump_json(),
        key=f"cell-{cell.key}",
        resources={TIMING: 1},
        retries=RETRIES,
    )


def _outcome(cell: Cell, future: Future[str]) -> Outcome:
    """Return what became of a cell that was measured.

    If a result was lost with its worker before it was fetched, Dask measures it again.
    """
    try:
        result = future.result()
    except Exception as error:  # whatever a worker may raise
        return Outcome(cell, None, (str(error) or repr(error)).splitlines()[0])
    if result_of(cell) is None:  # another machine measured it, on its own disk
        write_atomically(cell.result, result)
    evidence = result_of(cell)
    if evidence is None:
        return Outcome(cell, None, "its result cannot be read")
    measured_with = evidence.environment.torch.partition("+")[0]
    if measured_with != cell.torch:
        shutil.rmtree(cell.folder)
        return Outcome(cell, None, f"measured with torch {measured_with}, asked was {cell.torch}")
    return Outcome(cell, evidence)


def result_of(cell: Cell) -> Evidence | None:
    """Return a cell's result if it is here and can be used."""
    try:
        return read(cell.result)
    except EvidenceError:
        return None


def rows(outcomes: list[Outcome]) -> Iterator[Mapping[str, Any]]:
    """Iterate over one row a measurement of each cell; one row for a cell that failed."""
    for outcome in outcomes:
        cell = {
            "notebook": outcome.cell.notebook,
            "torch": outcome.cell.torch,
            **outcome.cell.parameters,
        }
        if outcome.evidence is None:
            yield {**cell, "failure": outcome.failure}
            continue
        measurements = [
            _measurement(record)
            for record in outcome.evidence.records
            if isinstance(record, Timing)
        ]
        environment = outcome.evidence.environment
        where = {"processor": environment.processor, "accelerator": environment.accelerator}
        yield from (
            {**cell, **measurement, **where, "failure": ""} for measurement in measurements or [{}]
        )


def _measurement(timing: Timing) -> dict[str, Any]:
    low, high = timing.interval
    return {
        "record": timing.statement,
        "ratio": timing.ratio,
        "low": low,
        "high": high,
        "verdict": timing.verdict,
    }
