"""What is measured on a GPU: every comparison as data, and the run through all of them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from investigation.evidence.parameters import Parameters
from investigation.evidence.timings import MARGIN, Quantity, Timing, TimingLevel
from investigation.gpu.prediction import scale_bytes
from investigation.observe.eager_calls import launches, listed_calls
from investigation.observe.equality import same_bits
from investigation.subject.cases import (
    MEMORY_FORMATS,
    Case,
    MemoryFormat,
    host_workloads,
    resnet_workloads,
)
from investigation.subject.torch_formats import FORMATS
from investigation.subject.variants import SCALES, SEBlock
from investigation.subject.workloads import host_network, random_images, sharing
from investigation.timing.arms import Function
from investigation.timing.comparison import Comparison
from investigation.timing.device.queue import Queue, cache_bytes
from investigation.timing.device.timing import (
    QUANTITIES,
    QUANTITY_WORDS,
    Rotation,
    compare_on_device,
    rotations_needed,
)
from investigation.timing.device.watch import Watch, nothing
from investigation.timing.settings import Settings

WARM: tuple[Quantity, ...] = ("host", "device", "end_to_end")
# Networks in rotation: their images are small, and what they make in between is not.
NETWORK_INPUTS = 4


@dataclass(frozen=True)
class Step:
    """One comparison: a quantity of `candidate` against `baseline` at one level.

    `case` is None for the network. A control compares the plain multiply with itself, or with
    the one that writes the gate out in full.
    """

    quantity: Quantity
    level: TimingLevel
    case: Case | None
    memory_format: MemoryFormat = "contiguous"
    baseline: str = "broadcast"
    candidate: str = "expand_as"

    @property
    def is_control(self) -> bool:
        """Whether the outcome is known beforehand."""
        return self.candidate != "expand_as"

    @property
    def of_two_dtypes(self) -> bool:
        """Whether the gate has a dtype of its own."""
        return self.case is not None and self.case.gate_dtype is not None

    @property
    def says(self) -> str:
        """What the record is of, in words."""
        what = f"{self.level}{' of two dtypes' * self.of_two_dtypes}"
        name = self.case.name if self.case else "the host network's forward step"
        forms = f"{self.candidate} against {self.baseline}"
        return f"{QUANTITY_WORDS[self.quantity]}: {what}, {name}, {self.memory_format}, {forms}"

    @property
    def about(self) -> dict[str, Any]:
        """The fields of `Timing` that tell the step's record from the others."""
        return {
            "level": self.level,
            "quantity": self.quantity,
            "memory_format": self.memory_format,
            "baseline": self.baseline,
            "candidate": self.candidate,
            "role": "control" if self.is_control else "measurement",
        }

    def expected(self, device: str) -> Timing:
        """Return the record that the step makes on a device, without what it measures."""
        return Timing.model_construct(says=self.says, case=self.case, device=device, **self.about)


def plan(settings: Parameters) -> tuple[Step, ...]:
    """Return every comparison of a run with these parameters, the controls first."""
    reader = Case(slug="reader", name="the shape of this run", shape=settings.shape)
    host, resnet = host_workloads(settings.batch), resnet_workloads(settings.resnet_batch)
    workloads = (reader, *host, *resnet)
    return (
        *_controls(reader),
        *_steps("multiply", workloads, MEMORY_FORMATS, QUANTITIES),
        *_steps("multiply", _mixed(workloads), MEMORY_FORMATS[:1], WARM),
        *_steps("block", (reader, *host), MEMORY_FORMATS, WARM),
        *(Step(one, "network", None, layout) for layout in MEMORY_FORMATS for one in WARM),
    )


def _controls(case: Case) -> Iterator[Step]:
    for quantity in QUANTITIES:
        for candidate in ("broadcast", "materialized"):
            yield Step(quantity, "multiply", case, candidate=candidate)


def _steps(
    level: TimingLevel,
    cases: tuple[Case, ...],
    layouts: tuple[MemoryFormat, ...],
    quantities: tuple[Quantity, ...],
) -> Iterator[Step]:
    for case in cases:
        for layout in layouts:
            for quantity in quantities:
                yield Step(quantity, level, case.with_format(layout), layout)


def _mixed(cases: tuple[Case, ...]) -> tuple[Case, ...]:
    return tuple(case.with_gate("bfloat16") for case in cases)


