"""The line timed in place in several fresh processes, with the controls of the way it is timed.

The controls run in the same processes: a form against itself adds nothing, and a wait of known
size is found with its size. Where the forms are one function of one network, a process adds
nothing of its own to their difference, so the controls' intervals are made of the pairs of all
processes, which reach the confidence that a control is judged at.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pkgutil import resolve_name
from typing import Any

import numpy as np
import torch

from investigation.evidence.kinds.timings import CONTROL_CONFIDENCE, MARGIN
from investigation.subject.cases import Case
from investigation.subject.memory_formats import MEMORY_FORMATS
from investigation.subject.variants import SCALES, Scale
from investigation.subject.workloads import Step
from investigation.timing.in_place import InPlace, LineSamples, Over, time_line
from investigation.timing.measure import undisturbed
from investigation.timing.processes import Job, importable, in_fresh_processes
from investigation.timing.replicate import KEEPING_MEMORY, ReplicationError
from investigation.timing.slots import Clocks, Wait, waiting

# What is planted, as a share of the step: twice what counts as equal.
PLANTED_SHARE = 2 * MARGIN
# What a control spends of the budget of a line.
CONTROL_PART = 0.25
# How many processes prepare at the same time: loading torch takes longer than many a timing.
PREPARED_AT_ONCE = 2


@dataclass(frozen=True)
class Line:
    """What to time in place: a function that makes the step, its arguments, and two forms.

    The function stands at the top of a module and its arguments are JSON-able. `planted_share`
    of the step is planted in the candidate, and `part` of the budget is spent.
    """

    make: Callable[..., Step]
    given: Mapping[str, Any]
    baseline: str = "broadcast"
    candidate: str = "expand_as"
    planted_share: float = 0.0
    part: float = 1.0

    @property
    def candidate_name(self) -> str:
        """The candidate in words; a control's baseline has its form as well."""
        if self.planted_share:
            return f"{self.candidate} and {100 * self.planted_share:g} % of the step"
        return f"{self.candidate} again" if self.candidate == self.baseline else self.candidate

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return vars(self) | {"make": importable(self.make), "given": dict(self.given)}


