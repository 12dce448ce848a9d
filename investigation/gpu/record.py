"""A GPU's measurements as a file that travels: written by a run, checked, and shown beside others.

A run on a GPU writes `build/record/<machine>/gpu.json`, sealed. `make record` checks it and puts
it under `results/<machine>/`, where the chapter finds it on every machine. The file is evidence
like a chapter's; its records are the comparisons of `investigation.gpu.measurement`.
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from investigation.evidence import manifest
from investigation.evidence import records as evidence
from investigation.evidence.environment import PROJECT
from investigation.evidence.manifest import RecordError
from investigation.evidence.parameters import Parameters
from investigation.evidence.records import Evidence, EvidenceError, Findings, Record

NAME = "gpu.json"
BUILT = PROJECT / "build" / "record"
RESULTS = PROJECT / "results"
# Beside the comparisons: what the device is, and what a multiply asks its allocator for.
DEVICE = "device.facts"
ALLOCATIONS = tuple(
    f"allocation.{dtypes}.{form}"
    for dtypes in ("same_dtype", "mixed_dtype")
    for form in ("expand_as", "broadcast", "materialized")
)


def machine_name(accelerator: str) -> str:
    """Return the folder's name for a device: `NVIDIA H200` is `nvidia-h200`."""
    return re.sub(r"[^a-z0-9]+", "-", accelerator.lower()).strip("-")


def slug(machine: str) -> str:
    """Return the name of a machine inside a record's id."""
    return machine_name(machine).replace("-", "_")


def write(measured: Evidence, built: Path = BUILT) -> Path:
    """Write a run's measurements into a folder of its machine's name, sealed; return the folder.

    Raises `RecordError` for a run that was not on a GPU.
    """
    folder = built / machine_name(_gpu_of(measured, NAME))
    shutil.rmtree(folder, ignore_errors=True)
    evidence.write(measured, folder / NAME)
    manifest.seal(folder)
    return folder


def _gpu_of(measured: Evidence, path: Path | str) -> str:
    """Return the GPU that a record is of. Raises `RecordError` where it is of none."""
    accelerator = measured.environment.accelerator
    if accelerator is None or measured.parameters.get("device") in (None, "cpu"):
        raise RecordError(f"{path}: measured on the processor; DEVICE=cuda measures a GPU")
    return accelerator


def missing(measured: Evidence) -> list[str]:
    """Return the ids of the records that a run with these parameters makes and this one lacks.

    The parameters were checked where they were used: another machine may have less memory.
    """
    from investigation.gpu import measurement as gpu_measurement

    present = {record.id for record in measured.records}
    steps = gpu_measurement.plan(Parameters.model_construct(**measured.parameters))
    expected = (DEVICE, *(step.id for step in steps))
    return [one for one in expected if one not in present]


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
        measured = evidence.read(path)
    except EvidenceError as error:
        raise RecordError(str(error)) from None
    _gpu_of(measured, path)
    lacking = missing(measured)
    if lacking:
        raise RecordError(
            f"{path}: incomplete, {len(lacking)} measurements are missing, {lacking[0]} first"
        )
    return measured


def record(built: Path = BUILT, results: Path = RESULTS) -> list[Path]:
    """Put every machine's record that was built under `results`; return the folders there.

    Raises `RecordError` where there is none, or one that must not be shown.
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
    """Yield a machine's records under ids that name it, for a chapter's own evidence."""
    for one in measured.records:
        yield one.model_copy(update={"id": f"on.{slug(machine)}.{one.id}"})


def machines(findings: Findings) -> dict[str, dict[str, Record]]:
    """Return what a chapter showed of each machine: its records, by the ids that they had."""
    found: dict[str, dict[str, Record]] = {}
    for one in findings.under("on"):
        _, machine, rest = one.id.split(".", 2)
        found.setdefault(machine, {})[rest] = one
    return found


def facts(records: Mapping[str, Record]) -> Mapping[str, object]:
    """Return what a machine's record says of its device."""
    return records[DEVICE].details if DEVICE in records else {}