def run(
    queue: Queue,
    steps: tuple[Step, ...],
    settings: Parameters,
    watch: Watch = nothing,
    arms: "Callable[[Step, Parameters], tuple[Rotation, Rotation]] | None" = None,
) -> Iterator[tuple[Step, Comparison]]:
    """Measure one step after the other; `arms` makes what is compared, from `rotations`."""
    make = arms or rotations
    for step in steps:
        baseline, candidate = make(step, settings)
        yield (
            step,
            compare_on_device(
                queue, step.quantity, baseline, candidate, settings_of(step, settings), watch
            ),
        )


def settings_of(step: Step, settings: Parameters) -> Settings:
    """Return what a step asks of the instrument, its budget in seconds among it."""
    budget = settings.network_budget_s if step.level == "network" else settings.budget_s
    return Settings(
        budget_s=budget,
        margin=MARGIN,
        seed=settings.seed,
        device=settings.device,
        threads=settings.threads,
        name=step.candidate,
        baseline_name=step.baseline,
    )


def rotations(step: Step, settings: Parameters) -> tuple[Rotation, Rotation]:
    """Return both arms of a step on the run's device, over the same inputs in rotation."""
    inputs = _inputs(step, settings)
    calls = list(zip(*_pairs(step, inputs, settings), strict=True))
    baseline, candidate = (Rotation(one, _launches(one[0])) for one in calls)
    return baseline, candidate


def _inputs(step: Step, settings: Parameters) -> list[tuple[Tensor, ...]]:
    if step.case is None:
        return [_images(step, settings, index) for index in range(NETWORK_INPUTS)]
    device = torch.device(settings.device)
    count = rotations_needed(scale_bytes(step.case), cache_bytes(device))
    seeded = (step.case.model_copy(update={"seed": settings.seed + i}) for i in range(count))
    return [case.tensors(settings.device) for case in seeded]


def _images(step: Step, settings: Parameters, index: int) -> tuple[Tensor, ...]:
    seed = settings.seed + index
    return (random_images(settings.batch, step.memory_format, seed, settings.device),)


def _pairs(
    step: Step, inputs: list[tuple[Tensor, ...]], settings: Parameters
) -> Iterator[tuple[Function, Function]]:
    """Yield both arms' call for each input in rotation; they share the weights, if any."""
    if step.level in ("block", "network"):
        module = _module(step, settings)
        for one in inputs:
            yield sharing(module, step.baseline, step.candidate, partial(module, one[0]))
    else:
        for one in inputs:
            yield partial(SCALES[step.baseline], *one), partial(SCALES[step.candidate], *one)


def _module(step: Step, settings: Parameters) -> torch.nn.Module:
    if step.case is None:
        return host_network(step.baseline, step.memory_format, settings.seed, settings.device)
    torch.manual_seed(settings.seed)
    block = SEBlock(step.case.shape[1], step.case.reduction).to(settings.device).eval()
    # The stub of `to` knows no memory format; the method does.
    return block.to(memory_format=FORMATS[step.memory_format])  # type: ignore[call-overload, no-any-return]


def _launches(call: Function) -> int:
    with torch.no_grad():
        return launches(listed_calls(call))


def arms_agree(step: Step, settings: Parameters) -> bool:
    """Tell whether both arms of a step compute the same bits on the run's device."""
    baseline, candidate = rotations(step, settings)
    with torch.no_grad():
        one, other = baseline.calls[0](), candidate.calls[0]()
    assert isinstance(one, Tensor)
    assert isinstance(other, Tensor)
    return same_bits(one.cpu(), other.cpu())


def bytes_beside_the_output(scale: str, case: Case, device: str) -> int | None:
    """Return what a multiply asks of the device's allocator beside its output, or None.

    None where torch keeps no count for the device. The allocator rounds up to 512 bytes.
    """
    x, gate = case.tensors(device)
    before = _allocated(device)
    output = SCALES[scale](x, gate)
    after = _allocated(device)
    if before is None or after is None:
        return None
    return after - before - output.numel() * output.element_size()


def _allocated(device: str) -> int | None:
    """Return the bytes that were ever asked for, freed since or not."""
    try:
        statistics: Mapping[str, Any] = torch.accelerator.memory_stats(torch.device(device))
    except (RuntimeError, NotImplementedError):
        return None
    count = statistics.get("allocated_bytes.all.allocated")
    return None if count is None else int(count)
