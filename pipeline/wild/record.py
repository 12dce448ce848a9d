"""What was observed of released packages, kept under `results/` and sealed, unless it is there."""

import os
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from investigation.evidence import files
from investigation.evidence.environment import Environment, describe
from investigation.evidence.files import EvidenceError
from investigation.evidence.observation import Observation
from investigation.evidence.records import Evidence
from investigation.evidence.sealed import manifest
from investigation.evidence.sealed.manifest import RecordError
from investigation.fix.survey import rules_sha256
from pipeline import places
from pipeline.faults import BuildError

CHAPTER = "10_wild"
NETWORK = "network_{}.json"


def keep(name: str, records: tuple[Observation, ...], source_sha256: str) -> str:
    """Write and seal the records, unless they are recorded as they are; return what was done.

    `source_sha256` is the digest of the list that they come from.
    """
    for path in sorted(places.RECORDED.glob(f"*/{name}")):
        if _records(path) == records:
            return f"nothing changed since {os.path.relpath(path)}"
    started = datetime.now(UTC)
    environment = describe()
    evidence = Evidence(
        notebook=CHAPTER,
        source_sha256=source_sha256,
        package_sha256=rules_sha256(),
        parameters={},
        environment=environment,
        started=started,
        finished=datetime.now(UTC),
        records=records,  # type: ignore[arg-type]  # each is one of the union
    )
    return put(name, evidence)


def merged(evidences: Iterable[Evidence]) -> list[Evidence]:
    """Return one evidence a machine: what several processes of one machine observed, together."""
    machines: dict[tuple[object, ...], list[Evidence]] = {}
    for evidence in evidences:
        environment = evidence.environment
        machines.setdefault((environment.processor, environment.cores), []).append(evidence)
    return [
        parts[0].model_copy(
            update={
                "started": min(part.started for part in parts),
                "finished": max(part.finished for part in parts),
                "records": tuple(record for part in parts for record in part.records),
            }
        )
        for parts in machines.values()
    ]


def put(name: str, evidence: Evidence) -> str:
    """Put evidence among its machine's records, and seal them; return where it is."""
    path = folder_of(evidence.environment, places.RECORDED) / name
    files.write(evidence, path)
    try:
        manifest.seal(path.parent)
    except RecordError as error:
        raise BuildError(f"{error}; the record is written and not sealed") from None
    return f"recorded in {os.path.relpath(path)}"


def measured() -> list[Evidence]:
    """Return what was recorded of released networks, machine by machine."""
    return [files.read(path) for path in sorted(places.RECORDED.glob(f"*/{NETWORK.format('*')}"))]


def _records(path: Path) -> tuple[Observation, ...] | None:
    try:
        return files.read(path).records
    except EvidenceError:  # of an older kind, or cut short: written anew
        return None


def folder_of(environment: Environment, results: Path) -> Path:
    """Return the folder of this machine's records: the one that has some, or a new one."""
    here = environment.model_dump(mode="json")
    for folder in manifest.machine_folders(results):
        sealed = manifest.read(folder).records.values()
        # A record that counts instructions, which no clock decides, names no processor.
        environments = [seal.environment for seal in sealed if "processor" in seal.environment]
        if environments and all(
            described.get(key) == here[key]
            for described in environments
            for key in ("processor", "cores")
        ):
            return folder
    words = re.sub(r"[^a-z0-9]+", "-", environment.processor.lower()).strip("-")
    return results / f"{words}-{environment.cores}-cores"
