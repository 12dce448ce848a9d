"""What Dask's workers do in the tests of sweeps, instead of timing anything: imported by them."""

import json
import time
from pathlib import Path

from pipeline.sweep import cells
from pipeline.sweep.cells import Cell, CellError

TAKES_S = 0.05


def tiny(cell: str) -> str:
    """Hold the machine as a timing would, and note when; return the evidence that is given.

    As a real cell does, it keeps what is finished for its worker's successor.
    """
    parsed = Cell.model_validate_json(cell)
    folder = Path(parsed.parameters["folder"])
    finished = folder / f"{parsed.key}.finished"
    evidence = (folder / "evidence.json").read_text()
    if finished.exists():
        return evidence
    with cells.timing():
        began = time.monotonic()
        time.sleep(TAKES_S)
        note = json.dumps([parsed.key, began, time.monotonic()])
        with (folder / "log").open("a") as log:
            log.write(f"{note}\n")
    if parsed.parameters["seed"] < 0:
        raise CellError(f"control failed with seed {parsed.parameters['seed']}\nand more")
    finished.touch()
    return evidence
