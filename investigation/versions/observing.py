"""Every part observed in a process of its own; what a torch does not allow is named.

A part imports what it needs when its process begins: a torch that lacks a module, or crashes,
then costs one part and not the rest.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any

from pydantic import TypeAdapter

from investigation.compiled.omission import MissingToolError
from investigation.evidence.kinds.versions import LeftOut
from investigation.evidence.observation import Observation
from investigation.evidence.parameters import Parameters
from investigation.evidence.records import Record
from investigation.subject.torch_features import LackingError
from investigation.timing.processes import Job, in_fresh_processes, one_line

Observations = Mapping[str, Callable[[Parameters], Iterable[Observation]]]

# Modules of `parts`, in the order of the chapters.
PARTS: Mapping[str, str] = {
    "bits": "bits and shapes",
    "layouts": "memory formats",
    "memory": "views, memory and calls",
    "gradients": "gradients",
    "programs": "programs of torch.compile",
    "captures": "captured programs",
    "launches": "calls and launches of eager CUDA",
    "kernels": "kernels compiled for GPUs",
    "exports": "exports to ONNX",
}
LIMIT_S = 480.0  # of one part; on two idle cores none takes half of it
WITHOUT_DEVICES = {"CUDA_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": ""}
WITHOUT_NOISE = {"PYTHONWARNINGS": "ignore", "KINETO_LOG_LEVEL": "99"}
# Where a machine keeps its files is no part of what was observed.
FOLDERS = re.compile(r"(?<![\w.:/])/(?:[^\s/'\"()]+/)+")
RECORDS: TypeAdapter[tuple[Record, ...]] = TypeAdapter(tuple[Record, ...])


def observe(parameters: Mapping[str, object]) -> Iterator[Record]:
    """Iterate over the records of all parts, with a `LeftOut` for whatever has none.

    Raises `ParameterError` for parameters that cannot be used.
    """
    given = Parameters.check(**parameters).model_dump(mode="json", include=set(parameters))
    environment = WITHOUT_DEVICES | WITHOUT_NOISE
    jobs = [Job(part, {"name": part_name, "parameters": given}, environment) for part_name in PARTS]
    for name, reply in zip(PARTS, in_fresh_processes(jobs, limit_s=LIMIT_S), strict=True):
        if reply.crash is not None:
            yield left_out(name, "all of it", reply.crash, lacks=False)
        else:
            yield from RECORDS.validate_python(reply.answer)


def part(name: str, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the records of one part, made in this process, as JSON."""
    settings = Parameters.check(**parameters)
    return [record.model_dump(mode="json") for record in observed(name, settings)]


def observed(name: str, settings: Parameters) -> Iterator[Observation]:
    """Iterate over the records of one part; what this torch does not allow is left out by name."""
    try:
        listed: Observations = import_module(f"investigation.versions.parts.{name}").OBSERVATIONS
    except Exception as error:  # as below: one part may not cost the others
        yield left_out(name, "all of it", one_line(error), lacks=is_lack(error))
        return
    for observation, records_of in listed.items():
        try:
            yield from records_of(settings)
        except Exception as error:  # whatever another torch may raise is what was found
            yield left_out(name, observation, one_line(error), lacks=is_lack(error))


def is_lack(error: Exception) -> bool:
    """Return whether torch, or a tool around it, has no such thing; else something failed."""
    if isinstance(error, AttributeError):
        return "torch" in str(error)
    return isinstance(error, ImportError | LackingError | MissingToolError)


def left_out(name: str, observation: str, reason: str, *, lacks: bool) -> LeftOut:
    """Return the record of what was not observed, and why; a file is named without its folders."""
    return LeftOut(
        statement=f"not observed under this torch: {PARTS[name]}, {observation}",
        part=PARTS[name],
        observation=observation,
        lacks=lacks,
        reason=FOLDERS.sub("", reason),
    )