def host_lines(make: Callable[..., Step], batch: int, seed: int) -> dict[str, Line]:
    """Return the host network's line in each memory format, and the controls.

    The controls take a quarter of the batch, where a short budget holds many pairs.
    """
    lines = {
        memory_format: Line(make, {"batch": batch, "memory_format": memory_format, "seed": seed})
        for memory_format in MEMORY_FORMATS
    }
    few = {"batch": max(1, batch // 4), "memory_format": "channels_last", "seed": seed}
    again = Line(make, few, candidate="broadcast", part=CONTROL_PART)
    return lines | {"itself": again, "planted": replace(again, planted_share=PLANTED_SHARE)}


@dataclass(frozen=True)
class Replicated:
    """Lines timed in place, by name: their slots, and the samples of each process."""

    slots: Mapping[str, tuple[Case, ...]]
    samples: Mapping[str, tuple[LineSamples, ...]]
    threads: int
    lines: Mapping[str, Line] = field(default_factory=dict)

    def line(self, name: str, confidence: float, margin: float = MARGIN) -> InPlace:
        """Return what a line's candidate adds, its interval over the processes."""
        return self._estimate(name, "processes", confidence, margin)

    def control(self, name: str) -> InPlace:
        """Return what a control's candidate adds, its interval over the pairs of all processes."""
        return self._estimate(name, "pairs", CONTROL_CONFIDENCE, MARGIN)

    def planted_s(self, name: str) -> float:
        """Return how much was planted in a step, the mean over pairs."""
        parts = self.samples[name]
        return float(
            np.average([part.planted_s for part in parts], weights=[p.pairs for p in parts])
        )

    def _estimate(self, name: str, over: Over, confidence: float, margin: float) -> InPlace:
        line = self.lines[name]
        return InPlace.of(
            self.slots[name],
            self.samples[name],
            over=over,
            confidence=confidence,
            margin=margin,
            threads=self.threads,
            name=line.candidate_name,
            baseline_name=line.baseline,
        )


def time_in_processes(
    lines: Mapping[str, Line],
    *,
    processes: int,
    budget_s: float,
    threads: int,
    seed: int,
    grad: bool = False,
) -> Replicated:
    """Time lines in place in `processes` fresh interpreters that keep their freed memory.

    `budget_s` is for each line in each process, on top of what it takes to start and to make the
    step. Every process begins with the next line, and has hash seed and draws of its own.

    Raises ReplicationError where a process fails, ValueError where the arguments cannot be used.
    """
    if processes < 2:
        raise ValueError(f"processes must be 2 or more, not {processes}")
    named = [(name, line.to_dict()) for name, line in lines.items()]
    settings = {"budget_s": budget_s, "threads": threads, "grad": grad}
    jobs = [_job(named, number, settings | {"seed": seed + number}) for number in range(processes)]
    replies = in_fresh_processes(jobs, at_once=PREPARED_AT_ONCE)
    answers = [
        reply.answer_or(ReplicationError, f"process {number} of the line in place")
        for number, reply in enumerate(replies, start=1)
    ]
    return Replicated(
        {name: tuple(map(Case.model_validate, answers[0][name]["slots"])) for name in lines},
        {name: tuple(LineSamples.from_dict(answer[name]["samples"]) for answer in answers)
         for name in lines},
        threads,
        lines,
    )  # fmt: skip


def _job(lines: list[tuple[str, dict[str, Any]]], number: int, settings: dict[str, Any]) -> Job:
    first = number % len(lines)
    arguments = {"lines": lines[first:] + lines[:first], "settings": settings}
    hashing = {"PYTHONHASHSEED": str(settings["seed"] % 2**32)}
    return Job(time_all, arguments, KEEPING_MEMORY | hashing)


def time_all(
    lines: Sequence[tuple[str, Mapping[str, Any]]], settings: Mapping[str, Any]
) -> Generator[None, None, dict[str, Any]]:
    """Make every line's step in this process; when told to go on, time each: samples by name."""
    torch.set_num_threads(settings["threads"])
    steps = {name: resolve_name(line["make"])(**line["given"]) for name, line in lines}
    yield
    answer = {}
    with undisturbed(grad=settings["grad"]):
        for name, line in lines:
            samples = _time(steps[name], line, settings)
            slots = [slot.model_dump(mode="json") for slot in steps[name].slots]
            answer[name] = {"slots": slots, "samples": samples.to_dict()}
    return answer


def _time(step: Step, line: Mapping[str, Any], settings: Mapping[str, Any]) -> LineSamples:
    spent = {"budget_s": line["part"] * settings["budget_s"], "seed": settings["seed"]}
    if line["planted_share"]:
        return time_planted(step, SCALES[line["baseline"]], line["planted_share"], **spent)
    return time_line(step, SCALES[line["baseline"]], SCALES[line["candidate"]], **spent)


def time_planted(
    step: Step,
    scale: Scale,
    share: float,
    *,
    budget_s: float,
    seed: int,
    clocks: Clocks | None = None,
) -> LineSamples:
    """Time a form against itself with a wait of `share` of the step, as much at every slot.

    In training half of a slot's wait is in the backward pass. Both sides wait, one for no time.
    `planted_s` is what the waits came to by their own readings.
    """
    clocks = clocks or Clocks()
    step.run()
    began = clocks.wall()
    step.run()
    asked_s = share * (clocks.wall() - began)
    count = len(step.slots) * (2 if torch.is_grad_enabled() else 1)
    none, wait = (Wait(seconds, clocks.processor) for seconds in (0.0, asked_s / count))
    arms = waiting(scale, none), waiting(scale, wait)
    samples = time_line(step, *arms, budget_s=budget_s, seed=seed, clocks=clocks)
    return replace(samples, planted_s=count * float(np.median(wait.lasted_s)))
