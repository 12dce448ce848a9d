"""Everything that the launches are shown with, worked out in a process of its own.

The recording device would be the accelerator of the process that loads it, so a chapter loads
none and is handed what a fresh process found.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import islice, product
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, TypeAdapter

from investigation.evidence.kinds.gpus import LaunchOperation
from investigation.evidence.observation import Form
from investigation.gpu.launch import controls, extension
from investigation.gpu.launch.comparison import Group, compare, launches, together
from investigation.gpu.launch.controls import NARROW_GATE, Controls
from investigation.gpu.launch.iterators import Iterator as TensorIterator
from investigation.gpu.launch.kernels import Kernel, launched
from investigation.gpu.launch.settings import FAMILIES, Setting, settings
from investigation.subject.cases import Case
from investigation.subject.gpu_catalog import Chip, chip
from investigation.subject.memory_formats import MEMORY_FORMATS
from investigation.subject.torch_formats import FORMATS
from investigation.subject.variants import SCALES, broadcast, expand_as
from investigation.timing.processes import Job, in_fresh_processes

PROCESSES = 2  # which share the settings, every other one to each
NO_DEVICE = {"CUDA_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": ""}
GROUPS = TypeAdapter(tuple[Group, ...])
FORMS: tuple[Form, ...] = ("expand_as", "broadcast", "materialized")


class LaunchError(RuntimeError):
    """The recording process ended without an answer; the message gives the reason."""


class Shown(BaseModel):
    """One launch in a setting that a page shows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: Case
    operation: LaunchOperation
    form: Form
    place: int
    iterator: TensorIterator
    kernel: Kernel | None


class Proof(BaseModel):
    """What was found: each group's launches in both forms, the shown ones, and the controls."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chip: str
    groups: tuple[Group, ...]
    shown: tuple[Shown, ...]
    controls: Controls

    def launches_of(
        self, case: Case, operation: LaunchOperation = "multiply"
    ) -> Mapping[Form, tuple[Shown, ...]]:
        """Return the shown launches of one operation in a case, form by form."""
        launches = [
            launch for launch in self.shown if (launch.case, launch.operation) == (case, operation)
        ]
        return {form: tuple(launch for launch in launches if launch.form == form) for form in FORMS}


def shown_cases(case: Case) -> tuple[Case, ...]:
    """Return the settings that are shown: both memory formats, one dtype and a narrower gate."""
    formats = [case.with_format(memory_format) for memory_format in MEMORY_FORMATS]
    return tuple(case for plain in formats for case in (plain, plain.with_gate(NARROW_GATE)))


def prove(case: Case, on: Chip, seed: int, on_cpu: Case | None = None) -> Proof:
    """Return what both forms launch in every setting, and in those of `case` on a chip.

    `on_cpu` is the case of the control on a CPU, `case` unless given. Two processes share the
    settings. Raises `NoRecorderError` if iterators cannot be recorded,
    `LaunchError` if a process that records them fails.
    """
    extension.require_recorder()
    cases = {"case": case, "on_cpu": on_cpu or case}
    closely = {name: case.model_dump(mode="json") for name, case in cases.items()}
    jobs = (
        Job(compared, {"share": 0, "seed": seed}, NO_DEVICE),
        Job(looked_at, {"share": 1, "seed": seed, "slug": on.slug, **closely}, NO_DEVICE),
    )
    some, others = (
        reply.answer_or(LaunchError, "recording what eager CUDA launches")
        for reply in in_fresh_processes(jobs, at_once=len(jobs))
    )
    groups = together(GROUPS.validate_python([*some, *others["groups"]]))
    return Proof.model_validate({**others, "groups": groups})


def compared(share: int, seed: int) -> list[dict[str, Any]]:
    """Compare both forms in one share of the settings, in a process that becomes the device's."""
    extension.load()
    with torch.autograd.set_multithreading_enabled(False):
        mine = islice(settings(FAMILIES, seed), share, None, PROCESSES)
        groups = compare(broadcast, expand_as, mine)
    return [group.model_dump(mode="json") for group in groups]


def looked_at(
    share: int, seed: int, slug: str, case: Mapping[str, Any], on_cpu: Mapping[str, Any]
) -> dict[str, Any]:
    """Do as `compared`, and return the launches of a case, and the controls, besides."""
    groups, this = compared(share, seed), Case.model_validate(case)
    with torch.autograd.set_multithreading_enabled(False):
        launches_shown = [
            launch.model_dump(mode="json") for launch in shown(shown_cases(this), chip(slug))
        ]
        held = controls.tried(Case.model_validate(on_cpu), seed).model_dump(mode="json")
    return {"chip": slug, "groups": groups, "shown": launches_shown, "controls": held}


def shown(cases: Iterable[Case], on: Chip) -> Iterator[Shown]:
    """Iterate over the launches of every form in some cases, and the kernels on a chip."""
    for case, form in product(cases, FORMS):
        for (operation, _), recorded in launches(SCALES[form], _setting(case)).items():
            shown_in = partial(Shown, case=case, operation=operation, form=form)
            for place, launch in enumerate(recorded.launches):
                yield shown_in(place=place, iterator=launch, kernel=launched(launch, on))


def _setting(case: Case) -> Setting:
    """Return a case as a setting; the gradient from above is laid out like the input."""
    x = torch.empty(case.shape, dtype=getattr(torch, case.dtype), device="meta")
    x = x.contiguous(memory_format=FORMATS[case.memory_format])
    dtype = getattr(torch, case.gate_dtype or case.dtype)
    gate = torch.empty(*case.shape[:2], 1, 1, dtype=dtype, device="meta")
    return Setting("ordinary", case.name, x, gate, {"like the input": x})
