"""A GPU's measurements as a file that travels: written by a run, checked, and shown beside others.

A run on a GPU writes `build/record/<machine>/gpu.json`, sealed. `make record` checks it and puts
it under `results/<machine>/`, where the chapter finds it on every machine. The file is evidence
like a chapter's; its timings are those of `investigation.evidence.sealed.gpu_plan`.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from investigation.evidence import files
from investigation.evidence.environment import PROJECT
from investigation.evidence.files import EvidenceError
from investigation.evidence.kinds.gpus import DeviceFacts
from investigation.evidence.parameters import Parameters
from investigation.evidence.records import Evidence, Record
from investigation.evidence.sealed import gpu_plan, manifest
from investigation.evidence.sealed.manifest import RESULTS, RecordError

NAME = "gpu.json"
BUILT = PROJECT / "build" / "record"


def machine_name(accelerator: str) -> str:
    """Return the folder's name for a device: `NVIDIA H200` is `nvidia-h200`."""
    return re.sub(r"[^a-z0-9]+", "-", accelerator.lower()).strip("-")


def write(measured: Evidence, built: Path = BUILT) -> Path:
    """Write a run's measurements into a folder of its machine's name, sealed; return the folder.

    Raises `RecordError` for a run that was not on a GPU.
    """
    folder = built / machine_name(_gpu_of(measured, NAME))
    shutil.rmtree(folder, ignore_errors=True)
    files.write(measured, folder / NAME)
    manifest.seal(folder)
    return folder


def _gpu_of(measured: Evidence, path: Path | str) -> str:
    """Return the GPU that a record is of. Raises `RecordError` if it is of no GPU."""
    accelerator = measured.environment.accelerator
    if accelerator is None or measured.parameters.get("device") in (None, "cpu"):
        raise RecordError(f"{path}: measured on the processor; DEVICE=cuda measures a GPU")
    return accelerator


def missing(measured: Evidence) -> list[str]:
    """Return in words what a run with these parameters records and this one lacks.

    The parameters were checked where they were used: another machine may have less memory.
    """
    parameters = Parameters.model_construct(**measured.parameters)
    expected = (
        DeviceFacts.model_construct(statement="the device"),
        *(step.expected(parameters.device) for step in gpu_plan.plan(parameters)),
    )
    present = {record.identity for record in measured.records}
    return [record.statement for record in expected if record.identity not in present]


def checked(folder: Path) -> Evidence:
    """Return a record that can be shown.

    Raises `RecordError` with the file and the reason: edited, truncated or unsealed; a failed
    control; a run that was not on a GPU; or measurements that are missing.
    """
    path = folder / NAME
    if not path.exists():
        raise RecordError(f"{path}: no such record; make gpu makes one")
    manifest.verify(folder)
    try:
        measured = files.read(path)
    except EvidenceError as error:
        raise RecordError(str(error)) from None
    _gpu_of(measured, path)
    lacking = missing(measured)
    if lacking:
        raise RecordError(
            f"{path}: incomplete, {len(lacking)} measurements are missing; the first: {lacking[0]}"
        )
    return measured


def record(built: Path = BUILT, results: Path = RESULTS) -> list[Path]:
    """Put every machine's record that was built under `results`; return the folders there.

    Raises `RecordError` if there is none, or one that must not be shown.
    """
    folders = sorted(path for path in built.glob("*") if path.is_dir())
    if not folders:
        raise RecordError("no GPU was measured here; make gpu does, on a machine that has one")
    for folder in folders:
        checked(folder)
    return [_put(folder, results / folder.name) for folder in folders]


def _put(folder: Path, target: Path) -> Path:
    """Copy a checked record into its machine's folder and seal that, what lies there unchanged."""
    if (target / manifest.NAME).exists():
        manifest.verify(target)
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(folder / NAME, target / NAME)
    manifest.seal(target)
    return target


def recorded(results: Path = RESULTS) -> dict[str, Evidence]:
    """Return every recorded GPU's measurements, by machine; checked anew."""
    folders = sorted(path.parent for path in results.glob(f"*/{NAME}"))
    return {folder.name: checked(folder) for folder in folders}


def shown_as(machine: str, measured: Evidence) -> Iterator[Record]:
    """Yield the records of a machine with its name, for a chapter's own evidence."""
    for record in measured.records:
        yield record.model_copy(update={"machine": machine})
