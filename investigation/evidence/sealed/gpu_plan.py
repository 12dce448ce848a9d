"""What is measured on a GPU, as data: every comparison of a run, and the record that it makes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from investigation.evidence.kinds.timings import Quantity, Timing, TimingLevel
from investigation.evidence.parameters import Parameters
from investigation.subject.cases import Case, each_once, host_workloads, resnet_workloads
from investigation.subject.memory_formats import MEMORY_FORMATS, MemoryFormat

QUANTITIES: tuple[Quantity, ...] = ("host", "device", "cold", "end_to_end")
QUANTITY_WORDS: Mapping[Quantity, str] = {
    "host": "the host hands a call over",
    "device": "the device works on a call, inputs in rotation",
    "cold": "the device works on a call, nothing of it in a cache",
    "end_to_end": "a call from start to finish",
}
WARM: tuple[Quantity, ...] = ("host", "device", "end_to_end")
# A captured graph would replay a training step with the optimizer's state of its capture.
QUANTITIES_OF: Mapping[TimingLevel, tuple[Quantity, ...]] = {
    "network": WARM,
    "training_step": ("host", "end_to_end"),
}
STEPS: Mapping[TimingLevel, str] = {
    "network": "the host network's forward step",
    "training_step": "the host network's training step",
}
# Warming up, capturing and compiling take about as long as the budgets, and no budget holds them.
BESIDE_THE_BUDGETS = 2


@dataclass(frozen=True)
class GpuComparison:
    """One comparison: a quantity of `candidate` against `baseline` at one level.

    `case` is None for a step of the network. A control compares the plain multiply with itself, or
    with the one that writes the gate out in full.
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
    def statement(self) -> str:
        """What the record is of, in words."""
        what = f"{self.level}{' of two dtypes' * self.of_two_dtypes}"
        name = self.case.name if self.case else STEPS[self.level]
        forms = f"{self.candidate} against {self.baseline}"
        return f"{QUANTITY_WORDS[self.quantity]}: {what}, {name}, {self.memory_format}, {forms}"

    @property
    def about(self) -> dict[str, Any]:
        """The fields of `Timing` that tell its record from the others."""
        return {
            "level": self.level,
            "quantity": self.quantity,
            "memory_format": self.memory_format,
            "baseline": self.baseline,
            "candidate": self.candidate,
            "role": "control" if self.is_control else "measurement",
        }

    def budget_s(self, settings: Parameters) -> float:
        """Return the seconds that a run with these parameters gives to it."""
        return settings.network_budget_s if self.level in STEPS else settings.budget_s

    def expected(self, device: str) -> Timing:
        """Return the record that it makes on a device, without what it measures."""
        return Timing.model_construct(
            statement=self.statement, case=self.case, device=device, **self.about
        )


def plan(settings: Parameters) -> tuple[GpuComparison, ...]:
    """Return every comparison of a run with these parameters, the controls first."""
    reader = Case(slug="reader", name="the shape of this run", shape=settings.shape)
    host, resnet = host_workloads(settings.batch), resnet_workloads(settings.resnet_batch)
    workloads = each_once(reader, *host, *resnet)
    return (
        *_controls(reader),
        *_comparisons("multiply", workloads, MEMORY_FORMATS, QUANTITIES),
        *_comparisons("multiply", _mixed(workloads), MEMORY_FORMATS[:1], WARM),
        *_comparisons("block", each_once(reader, *host), MEMORY_FORMATS, WARM),
        *_steps("network"),
        *_steps("training_step"),
    )


def minutes(settings: Parameters) -> float:
    """Return about how long a run with these parameters takes, from the budgets of its plan."""
    asked_s = sum(step.budget_s(settings) for step in plan(settings))
    return BESIDE_THE_BUDGETS * asked_s / 60


def _controls(case: Case) -> Iterator[GpuComparison]:
    for quantity in QUANTITIES:
        for candidate in ("broadcast", "materialized"):
            yield GpuComparison(quantity, "multiply", case, candidate=candidate)


def _comparisons(
    level: TimingLevel,
    cases: tuple[Case, ...],
    layouts: tuple[MemoryFormat, ...],
    quantities: tuple[Quantity, ...],
) -> Iterator[GpuComparison]:
    for case in cases:
        for layout in layouts:
            for quantity in quantities:
                yield GpuComparison(quantity, level, case.with_format(layout), layout)


def _steps(level: TimingLevel) -> Iterator[GpuComparison]:
    for layout in MEMORY_FORMATS:
        for quantity in QUANTITIES_OF[level]:
            yield GpuComparison(quantity, level, None, layout)


def _mixed(cases: tuple[Case, ...]) -> tuple[Case, ...]:
    return tuple(case.with_gate("bfloat16") for case in cases)
