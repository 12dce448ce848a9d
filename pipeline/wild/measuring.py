"""Measure released networks, a cell a runtime, and keep what came out under `results/`."""

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from investigation.evidence.kinds.released import ReleasedProgram
from investigation.fix.catalogue import Catalogue
from investigation.fix.networks import ReleasedNetwork
from pipeline import guard
from pipeline.faults import BuildError
from pipeline.sweep import cluster
from pipeline.sweep.cells import Cell
from pipeline.sweep.cluster import Outcome
from pipeline.wild import networks, record

Tell = Callable[[str], None]


def measure(
    to_measure: Iterable[ReleasedNetwork],
    listed: Catalogue,
    patches: Path,
    scheduler: str | None,
    tell: Tell,
) -> int:
    """Measure each network in every runtime; return the exit status.

    What fails is named in a line, and the rest goes on. What was measured before an interruption
    is not measured again.
    """
    wanted: dict[str, list[Cell]] = {}
    for network in to_measure:
        try:
            wanted[network.name] = networks.cells_of(network, listed, patches)
        except BuildError as error:
            tell(f"error: {error}")
            wanted[network.name] = []
    cells = [cell for of_network in wanted.values() for cell in of_network]
    with guard.watched(str(networks.FOLDER)):
        outcomes = cluster.outcomes(cells, scheduler, 1, networks.measure)
    by_cell = {outcome.cell.key: outcome for outcome in outcomes}
    all_kept = [
        _keep(name, [by_cell[cell.key] for cell in mine], tell) for name, mine in wanted.items()
    ]
    return int(not all(all_kept))


def _keep(name: str, outcomes: Sequence[Outcome], tell: Tell) -> bool:
    """Record what was measured of one network; return whether all of it was."""
    for outcome in outcomes:
        if outcome.failure:
            tell(f"error: {name} in {outcome.cell.parameters['runtime']}: {outcome.failure}")
    measured = [outcome.evidence for outcome in outcomes if outcome.evidence is not None]
    for evidence in record.merged(measured):
        for program in evidence.records:
            if isinstance(program, ReleasedProgram) and program.refused:
                tell(f"{name} in {program.runtime}: {program.refused}")
        tell(record.put(record.NETWORK.format(name), evidence))
    if not outcomes or len(measured) < len(outcomes):
        return False
    for outcome in outcomes:  # the next command measures it again
        shutil.rmtree(outcome.cell.folder, ignore_errors=True)
    return True
